"""ComBat of regional features: scanners' shift and spread are taken off, age and sex are kept.

ComBat (Johnson 2007, Biostatistics 8; of regional measures: Fortin 2018, NeuroImage 167) models a
feature as mean, covariates, and a shift and a factor of each scanner, which are shrunk over
features (pycombat). It is fitted on training people alone, without their diagnosis.

A scanner that training has not seen has no estimate there. Its own is made of its held-out visits
of the fold, by their features, age and sex, never their diagnosis; they are brought to where the
training people are, who stay as they are (as with a reference batch: Stein 2015, BMC Bioinformatics
16). What all people of a scanner have in common goes out with it, also where that is more disease.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.diagnosis.experiments import SEX_CODES, Experiment
from mri2pet.diagnosis.methods import MRI_AGE_SEX

log = logging.getLogger(__name__)

AGE, SEX = "age", "sex"
COVARIATES = (AGE, SEX)
TRAINING = "training people"  # as the one scanner that an unseen one is brought to


@dataclass(frozen=True)
class Harmonisation:
    """How it is done.

    Attributes
    ----------
    covariates
        Whose effect on a feature is kept: `age`, `sex`.
    fewest
        People of a scanner: with fewer, their features stay as they are.
    """

    covariates: Sequence[str] = COVARIATES
    fewest: int = 5


def harmonise(
    experiment: Experiment, scanners: pd.DataFrame, method: str, settings: Harmonisation
) -> Experiment:
    """Harmonise the features of one fold's training and test visits.

    Parameters
    ----------
    experiment
        Its visits have subject, visit, age and sex.
    scanners
        As `datasets.scanners.scanner_table` makes it; the MRI's scanner counts, of PET too.
    method
        Of `mri_age_sex` the last two features are age and sex, which are no measurement.
    settings
        See `Harmonisation`.

    Returns
    -------
    Experiment
        Of the same visits; what was missing stays missing. A visit of an unknown scanner, or of one
        with too few people, keeps its features.
    """
    rows = pd.concat([experiment.train_visits, experiment.test_visits], ignore_index=True)
    told = scanners.set_index(["subject", "visit"])["scanner"]
    keys = pd.MultiIndex.from_frame(rows[["subject", "visit"]].astype(str))
    batch = told.reindex(keys).fillna("").to_numpy(dtype=str)
    values = np.vstack([experiment.train, experiment.test])
    train = np.arange(len(rows)) < len(experiment.train)
    measured = np.ones(values.shape[1], dtype=bool)
    measured[values.shape[1] - 2 * (method == MRI_AGE_SEX) :] = False
    filled, missing = _filled(values, train), np.isnan(values)
    kept = _covariates(rows, train, settings.covariates)
    people = rows["subject"].to_numpy(dtype=str)

    def enough(part: NDArray[np.bool_]) -> list[str]:
        names = sorted(set(batch[part]) - {""})
        many = [n for n in names if len(set(people[part & (batch == n)])) >= settings.fewest]
        if few := sorted(set(names) - set(many)):
            log.warning(
                "fewer than %d people of %s: not harmonised", settings.fewest, ", ".join(few)
            )
        return many

    known = enough(train)
    if len(known) > 1:
        own = np.isin(batch, known)
        filled = _to_common(filled, batch, own, train, measured, kept)
    for name in enough(~train & ~np.isin(batch, known)):
        fitted = train & np.isin(batch, known)
        if fitted.any():
            own = ~train & (batch == name)
            log.info("%d held-out visits of %s, unseen in training, by themselves", own.sum(), name)
            filled = _to_training(filled, fitted, own, measured, kept)
    result = np.where(missing, np.nan, filled)
    return replace(experiment, train=result[train], test=result[~train])


def _to_common(
    values: NDArray,
    batch: NDArray[np.str_],
    own: NDArray[np.bool_],
    train: NDArray[np.bool_],
    measured: NDArray[np.bool_],
    kept: NDArray,
) -> NDArray[np.float64]:
    """Take off shift and factor of the scanners that training has seen, in training and test."""
    from pycombat import Combat

    fitted = own & train
    features = measured & _varying(
        values, [fitted & (batch == name) for name in set(batch[fitted])]
    )
    if not features.any():
        return values
    kept = _independent(kept, batch, fitted)
    block = values[:, features]
    model = Combat().fit(block[fitted], batch[fitted], X=_given(kept[fitted]))
    made = values.copy()
    made[np.ix_(own, features)] = model.transform(block[own], batch[own], X=_given(kept[own]))
    return made


def _to_training(
    values: NDArray,
    fitted: NDArray[np.bool_],
    own: NDArray[np.bool_],
    measured: NDArray[np.bool_],
    kept: NDArray,
) -> NDArray[np.float64]:
    """Bring the visits `own` of an unseen scanner to where the training visits `fitted` are.

    The training people are one scanner; what ComBat makes of the others is turned back by the shift
    and factor of the training people, who so stay where they were.
    """
    from pycombat import Combat

    features = measured & _varying(values, [fitted, own])
    if not features.any():
        return values
    both = fitted | own
    batch = np.where(fitted, TRAINING, "unseen")
    kept = _independent(kept, batch, both)
    block = values[:, features]
    model = Combat().fit(block[both], batch[both], X=_given(kept[both]))
    common = model.transform(block[both], batch[both], X=_given(kept[both]))[own[both]]
    place = list(model.batches_).index(TRAINING)
    middle = model.intercept_ + kept[own] @ model.coefs_x_ if kept.shape[1] else model.intercept_
    shift = np.sqrt(model.epsilon_) * model.gamma_[place]
    made = values.copy()
    factor = np.sqrt(model.delta_sq_[place])
    made[np.ix_(own, features)] = middle + (common - middle) * factor + shift
    return made


def _filled(values: NDArray, train: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Put the training mean where a feature is missing, zero where no training visit has it."""
    there = np.isfinite(values[train])
    total = np.where(there, values[train], 0.0).sum(axis=0)
    means = np.divide(total, there.sum(axis=0), out=np.zeros(len(total)), where=there.any(axis=0))
    return np.where(np.isnan(values), means, values)


