"""Whether networks are better than the mean image and the local regression."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from mri2pet.evaluation import gap
from mri2pet.evaluation.image_metrics import words
from mri2pet.evaluation.image_tables import REFERENCES
from mri2pet.reporting.simplest import SIMPLEST
from mri2pet.reporting.summary.parts import (
    BETTER,
    FEW,
    UNTOLD,
    WORSE,
    Dot,
    Finding,
    Plot,
    between,
    people,
    verdict,
)

NAMES = {SIMPLEST: "the local regression", "mean_pet": "Mean PET"}
LEAST = -30.0  # percent of the gap: what is worse is drawn at the edge
MARKS = {0.0: "Mean PET", 100.0: "Oracle"}
NOTE = (
    "Share of the way from Mean PET, the mean image of the training people, to the oracle, the "
    "best that an MRI can tell. Words: 95% intervals of paired differences of the error, over "
    "people."
)
ERRORS = (
    "Difference of the mean absolute error from that of Mean PET, in thousandths of the intensity "
    "range; left of the line is better. Words: 95% intervals of paired differences, over people."
)


def finding(
    differences: pd.DataFrame, table: pd.DataFrame, labels: Mapping[str, str]
) -> Finding | None:
    """Say which networks beat the yardsticks by the intervals of paired differences.

    Parameters
    ----------
    differences
        As `evaluation.paired_differences` makes it.
    table
        The system's table of image quality, with `gap closed` where people are simulated.
    labels
        Model to label.

    Returns
    -------
    None where nothing is compared.
    """
    found = {
        (row.method, row.against): verdict(row.low, row.high)
        for row in differences.itertuples(index=False)
    }
    against = list(dict.fromkeys(differences["against"]))
    methods = [name for name in labels if any((name, other) in found for other in against)]
    networks = [name for name in methods if name != SIMPLEST]
    if not networks:
        return None
    order = [name for name in (SIMPLEST, "mean_pet") if name in against]
    clauses = [
        _clause({n: found[n, name] for n in networks}, NAMES[name], labels, number)
        for number, name in enumerate(order)
    ]
    clauses.append(_shares(table, networks))
    count = int(differences["n"].max())
    details = []
    if count < FEW:
        details.append(f"Images: {people(count)}, so only large differences can be seen.")
    heads = [f"Against {NAMES[name].removeprefix('the ')}" for name in order]
    told = {name: [found.get((name, other), "") for other in order] for name in methods}
    plot = _gap_plot(table, methods, labels, told, heads)
    plot = plot or _error_plot(differences, methods, labels, told, heads)
    return Finding("; ".join(each for each in clauses if each), details, [plot] if plot else [])


def _clause(verdicts: Mapping[str, str], yardstick: str, labels: Mapping, number: int) -> str:
    """Say which of the networks beat one yardstick."""
    sorted_out: dict[str, list[str]] = {BETTER: [], WORSE: [], UNTOLD: []}
    for name, word in verdicts.items():
        sorted_out[word].append(labels[name])
    better, untold = sorted_out[BETTER], sorted_out[UNTOLD]
    if better:
        every = len(better) == len(verdicts) > 1
        who, verb = ("every network", "is") if every else _who(better)
        return f"{who} {verb} better than {yardstick}"
    if len(untold) == len(verdicts):
        return f"whether any network is better than {yardstick} cannot be told"
    none = "none" if number else "no network"
    shown = "shown to be " if untold else ""
    return f"{none} is {shown}better than {yardstick}"


def _shares(table: pd.DataFrame, networks: Sequence[str]) -> str:
    """Say how much of the gap to the oracle networks and local regression close."""
    if table.empty:
        return ""
    rows = table[table["metric"] == gap.METRIC].dropna(subset="mean").set_index("method")["mean"]
    shares = rows.loc[[name for name in networks if name in rows.index]]
    if shares.empty:
        return ""
    low, high = (f"{share:.0f}%" for share in (shares.min(), shares.max()))
    span = low if low == high else f"{low} to {high}"
    closed = f"networks close {span}" if shares.max() > 0 else "networks close nothing"
    simplest = f", the local regression {rows[SIMPLEST]:.0f}%" if SIMPLEST in rows.index else ""
    return f"of the gap from Mean PET to the oracle {closed}{simplest}"


def _who(names: Sequence[str]) -> tuple[str, str]:
    return words(list(names)), "is" if len(names) == 1 else "are"


def _gap_plot(
    table: pd.DataFrame, methods: Sequence[str], labels: Mapping, told: Mapping, heads: Sequence
) -> Plot | None:
    """Draw the shares of the gap; None where the best PET is not known or the gap too small."""
    if table.empty:
        return None
    own = table[(table["metric"] == gap.METRIC) & table["method"].isin(methods)]
    rows = {row.method: row for row in own.dropna(subset="mean").itertuples(index=False)}
    if not rows:
        return None
    order = sorted(rows, key=lambda name: -rows[name].mean)
    dots = [
        Dot(
            labels[name],
            between(rows[name].mean, rows[name].low, rows[name].high, 0, "%"),
            *(rows[name].mean, rows[name].low, rows[name].high),
            told[name],
            reference=name == SIMPLEST,
        )
        for name in order
    ]
    lows = [value for dot in dots for value in (dot.low, dot.mean) if np.isfinite(value)]
    start = min(-10.0, max(LEAST, min(lows) - 5))
    return Plot(
        "Share of the gap that each model closes", "Gap closed", start, 105.0, dots, MARKS, heads,
        NOTE,
    )  # fmt: skip


def _error_plot(
    differences: pd.DataFrame, methods: Sequence[str], labels: Mapping, told: Mapping, heads: list
) -> Plot | None:
    """Draw differences from Mean PET: of real people nobody knows the best PET."""
    own = differences[differences["against"] == "mean_pet"].set_index("method")
    own = own.loc[[name for name in methods if name in own.index and name not in REFERENCES]]
    if own.empty:
        return None
    own = own.sort_values("mean")
    scaled = 1000 * own[["mean", "low", "high"]]
    dots = [
        Dot(
            labels[str(name)],
            between(row.mean_, row.low, row.high, 1),
            *(row.mean_, row.low, row.high),
            told[str(name)],
            reference=name == SIMPLEST,
        )
        for name, row in scaled.rename(columns={"mean": "mean_"}).iterrows()
    ]
    reach = 1.1 * float(np.nanmax(np.abs(scaled.to_numpy()))) or 1.0
    return Plot(
        "Error of each model less that of Mean PET", "Difference of MAE", -reach, reach, dots,
        {0.0: "Mean PET"}, heads, ERRORS,
    )  # fmt: skip
