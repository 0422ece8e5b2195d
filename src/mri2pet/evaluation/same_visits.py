"""Tables of diagnosis compare methods on the same visits alone.

Real PET can be tested on visits that have one. Where the others are tested on more, it stands in a
part of its own, beside their values on the visits with PET.
"""

from collections.abc import Callable

import pandas as pd

from mri2pet.diagnosis.methods import REAL_PET
from mri2pet.evaluation.comparison import check_same_people

WITH_PET = "visits with PET"  # after the dataset's name
VISIT = ["subject", "visit", "fold"]  # in which it was tested


def parts_of(predictions: pd.DataFrame, dataset: str) -> dict[str, pd.DataFrame]:
    """Part predictions so that in each part all methods were tested on the same visits.

    Parameters
    ----------
    predictions
        One row a visit: method subject visit fold and what a table is made of.
    dataset
        Name of the dataset as printed.

    Returns
    -------
    Name of the part to its predictions. One part with the dataset's name where all methods were
    tested on the same visits. Else that part without `real_pet`, then `<dataset>, visits with
    PET`: all methods, on those visits that `real_pet` was tested on.

    Raises
    ------
    InputError
        If the other methods were not tested on the same visits, or `real_pet` was on further ones.
    """
    is_real = predictions["method"] == REAL_PET
    with_pet, others = _visits(predictions[is_real]), predictions[~is_real]
    if not with_pet or others.empty or with_pet == _visits(others):
        check_same_people(predictions, dataset)
        return {dataset: predictions}
    inside = [visit in with_pet for visit in predictions[VISIT].itertuples(index=False, name=None)]
    parts = {dataset: others, f"{dataset}, {WITH_PET}": predictions[inside]}
    for name, rows in parts.items():
        check_same_people(rows, name)
    return parts


def table_of_parts(
    predictions: pd.DataFrame, dataset: str, make: Callable[[pd.DataFrame, str], pd.DataFrame]
) -> pd.DataFrame:
    """Make the table of each part and put one below the other.

    Parameters
    ----------
    predictions, dataset
        As for `parts_of`, whose errors it raises.
    make
        Makes a table of predictions and the dataset's name: no value of it, and no p, is of other
        visits than those of its part.
    """
    parts = parts_of(predictions, dataset)
    return pd.concat([make(rows, name) for name, rows in parts.items()], ignore_index=True)


def _visits(rows: pd.DataFrame) -> set[tuple[str, str, int]]:
    return set(rows[VISIT].itertuples(index=False, name=None))
