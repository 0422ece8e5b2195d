"""Which visits, with which PET, a classifier is trained and tested on.

Paired (Table II)
    Visits with both scans. Training: real MRI and real PET of the subjects of other folds. Test:
    MRI and the method's PET of the fold's subjects.
Complete (Table III)
    All visits. The PET is the real one where there is one and the method's where there is none,
    in training and in test.

The method is a model, whose generator of the same fold made the PET, or `mean_pet`; `real_pet`
uses real PET alone, so that visits without one are left out; `only_mri` uses no PET.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.diagnosis.features import wide
from mri2pet.errors import InputError
from mri2pet.files import read_tsv

PAIRED, COMPLETE = "paired", "complete"
REAL_PET, ONLY_MRI = "real_pet", "only_mri"


@dataclass(frozen=True)
class Experiment:
    """Training and test visits of one fold; a subject in both is refused.

    Attributes
    ----------
    train_visits, test_visits
        One row a visit: index subject visit group kind fold.
    train, test
        (n, features) regional means in the rows' order; NaN where a region has no tissue.
    """

    train_visits: pd.DataFrame
    test_visits: pd.DataFrame
    train: NDArray
    test: NDArray

    def __post_init__(self) -> None:
        shared = set(self.train_visits["subject"]) & set(self.test_visits["subject"])
        if shared:
            raise InputError(
                f"subject {min(shared)} is in the training and in the test data of one fold: "
                "make the folds again, by subject"
            )


def experiments(
    visits: str | Path,
    folds: str | Path,
    real: str | Path,
    synthetic: Sequence[str | Path],
    count: int,
    **chosen: Any,
) -> Iterator[tuple[int, Experiment]]:
    """Read the tables and put together the experiment of each fold.

    Parameters
    ----------
    visits, folds, real
        Tables as `assemble` takes them.
    synthetic
        Features of the method's PET, a table a fold; none for a method that makes no PET.
    count
        Number of folds.
    **chosen
        `dataset`, `method`, `groups` and `with_mri` of `assemble`.

    Yields
    ------
    fold, experiment
    """
    tables = [_read(path) for path in (visits, folds, real)]
    for fold in range(count):
        made = _read(synthetic[fold]) if synthetic else None
        given = dict(zip(("visits", "folds", "real"), tables, strict=True))
        yield fold, assemble(fold=fold, synthetic=made, **given, **chosen)


def _read(path: str | Path) -> pd.DataFrame:
    return read_tsv(path, dtype={"subject": str, "visit": str})


def assemble(
    dataset: str,
    method: str,
    fold: int,
    visits: pd.DataFrame,
    folds: pd.DataFrame,
    real: pd.DataFrame,
    synthetic: pd.DataFrame | None,
    groups: Sequence[str],
    with_mri: bool = True,
) -> Experiment:
    """Put together training and test data of one dataset, method and fold.

    Parameters
    ----------
    dataset
        `paired` or `complete`.
    method
        A model, `mean_pet`, `real_pet` or `only_mri`.
    fold
        The fold tested on.
    visits
        The dataset's visits: index subject visit group kind.
    folds
        subject fold, a subject once.
    real
        Features of the real scans (long).
    synthetic
        Features of the method's PET, made by its generator of this fold (long); None for
        `real_pet` and `only_mri`.
    groups
        The groups told apart; visits of others are left out.
    with_mri
        Whether the features of the MRI count too (not in DUAL-GLOW's Table 2).

    Raises
    ------
    InputError
        If a subject has no fold or several, a synthetic PET is of a subject that its generator
        was trained on, or a PET that is needed is missing.
    """
    visits = _with_folds(visits[visits["group"].isin(groups)], folds)
    if dataset == PAIRED or method == REAL_PET:
        visits = visits[visits["kind"] == "paired"]
    test = visits["fold"] == fold
    blocks = [_rows(wide(real, "MRI"), visits, "MRI")] if with_mri else []
    if method != ONLY_MRI:
        from_model = _from_model(visits, dataset, method, test)
        real_pet = wide(real, "PET")
        pet = np.full((len(visits), real_pet.shape[1]), np.nan)
        pet[~from_model] = _rows(real_pet, visits[~from_model], "real PET")
        if from_model.any():
            made = _check_synthetic(synthetic, folds, method, fold)
            pet[from_model] = _rows(made, visits[from_model], f"PET of {method}")
        blocks.append(pet)
    values = np.hstack(blocks)
    return Experiment(
        train_visits=visits[~test],
        test_visits=visits[test],
        train=values[~test],
        test=values[test],
    )


def _from_model(
    visits: pd.DataFrame, dataset: str, method: str, test: pd.Series
) -> NDArray[np.bool_]:
    """Tell for which visits the PET is the method's and not the real one."""
    if method == REAL_PET:
        return np.zeros(len(visits), dtype=bool)
    if dataset == PAIRED:
        return test.to_numpy()
    return (visits["kind"] != "paired").to_numpy()


def _rows(table: pd.DataFrame, visits: pd.DataFrame, what: str) -> NDArray:
    """Take the visits' features out of a wide table, in the visits' order."""
    lost = visits[~visits["index"].isin(table.index)]
    if len(lost):
        visit = lost.iloc[0]
        raise InputError(
            f"no features of the {what} of subject {visit['subject']}, visit {visit['visit']}: "
            "make the features again"
        )
    return table.loc[visits["index"]].to_numpy(dtype=float)


def _check_synthetic(
    synthetic: pd.DataFrame | None, folds: pd.DataFrame, method: str, fold: int
) -> pd.DataFrame:
    """Return the synthetic PET's features; refuse a subject that the generator has seen.

    A generator is trained on the paired visits of the subjects outside its fold, so that a
    synthetic PET of a paired visit must be of a subject inside it.
    """
    if synthetic is None:
        raise InputError(f"{method}: no features of its PET were given")
    held_out = set(folds.loc[folds["fold"] == fold, "subject"])
    seen = set(synthetic.loc[synthetic["kind"] == "paired", "subject"]) - held_out
    if seen:
        raise InputError(
            f"{method}, fold {fold}: subject {min(seen)} is not of this fold, so the generator "
            "was trained on the visit that it synthesised"
        )
    return wide(synthetic, "PET")


def _with_folds(visits: pd.DataFrame, folds: pd.DataFrame) -> pd.DataFrame:
    """Add each visit's fold."""
    twice = folds.loc[folds["subject"].duplicated(), "subject"]
    if len(twice):
        raise InputError(f"folds.tsv: subject {twice.iloc[0]} stands there twice")
    joined = visits.merge(folds[["subject", "fold"]], on="subject", how="left")
    lost = joined.loc[joined["fold"].isna(), "subject"]
    if len(lost):
        raise InputError(f"folds.tsv: no fold for subject {lost.iloc[0]}; make the folds again")
    return joined.astype({"fold": int})
