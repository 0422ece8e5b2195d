"""Features of synthetic PET, and whether its generator may have seen the people that it shows."""

from collections.abc import Collection

import pandas as pd
from numpy.typing import NDArray

from mri2pet.diagnosis.features import wide
from mri2pet.errors import InputError


def made_pet(
    table: pd.DataFrame | None,
    method: str,
    held_out: Collection[int],
    visits: pd.DataFrame,
    folds: pd.DataFrame,
) -> pd.DataFrame:
    """Return the features of a method's PET, a row a visit, if its generator held out some folds.

    A generator is trained on the paired visits of the subjects outside these folds, and
    synthesises those of all subjects inside them. So a paired visit of another subject means that
    it has seen the PET, and a subject of these folds who is not there means that it held out
    others. One that held out two folds makes PET of their subjects alone, MRI-only visits too.

    Parameters
    ----------
    table
        Features (long).
    method
        Its name, for messages.
    held_out
        The folds.
    visits
        All visits of the dataset, of every group: subject kind.
    folds
        subject fold, a subject once.

    Raises
    ------
    InputError
        If there is no table, or it is of a generator that held out other folds.
    """
    if table is None:
        raise InputError(f"{method}: no features of its PET were given")
    several = len(held_out) > 1
    where = f"{method}, fold{'s' * several} {' and '.join(map(str, sorted(held_out)))}"
    inside = set(folds.loc[folds["fold"].isin(list(held_out)), "subject"])
    there = set(table.loc[table["kind"] == "paired", "subject"])
    if seen := (set(table["subject"]) if several else there) - inside:
        raise InputError(
            f"{where}: subject {min(seen)} is not of {'them' if several else 'this fold'}, so the "
            "generator was trained on the visit that it synthesised"
        )
    paired = set(visits.loc[visits["kind"] == "paired", "subject"])
    if lost := (paired & inside) - there:
        raise InputError(
            f"{where}: no PET of subject {min(lost)}, who was to be held out: the generator may "
            "have been trained on this subject; make its PET and the features again"
        )
    return wide(table, "PET")


def rows_of(table: pd.DataFrame, visits: pd.DataFrame, what: str) -> NDArray:
    """Take the visits' features out of a wide table, in the visits' order.

    Raises
    ------
    InputError
        If a visit is not there.
    """
    lost = visits[~visits["index"].isin(table.index)]
    if len(lost):
        visit = lost.iloc[0]
        raise InputError(
            f"no features of the {what} of subject {visit['subject']}, visit {visit['visit']}: "
            "make the features again"
        )
    return table.loc[visits["index"]].to_numpy(dtype=float)
