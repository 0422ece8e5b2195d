"""How much of what an MRI can tell a model has learnt: the metric `gap closed`.

Between the mean image of the training people, which says the same of everybody, and the best PET
that an MRI can tell (`oracle`) lies all that a method can gain. It is known where people are
simulated, and nowhere else.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

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
        As `image_tables.rows_of` gives them. Mean and sd are over folds, of ratios of the mean
        errors of a fold's visits; no test, since that of the error stands beside it. No row where
        the values do not know the best PET, which is that of every study of real people.
    """
    chosen = values[values["metric"] == ERROR]
    if not has_gap(chosen["method"]):
        return []
    closed = gap_closed(chosen.groupby(["method", "fold"])["value"].mean())
    subjects = chosen.groupby("method")["subject"].nunique()
    rows = []
    for method, of_folds in closed.groupby(level=0):
        mean, sd = mean_and_sd(of_folds)
        row = {"dataset": dataset, "method": method, "metric": METRIC, "unit": UNIT, "mean": mean}
        rows.append({**row, "sd": sd, "n": int(subjects[method]), "p_value": np.nan})
    return rows


def has_gap(methods: Iterable[str]) -> bool:
    """Tell whether both ends of the gap are among some methods."""
    return {WORST, BEST} <= set(methods)
