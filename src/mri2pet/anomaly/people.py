"""Who a detector learns from and who it scores, fold by fold."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mri2pet.errors import InputError
from mri2pet.files import read_tsv

TEXT = {"subject": str, "visit": str}


@dataclass(frozen=True)
class FoldPeople:
    """Rows of the dataset: controls to learn from, controls held out, and patients."""

    training: pd.DataFrame
    held_out: pd.DataFrame
    patients: pd.DataFrame


def fold_people(visits: pd.DataFrame, folds: pd.DataFrame, fold: int) -> FoldPeople:
    """Part the people who have a real PET.

    Parameters
    ----------
    visits
        The dataset's table with `role` and `kind`.
    folds
        `subject` and `fold` of the controls.

    Raises
    ------
    InputError
        If a control has no fold, or fewer than two are left to learn from.
    """
    paired = visits[visits["kind"] == "paired"]
    controls = paired[paired["role"] == "control"]
    fold_of = controls["subject"].map(dict(zip(folds["subject"], folds["fold"], strict=True)))
    if fold_of.isna().any():
        missing = controls["subject"][fold_of.isna()].iloc[0]
        raise InputError(f"folds.tsv: control {missing} has no fold; make the folds again")
    known = controls[fold_of != fold]
    if len(known) < 2:
        raise InputError(
            f"fold {fold}: {len(known)} control with a PET outside it, the detector needs two; "
            "lower gan_anomaly.folds.n or have more controls"
        )
    return FoldPeople(known, controls[fold_of == fold], paired[paired["role"] == "patient"])


def training_volumes(
    pet: np.ndarray,
    rows: pd.DataFrame,
    synthetic: Sequence[str | Path] = (),
    synthetic_visits: Sequence[str | Path] = (),
    fold: int = 0,
) -> np.ndarray:
    """Gather the PET that a detector learns from in one fold.

    Parameters
    ----------
    pet
        The dataset's array, which may be memory-mapped.
    rows
        Controls with a real PET.
    synthetic, synthetic_visits
        `pet.npy` and `visits.tsv` of a model's synthesis, one of each a fold; of the fold's, the
        controls with an MRI alone (role `mri_only`) are taken: PET by the generator that has not
        seen the controls held out. Empty for real PET alone.

    Returns
    -------
    array (n, X, Y, Z)
        float32, the real ones first.
    """
    volumes = [np.asarray(pet[index], np.float32) for index in rows["index"]]
    if synthetic:
        made = np.load(synthetic[fold], mmap_mode="r")
        table = read_tsv(synthetic_visits[fold], dtype=TEXT)
        if len(table) != len(made):
            raise InputError(
                f"{synthetic[fold]}: {len(made)} volumes, {len(table)} rows in "
                f"{synthetic_visits[fold]}; synthesise again"
            )
        alone = np.flatnonzero((table["role"] == "mri_only").to_numpy())
        if not len(alone):
            raise InputError(
                f"{synthetic_visits[fold]}: nobody has the role mri_only; the study has no control "
                "with an MRI alone whose PET could be synthesised"
            )
        volumes += [np.asarray(made[index], np.float32) for index in alone]
    return np.stack(volumes)
