"""Diagnosis and regional errors of one method with uptake on other scales (`scaling`)."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from numpy.typing import NDArray

from mri2pet.diagnosis.experiments import PAIRED, assemble
from mri2pet.diagnosis.scaling import Anatomy, on_scale, regional_error
from mri2pet.diagnosis.svm import Settings, diagnose


@dataclass(frozen=True)
class Images:
    """Some visits' PET and its features.

    Attributes
    ----------
    features
        Long, as `features.feature_table` makes them.
    visits
        Row `i` belongs to `images[i]`: index and more.
    images
        (M, X, Y, Z); a list of memory-mapped volumes will do.
    """

    features: pd.DataFrame
    visits: pd.DataFrame
    images: Sequence[NDArray]

    def on(self, scale: str, anatomy: Anatomy, seen: NDArray | None = None) -> pd.DataFrame:
        """Return the features on another scale."""
        return on_scale(scale, self.features, self.visits, self.images, anatomy, seen)


def diagnose_on_scale(
    scale: str,
    method: str,
    tables: tuple[pd.DataFrame, pd.DataFrame],
    real: Images,
    made: Sequence[Images],
    anatomy: Anatomy,
    settings: Settings,
    seed: int,
    count: int,
    seen: NDArray | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Diagnose the held-out visits of all folds, and measure the synthetic PET's regions.

    Parameters
    ----------
    scale
        One of `methods.SCALES`.
    method
        Its name.
    tables
        Visits and folds of the dataset, as `experiments.assemble` takes them.
    real
        Of the dataset's paired visits; its features hold those of the MRI of all visits, too.
    made
        Of the method's PET, one a fold; none for real PET.
    anatomy, seen
        As for `scaling.on_scale`.
    settings, seed
        Of the classifier.
    count
        Number of folds.

    Returns
    -------
    predictions, errors
        As `svm.diagnose` and `scaling.regional_error` make them, with the columns `fold` and
        `scale`. No errors of real PET.
    """
    visits, folds = tables
    of_real = real.on(scale, anatomy, seen)
    of_made = [each.on(scale, anatomy) for each in made]
    groups = (settings.positive, settings.negative)
    predictions, errors = [], []
    for fold in range(count):
        own = of_made[fold] if of_made else None
        experiment = assemble(PAIRED, method, fold, visits, folds, of_real, own, groups)
        predictions.append(diagnose(experiment, settings, fold, seed))
        if own is not None:
            tested = own[own["kind"] == "paired"]
            errors.append(regional_error(of_real, tested).assign(fold=fold))
    columns = ["index", "subject", "visit", "group", "value", "fold"]
    found = pd.concat(errors, ignore_index=True) if errors else pd.DataFrame(columns=columns)
    return pd.concat(predictions, ignore_index=True).assign(scale=scale), found.assign(scale=scale)
