"""How much PET differs between people: what a training set adds, beside the controls' real PET."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from mri2pet.evaluation.image_tables import COLUMNS

Array = np.ndarray
RATIO = "sd between people over that of real PET"
TOP = "99.5th percentile as synthesised"


def between_people(volumes: Sequence[Array], mask: Array) -> float:
    """Return the standard deviation between people: the root of its mean square over the brain.

    Parameters
    ----------
    volumes
        n volumes (X, Y, Z), two at least.
    mask
        (X, Y, Z) bool.

    Returns
    -------
    float
        In the volumes' unit; missing with one person. The mean square is unbiased for few people,
        so that sets of different size compare.
    """
    if len(volumes) < 2:
        return float("nan")
    values = np.stack([volume[mask] for volume in volumes]).astype(np.float64)
    return float(np.sqrt(np.mean(values.var(axis=0, ddof=1))))


def spread_table(
    found: Mapping[str, Sequence[Mapping[str, float]]], people: Mapping[str, int]
) -> pd.DataFrame:
    """Make the table of all training sets, in long form (`evaluation.image_tables.COLUMNS`).

    Parameters
    ----------
    found
        Training set to what each fold has: metric (`RATIO`, `TOP`) to value.
    people
        Training set to the number of people that it adds.

    Returns
    -------
    DataFrame
        A row a training set and metric: mean and sd over folds; n counts the people added.
    """
    rows = []
    for name, folds in found.items():
        for metric in dict.fromkeys(key for fold in folds for key in fold):
            values = [fold[metric] for fold in folds]
            sd = float(np.std(values, ddof=1)) if len(values) > 1 else np.nan
            own = {"mean": float(np.mean(values)), "sd": sd, "n": people[name]}
            about = {"dataset": "Controls", "method": name, "metric": metric, "unit": "fraction"}
            rows.append(about | own)
    return pd.DataFrame(rows, columns=list(COLUMNS))