def _covariates(
    rows: pd.DataFrame, train: NDArray[np.bool_], names: Sequence[str]
) -> NDArray[np.float64]:
    """Return (visits, covariates), standardised by the training visits; what is missing is 0."""
    columns = {
        AGE: lambda: pd.to_numeric(rows["age"], errors="coerce").to_numpy(dtype=float),
        SEX: lambda: rows["sex"].map(SEX_CODES).to_numpy(dtype=float),
    }
    found = []
    for name in names:
        column = columns[name]()
        known = column[train][np.isfinite(column[train])]
        if len(known) and known.std() > 0:
            found.append(np.nan_to_num((column - known.mean()) / known.std()))
    return np.column_stack(found) if found else np.empty((len(rows), 0))


def _independent(
    kept: NDArray, batch: NDArray[np.str_], rows: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Leave out covariates that, of these rows, the scanners and those before them tell already."""
    design = np.column_stack([batch[rows] == name for name in sorted(set(batch[rows]))]).astype(
        float
    )
    columns = []
    for place in range(kept.shape[1]):
        wider = np.column_stack([design, kept[rows, place]])
        if np.linalg.matrix_rank(wider) > design.shape[1] < rows.sum() - 1:
            design = wider
            columns.append(place)
    return kept[:, columns]


def _given(kept: NDArray) -> NDArray | None:
    """Return covariates as pycombat takes them: nothing where there are none."""
    return kept if kept.shape[1] else None


def _varying(values: NDArray, parts: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Tell which features differ between the visits of every part: the others have no spread."""
    return np.all([np.ptp(values[part], axis=0) > 0 for part in parts], axis=0)
