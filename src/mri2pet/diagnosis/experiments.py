"""Which visits, with which PET, a classifier is trained and tested on.

Paired (Table II)
    Visits with both scans. Training: real MRI and real PET of the subjects of other folds. Test:
    MRI and the method's PET of the fold's subjects.
Complete (Table III)
    All visits. The PET is the real one where there is one and the method's where there is none,
    in training and in test.
Cross-fitted
    On either dataset: the PET is the method's throughout, in training too. That of a training
    subject is made by a generator which held out that subject's fold and the one tested.

The method is a model, whose generator of the same fold made the PET of the test visits, or a name
of `methods`: `mean_pet` and `oracle` are treated like a model; `real_pet` uses real PET alone, so
that visits without one are left out; `only_mri` uses no PET, `mri_age_sex` age and sex beside it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.datasets.fold_pairs import fold_pairs
from mri2pet.diagnosis.features import wide
from mri2pet.diagnosis.made_pet import made_pet, rows_of
from mri2pet.diagnosis.methods import MRI_AGE_SEX, NOT_LEARNT, NOTHING_MADE, REAL_PET, WITHOUT_PET
from mri2pet.errors import InputError
from mri2pet.files import read_tsv

PAIRED, COMPLETE = "paired", "complete"
SEX_CODES = {"F": 0.0, "M": 1.0}  # anything else counts as not known


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
    without: Sequence[str | Path] | None = None,
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
    without
        None for the papers' protocol. For the cross-fitted one the features of the PET by the
        generators without two folds, in the order of `fold_pairs`; none for one of `NOT_LEARNT`.
    **chosen
        `dataset`, `method`, `groups` and `with_mri` of `assemble`.

    Yields
    ------
    fold, experiment
    """
    tables = [_read(path) for path in (visits, folds, real)]
    pairs = dict(zip(fold_pairs(count), without, strict=True)) if without else {}
    for fold in range(count):
        made = _read(synthetic[fold]) if synthetic else None
        given = dict(zip(("visits", "folds", "real"), tables, strict=True))
        inner = None
        if without is not None:
            others = [other for other in range(count) if other != fold]
            inner = {
                other: _read(pairs[tuple(sorted((fold, other)))] if pairs else synthetic[other])
                for other in others
            }
        yield fold, assemble(fold=fold, synthetic=made, inner=inner, **given, **chosen)


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
    inner: Mapping[int, pd.DataFrame] | None = None,
) -> Experiment:
    """Put together training and test data of one dataset, method and fold.

    Parameters
    ----------
    dataset
        `paired` or `complete`.
    method
        A model or a name of `methods`.
    fold
        The fold tested on.
    visits
        The dataset's visits: index subject visit group kind; for `mri_age_sex` age (years) and
        sex (`F` or `M`) too, either of which may be missing.
    folds
        subject fold, a subject once.
    real
        Features of the real scans (long).
    synthetic
        Features of the method's PET, made by its generator of this fold (long); None for a method
        that makes none.
    groups
        The groups told apart; visits of others are left out.
    with_mri
        Whether the features of the MRI stand beside those of the PET (not in DUAL-GLOW's Table 2).
        Methods without PET have them all the same.
    inner
        None for the papers' protocol. For the cross-fitted one each other fold and the features
        of the PET of its subjects, by the generator without it and `fold` (long).

    Returns
    -------
    Features of MRI (GM and WM of the regions), PET, age and sex (1 for M), in this order, of those
    that the method has. Nothing is imputed or scaled: that is the classifier's, by its training
    data.

    Raises
    ------
    InputError
        If a subject has no fold or several, a generator may have seen a subject whose PET it
        made, or the fold tested, or a PET that is needed is missing.
    """
    if inner is not None and method in NOTHING_MADE:
        raise InputError(f"{method}: it has no synthetic PET to be learnt from")
    everyone = visits
    visits = _with_folds(visits[visits["group"].isin(groups)], folds)
    if dataset == PAIRED or method == REAL_PET:
        visits = visits[visits["kind"] == "paired"]
    test = visits["fold"] == fold
    blocks = []
    if with_mri or method in WITHOUT_PET:
        blocks.append(rows_of(wide(real, "MRI"), visits, "MRI"))
    if method not in WITHOUT_PET:
        real_pet = wide(real, "PET")
        pet = np.full((len(visits), real_pet.shape[1]), np.nan)
        for rows, table, held_out in _sources(visits, dataset, method, fold, synthetic, inner):
            if not rows.any():
                continue
            if held_out:
                made = made_pet(table, method, held_out, everyone, folds)
                pet[rows] = rows_of(made, visits[rows], f"PET of {method}")
            else:
                pet[rows] = rows_of(real_pet, visits[rows], "real PET")
        blocks.append(pet)
    if method == MRI_AGE_SEX:
        blocks.append(_age_and_sex(visits))
    values = np.hstack(blocks)
    return Experiment(
        train_visits=visits[~test],
        test_visits=visits[test],
        train=values[~test],
        test=values[test],
    )


def _sources(
    visits: pd.DataFrame,
    dataset: str,
    method: str,
    fold: int,
    synthetic: pd.DataFrame | None,
    inner: Mapping[int, pd.DataFrame] | None,
) -> Iterator[tuple[NDArray[np.bool_], pd.DataFrame | None, tuple[int, ...]]]:
    """Yield which visits take their PET from which table, and the folds that its maker held out.

    No table and no folds for the real PET.
    """
    test = (visits["fold"] == fold).to_numpy()
    if inner is not None:
        yield test, synthetic, (fold,)
        for other, table in inner.items():
            held_out = (other,) if method in NOT_LEARNT else (fold, other)
            yield (visits["fold"] == other).to_numpy(), table, held_out
        return
    if method == REAL_PET:
        from_model = np.zeros(len(visits), dtype=bool)
    elif dataset == PAIRED:
        from_model = test
    else:
        from_model = (visits["kind"] != "paired").to_numpy()
    yield ~from_model, None, ()
    yield from_model, synthetic, (fold,)


def _age_and_sex(visits: pd.DataFrame) -> NDArray:
    """Return (n, 2): age in years and the code of the sex, NaN where not known."""
    age = pd.to_numeric(visits["age"], errors="coerce")
    return np.column_stack([age, visits["sex"].map(SEX_CODES)]).astype(float)


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
