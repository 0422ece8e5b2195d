"""The table of intervals: how much they hold, how wide they are, what a score says of them.

Long form (`image_tables.COLUMNS`), a row a method and metric: `coverage at 95` and its like in
percent; `width at 95`, of the intervals in use; where these are widened by a factor that guarantees
the share, `coverage at 95, on average` and its width, of the factor that does not; `width where 95
is held`, of the same intervals all multiplied by the one factor with which they hold so much of
these people: widths compare at equal coverage alone; and the scores of `visit_intervals.UNITS`.
Mean over a fold's visits, then folds; low and high by resampling people. Tested against each other
are scores alone, where less is better.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.evaluation.comparison import (
    check_same_people,
    compare,
    mean_of_folds,
    over_people,
)
from mri2pet.evaluation.image_tables import COLUMNS
from mri2pet.evaluation.resampling import (
    interval,
    smallest_group,
    subject_weights,
    weighted_mean,
)
from mri2pet.evaluation.statistics import paired_t_test
from mri2pet.evaluation.visit_intervals import UNITS
from mri2pet.files import read_tsv

DATASET = "Paired"
INTENSITY = "intensity in 0..1"
REFERENCES = {"voxel_gaussian": "Voxelwise Gaussian", "voxel_t": "Voxelwise Student's t"}
COMPARED = ("CRPS", "bits per voxel")  # less is better, and all methods may have them


def read_intervals(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Join `uncertainty/{method}/fold-{k}/{coverage,scores}.tsv`, the method as a column."""
    kinds = {"subject": str, "visit": str}
    return pd.concat(
        [read_tsv(path, dtype=kinds).assign(method=Path(path).parts[-3]) for path in paths],
        ignore_index=True,
    )


def coverage_table(
    held: pd.DataFrame, scores: pd.DataFrame, models: Sequence[str], groups: Sequence[str] = ()
) -> pd.DataFrame:
    """Make the table of all methods that give intervals.

    Parameters
    ----------
    held
        `visit_intervals.HELD_COLUMNS` and method.
    scores
        `visit_intervals.SCORE_COLUMNS` and method.
    models
        The trained ones, in the order of the rows; `REFERENCES` follow.
    groups
        Groups whose visits count: those that the models have learnt from; all if none is named.
    """
    if groups:
        held, scores = (table[table["group"].isin(groups)] for table in (held, scores))
    check_same_people(held[["method", "subject", "visit", "fold"]].drop_duplicates(), DATASET)
    rows, calibrated = [], _calibrated(held)
    for nominal, own in held.groupby("nominal"):
        share = f"{100 * nominal:g}"
        for column, words in (("chosen", ""), ("average", ", on average")):
            used = own[own[column] == 1]
            if column == "average":
                used = used[used["method"].isin(calibrated)]
            percent = used.assign(value=100 * used["coverage"])
            rows += _plain(f"coverage at {share}{words}", "percent", percent)
            rows += _plain(
                f"width at {share}{words}", INTENSITY, used.assign(value=used["mean_width"])
            )
        rows += [
            {"dataset": DATASET, "method": method, "metric": f"width where {share} is held"}
            | {"unit": INTENSITY, **_width_where_held(each, float(nominal))}
            for method, each in own.groupby("method")
        ]
    for metric, unit in UNITS.items():
        own = scores[(scores["metric"] == metric) & scores["value"].notna()]
        if metric in COMPARED:
            found = {str(name): mean_of_folds(each) for name, each in own.groupby("method")}
            rows += compare(DATASET, metric, unit, found, models, False, over_people(paired_t_test))
        else:
            rows += _plain(metric, unit, own)
    order = {method: place for place, method in enumerate([*models, *REFERENCES])}
    table = pd.DataFrame(rows).assign(place=[order[row["method"]] for row in rows])
    return table.sort_values("place", kind="stable").reindex(columns=list(COLUMNS))


def _calibrated(held: pd.DataFrame) -> list[str]:
    """Return the methods with factors of people held out for them, which are hardly all 1."""
    used = held[(held["chosen"] == 1) & (held["factor"] != 1)]
    return sorted(used["method"].unique())


def _plain(metric: str, unit: str, values: pd.DataFrame) -> list[dict[str, object]]:
    """Make a row a method, without a test."""
    rows = []
    for method, own in values.groupby("method"):
        measured = mean_of_folds(own)
        low, high = interval(measured.resampled, measured.smallest)
        row = {"dataset": DATASET, "method": method, "metric": metric, "unit": unit}
        row |= {"mean": measured.mean, "sd": measured.sd, "n": len(measured.subjects)}
        rows.append(row | {"low": float(low), "high": float(high)})
    return rows


def _width_where_held(held: pd.DataFrame, nominal: float) -> dict[str, object]:
    """Measure the mean width with the one factor whose mean coverage is the nominal share.

    Where no factor reaches it, the width of the largest.
    """
    sort = held.sort_values(["subject", "visit", "factor"])
    factors = sort["factor"].nunique()
    coverage, width = (
        sort[name].to_numpy().reshape(-1, factors) for name in ("coverage", "mean_width")
    )
    subjects = sort["subject"].iloc[::factors].reset_index(drop=True)

    def widths(weights: NDArray) -> list[float]:
        means = zip(weighted_mean(coverage, weights), weighted_mean(width, weights), strict=True)
        return [float(np.interp(nominal, *pair)) for pair in means]

    low, high = interval(np.array(widths(subject_weights(subjects))), smallest_group(subjects))
    [mean] = widths(np.ones((1, len(subjects))))
    return {"mean": mean, "n": subjects.nunique(), "low": float(low), "high": float(high)}
