"""Intervals of PET by several trainings of one model that differ in their random numbers."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.datasets.gaps import measured
from mri2pet.evaluation.intervals import NOMINAL, crps_of_gaussian, enough_people
from mri2pet.evaluation.visit_intervals import VisitIntervals, bounds_of_quantiles, spread_scores

SMALLEST_SD = 1e-5  # of an intensity in 0..1: two trainings may agree in a voxel by chance

Array = NDArray[Any]
Made = tuple[pd.DataFrame, Sequence[Array]]  # rows of the visits' table; (rows, X, Y, Z) each


def mean_and_sd(volumes: Sequence[Array], inside: Array) -> tuple[Array, Array]:
    """Return mean and sd (ddof 1) over two volumes (X, Y, Z) or more of a mask's voxels, (V,)."""
    own = np.stack([volume[inside] for volume in volumes]).astype(np.float64)
    return own.mean(axis=0), np.maximum(own.std(axis=0, ddof=1), SMALLEST_SD)


def measure_ensemble(
    fold: int, pet: Array, mask: Array, seen: Array | None, held: Made, tested: Made
) -> tuple[tuple[pd.DataFrame, pd.DataFrame], dict[str, Any]]:
    """Measure the Gaussian intervals around the mean of several trainings.

    Trainings of other random numbers differ by less than they err: they have learnt from the same
    people. So their sd is multiplied by one temperature, the root mean square of errors over that
    of the sd, on people held out of the training, and with enough of them the intervals by a
    factor (`intervals.conformal_factors`).

    Parameters
    ----------
    fold
        That is held out.
    pet
        (N, X, Y, Z), of the dataset.
    mask
        (X, Y, Z) bool.
    seen
        (N, X, Y, Z) bool, what is measured; None for all.
    held
        Visits of people held out inside the training folds, and their PET by each training.
    tested
        As `selection.synthesis_rows` gives them, and likewise.

    Returns
    -------
    tables
        As `VisitIntervals.tables`.
    calibration : dict
        `temperatures` (one), `factors`, `conformal`.
    """
    from scipy.stats import norm

    reach = {share: float(norm.ppf((1 + share) / 2)) for share in NOMINAL}
    found, squares = VisitIntervals(fold), np.zeros(2)
    inside_training = []
    for place, visit in enumerate(held[0].itertuples(index=False)):
        inside = measured(mask, seen, visit.index)
        mean, sd = mean_and_sd([made[place] for made in held[1]], inside)
        real = pet[visit.index][inside]
        squares += [np.mean((real - mean) ** 2), np.mean(sd**2)]
        inside_training.append((visit.subject, real, mean, sd))
    temperature = math.sqrt(squares[0] / squares[1]) if inside_training else 1.0
    enough = held[0]["subject"].nunique() >= enough_people(max(NOMINAL))
    for subject, real, mean, sd in inside_training if enough else []:
        found.calibrate(subject, real, mean, bounds_of_quantiles(mean, temperature * sd, reach))
    for place, visit in enumerate(tested[0].itertuples(index=False)):
        if visit.role != "test":
            continue
        inside = measured(mask, seen, visit.index)
        mean, sd = mean_and_sd([made[place] for made in tested[1]], inside)
        real, wide = pet[visit.index][inside], temperature * sd
        scores = {"CRPS": crps_of_gaussian(mean, wide, real), **spread_scores(mean, wide, real)}
        key = {"subject": visit.subject, "visit": visit.visit, "group": visit.group}
        found.test(key, real, mean, bounds_of_quantiles(mean, wide, reach), scores)
    factors = {f"{share:g}": factor for share, factor in found.factors().items()}
    calibration = {"temperatures": [temperature], "factors": factors, "conformal": enough}
    return found.tables(), calibration
