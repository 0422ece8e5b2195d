"""Whether synthesised contrasts of IXI are better than the source image as it is."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mri2pet.evaluation.gap import ERROR
from mri2pet.evaluation.resampling import FEWEST
from mri2pet.reporting.summary.parts import (
    BETTER,
    UNTOLD,
    WORSE,
    Dot,
    Finding,
    Plot,
    between,
    people,
)
from mri2pet.reporting.views import SIGNIFICANT

COPY, TEST = "copy", " test"
NOTE = (
    "Mean absolute error of the people to test on, in sd of the volume; left is better. The line "
    "is the error of the source image copied."
)
TEXT = {
    BETTER: "{label} is better than the source image copied",
    WORSE: "{label}, with the lowest error, is worse than the source image copied",
    UNTOLD: "whether {label} is better than the source image copied cannot be told",
}


def verdict_of(rows: pd.DataFrame) -> str:
    """Compare the model with the lowest error with the copied source.

    Parameters
    ----------
    rows
        One direction, people to test on: method mean n p_holm, whose p is against the model with
        the lowest error.
    """
    by_method = rows.set_index("method")
    if COPY not in by_method.index or len(by_method) < 2:
        return UNTOLD
    copied, lowest = by_method.loc[COPY], by_method.drop(COPY)["mean"].min()
    if copied["n"] < FEWEST or not copied["p_holm"] < SIGNIFICANT:
        return UNTOLD
    return BETTER if lowest < copied["mean"] else WORSE


def finding(table: pd.DataFrame, labels: Mapping[str, str]) -> Finding | None:
    """Say of each direction whether a model beats copying, from the table of synthesis."""
    chosen = table[(table["metric"] == ERROR) & table["dataset"].str.endswith(TEST)]
    clauses, plots, counts = [], [], []
    for dataset, rows in chosen.groupby("dataset", sort=False):
        models = rows[rows["method"] != COPY].dropna(subset="mean").sort_values("mean")
        if models.empty:
            continue
        way = str(dataset).removesuffix(TEST).replace("-", " to ")
        label = labels.get(models["method"].iloc[0], models["method"].iloc[0])
        clauses.append(f"{way}: {TEXT[verdict_of(rows)].format(label=label)}")
        counts.append(int(models["n"].max()))
        dots = [
            Dot(labels.get(row.method, row.method), between(row.mean, row.low, row.high, 3),
                row.mean, row.low, row.high)
            for row in models.itertuples(index=False)
        ]  # fmt: skip
        copied = rows[rows["method"] == COPY]["mean"]
        end = 1.15 * float(np.nanmax([*copied, *models["mean"], *models["high"].dropna()]))
        marks = {float(copied.iloc[0]): "source copied"} if len(copied) else {}
        plots.append(Plot(f"{way}: error", "MAE", 0.0, end, dots, marks, note=NOTE))
    if not clauses:
        return None
    count = max(counts)
    few = f"{people(count)} to test on: too few for an interval." if count < FEWEST else ""
    return Finding("; ".join(clauses), [few] if few else [], plots)
