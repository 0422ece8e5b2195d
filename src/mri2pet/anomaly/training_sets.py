"""Who a detector learns from and who it scores, fold by fold."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mri2pet.anomaly.added_pet import TEXT, further_rows, matched, synthetic_volumes
from mri2pet.datasets.gaps import filled, mean_of_seen
from mri2pet.errors import InputError

__all__ = ["TEXT", "FoldPeople", "asked_volumes", "fold_people", "split_folds", "training_volumes"]


@dataclass(frozen=True)
class FoldPeople:
    """Rows of the dataset: controls to learn from, controls held out, and patients."""

    training: pd.DataFrame
    held_out: pd.DataFrame
    patients: pd.DataFrame


def split_folds(folds: pd.DataFrame, splits: int) -> pd.DataFrame:
    """Hold each fold out in several parts, so that more controls are left to learn from.

    Parameters
    ----------
    folds
        `subject`, `kind` and `fold` of the controls, folds 0 to n - 1.
    splits
        Parts of a fold; 1 leaves the folds as they are.

    Returns
    -------
    DataFrame
        The same with folds 0 to n splits - 1: part p of fold k is fold k + n p, whose people no
        generator of fold k = (k + n p) mod n has seen.
    """
    n = int(folds["fold"].max()) + 1
    place = folds.groupby(["fold", "kind"]).cumcount()
    return folds.assign(fold=folds["fold"] + n * (place % splits))


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


def refuse_trained(
    negatives: pd.DataFrame, folds: pd.DataFrame, generated: pd.DataFrame | None = None
) -> None:
    """Refuse controls whom their detector has learnt from: false alarms are counted on others.

    Parameters
    ----------
    negatives
        `subject` and `fold`: controls, and the fold whose models have scored them.
    folds
        `subject` and `fold` in which the detector holds each control out (`split_folds`).
    generated
        `subject` and `role` of the synthetic PET that the fold has learnt from: its generator has
        not seen those of role `test`. None: there is no synthetic PET.

    Raises
    ------
    InputError
        If a control is not held out of the detector, or of the generator, that has scored it.
    """
    fold_of = dict(zip(folds["subject"], folds["fold"], strict=True))
    for subject, fold in zip(negatives["subject"], negatives["fold"], strict=True):
        if fold_of.get(subject) != fold:
            raise InputError(
                f"control {subject} was scored by fold {fold:g} of a detector, which has learnt "
                "from this control; score people again with the folds of its training"
            )
    if generated is None:
        return
    unseen = set(generated.loc[generated["role"] == "test", "subject"])
    if seen := sorted(set(negatives["subject"]) - unseen):
        raise InputError(
            f"control {seen[0]} is held out of a detector, but the generator of its synthetic PET "
            "has not held this control out; synthesise again with the folds of the detector"
        )


def training_volumes(
    pet: np.ndarray,
    rows: pd.DataFrame,
    synthetic: Sequence[str | Path] = (),
    synthetic_visits: Sequence[str | Path] = (),
    fold: int = 0,
    seen: np.ndarray | None = None,
    *,
    visits: pd.DataFrame | None = None,
    mask: np.ndarray | None = None,
    further: bool = False,
    match: bool = False,
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
        controls with an MRI alone are taken: PET by the generator that has not seen the controls
        held out, on the scale of real PET (`added_pet.synthetic_volumes`). Empty for real PET
        alone.
    fold
        Of `split_folds`: the generator is that of fold modulo the number of generators.
    seen
        (N, X, Y, Z) bool, where the real PET is measured; elsewhere it becomes the mean of these
        controls (`gaps.mean_of_seen`). None: everywhere.
    visits, mask
        The dataset's table and (X, Y, Z) bool; needed for all but the controls' own real PET.
    further
        Whether the real PET of controls that are held back is learnt from, too.
    match
        Whether synthetic PET is given the intensities of the controls' real PET
        (`added_pet.matched`).

    Returns
    -------
    array (n, X, Y, Z)
        float32, the real ones of `rows` first.
    """
    volumes = [np.asarray(pet[index], np.float32) for index in rows["index"]]
    if seen is not None:
        own = [seen[index] for index in rows["index"]]
        volumes = list(filled(volumes, own, mean_of_seen(volumes, own)))
    if (further or synthetic) and (visits is None or mask is None):
        raise ValueError("what is added to real PET needs the table of visits and the mask")
    learnt = len(volumes)
    if further:
        volumes += list(asked_volumes(pet, further_rows(visits), rows, seen))
    if synthetic:
        path, table = (paths[fold % len(paths)] for paths in (synthetic, synthetic_visits))
        made, _ = synthetic_volumes(path, table, visits, mask)
        volumes += list(matched(made, volumes[:learnt], mask) if match else made)
    return np.stack(volumes)


def asked_volumes(
    pet: np.ndarray, rows: pd.DataFrame, known: pd.DataFrame, seen: np.ndarray | None
) -> np.ndarray:
    """Gather the PET of people who are scored, (n, X, Y, Z).

    Where one is not measured, it is the mean of the controls that are learnt from (`known`).
    """
    volumes = np.stack([pet[index] for index in rows["index"]])
    if seen is None:
        return volumes
    mean = mean_of_seen(*([array[index] for index in known["index"]] for array in (pet, seen)))
    return filled(volumes, [seen[index] for index in rows["index"]], mean)
