"""Whether a model is better than the yardsticks: paired differences of errors, over people.

Intervals of two methods overlap easily where the same people have large errors with both. The
interval of the difference, by the same resamples of the same people, is what tells them apart.
"""

from collections.abc import Collection

import pandas as pd

from mri2pet.evaluation.comparison import check_same_people, mean_of_folds
from mri2pet.evaluation.gap import ERROR
from mri2pet.evaluation.resampling import interval

YARDSTICKS = ("mean_pet", "local_regression")
COLUMNS = ("method", "against", "metric", "unit", "mean", "low", "high", "n")


def paired_differences(values: pd.DataFrame, groups: Collection[str] = ()) -> pd.DataFrame:
    """Subtract the error of each yardstick from that of each method.

    Parameters
    ----------
    values
        One row a visit and metric: method subject group fold metric unit value; `MAE` is among
        the metrics.
    groups
        Groups whose visits count: those that the models have learnt from; all if none is named.

    Returns
    -------
    DataFrame
        `COLUMNS`, a row a method and yardstick: error of `method` minus that of `against`, so less
        than 0 of a better method; mean over folds of the means of visits, in the unit of the
        error, and its 95% interval by resampling subjects (`resampling`), missing of too few.
    """
    chosen = values[values["metric"] == ERROR]
    if len(groups):
        chosen = chosen[chosen["group"].isin(list(groups))]
    check_same_people(chosen, "Paired")
    measured = {str(name): mean_of_folds(own) for name, own in chosen.groupby("method", sort=False)}
    rows = []
    for against in (name for name in YARDSTICKS if name in measured):
        other = measured[against]
        for name, own in measured.items():
            if name != against:
                low, high = interval(own.resampled - other.resampled, own.smallest)
                ends = {"low": float(low), "high": float(high), "n": len(own.subjects)}
                told = {"method": name, "against": against, "metric": ERROR}
                told |= {"unit": chosen["unit"].iloc[0], "mean": own.mean - other.mean}
                rows.append(told | ends)
    return pd.DataFrame(rows, columns=list(COLUMNS))
