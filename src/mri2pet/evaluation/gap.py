"""How much of what an MRI can tell a model has learnt: the metric `gap closed`.

Between the mean image of the training people, which says the same of everybody, and the best PET
that an MRI can tell (`oracle`) lies all that a method can gain. It is known where people are
simulated, and nowhere else.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.evaluation.comparison import check_same_people
from mri2pet.evaluation.resampling import (
    interval,
    smallest_group,
    subject_weights,
    weighted_mean,
)
from mri2pet.evaluation.statistics import mean_and_sd

METRIC, UNIT = "gap closed", "percent"
ERROR = "MAE"  # what it is a share of
WORST, BEST = "mean_pet", "oracle"
LEAST = 0.1  # of the error of `WORST`: a smaller gap is no measure of anything


def gap_closed(errors: pd.Series) -> pd.Series:
    """Return how much of the gap each method closes, in percent.

    Parameters
    ----------
    errors
        Mean error of each method and part (a fold; a sample of people), indexed by both in this
        order. `mean_pet` and `oracle` are among the methods.

    Returns
    -------
    Series
        Indexed alike: (error of `mean_pet` - error) / (error of `mean_pet` - error of `oracle`), so
        0 of `mean_pet`, 100 of `oracle`, less than 0 of what is worse than `mean_pet`. A ratio of
        means: parts are not averaged over people after the division. NaN in a part where the two
        differ by less than a tenth of the error of `mean_pet`, or one of them is missing.
    """
    wide = errors.unstack(level=1)
    gap = wide.loc[WORST] - wide.loc[BEST]
    gap = gap.where(gap >= LEAST * wide.loc[WORST])
    closed = 100 * (wide.loc[WORST] - wide) / gap
    return closed.stack(future_stack=True).reindex(errors.index)


def gap_rows(values: pd.DataFrame, dataset: str) -> list[dict[str, object]]:
    """Return the rows of `gap closed` of a table of image quality, one a method.

    Parameters
    ----------
    values
        One row a visit and metric: method subject fold metric value; `MAE` is among the metrics.
    dataset
        As the table names it.

    Returns
    -------
    list of dict
        As `comparison.compare` gives them. Mean and sd are over folds, of ratios of the mean errors
        of a fold's visits; the interval is by resampling subjects; no test, since that of the error
        stands beside it. No row where the values do not know the best PET, which is that of every
        study of real people.
    """
    chosen = values[values["metric"] == ERROR]
    if not has_gap(chosen["method"]):
        return []
    check_same_people(chosen, dataset)
    closed = gap_closed(chosen.groupby(["method", "fold"])["value"].mean())
    drawn, smallest = _resampled(chosen)
    subjects = chosen.groupby("method")["subject"].nunique()
    rows = []
    for method, of_folds in closed.groupby(level=0):
        mean, sd = mean_and_sd(of_folds)
        low, high = interval(drawn[str(method)], smallest)
        row = {"dataset": dataset, "method": method, "metric": METRIC, "unit": UNIT, "mean": mean}
        row |= {"sd": sd, "n": int(subjects[method]), "low": float(low), "high": float(high)}
        rows.append(row | dict.fromkeys(("p_value", "p_holm", "p_folds"), np.nan))
    return rows


def _resampled(errors: pd.DataFrame) -> tuple[dict[str, NDArray[np.float64]], int]:
    """Return the mean over folds of each resample of subjects, by method, and how many there are.

    All methods and both ends of the gap are of the same resample.
    """
    keys = ["subject", "fold"]
    place = errors.groupby(["method", *keys]).cumcount()
    wide = errors.assign(place=place).pivot(
        index=[*keys, "place"], columns="method", values="value"
    )
    subjects = wide.index.get_level_values("subject").to_series(index=range(len(wide)))
    weights = subject_weights(subjects)
    drawn = []
    for fold in wide.index.unique("fold"):
        own = wide.index.get_level_values("fold") == fold
        by_method = {
            (method, sample): error
            for method in wide
            for sample, error in enumerate(
                weighted_mean(wide.loc[own, method].to_numpy(), weights[:, own])
            )
        }
        drawn.append(gap_closed(pd.Series(by_method)))
    mean = pd.concat(drawn, axis=1).mean(axis=1)
    return {str(m): own.to_numpy() for m, own in mean.groupby(level=0)}, smallest_group(subjects)


def has_gap(methods: Iterable[str]) -> bool:
    """Tell whether both ends of the gap are among some methods."""
    return {WORST, BEST} <= set(methods)
