"""The intervals and scores of one fold's visits, as they become two tables."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.errors import InputError
from mri2pet.evaluation.intervals import (
    NOMINAL,
    conformal_factors,
    error_over_sd,
    error_sd_correlation,
    held_by_factor,
    with_chosen,
)

BITS = ("bits per voxel", "bits per voxel, as drawn", "bits per voxel, sigma as learnt")
UNITS = {
    "CRPS": "intensity in 0..1",
    "error over sd": "1",
    "correlation of error and sd": "1",
    **dict.fromkeys(BITS, "bits"),
}
HELD_COLUMNS = (
    "fold", "subject", "visit", "group", "nominal", "factor", "chosen", "average", "coverage",
    "mean_width",
)  # fmt: skip
SCORE_COLUMNS = ("fold", "subject", "visit", "group", "metric", "unit", "value")

Array = NDArray[Any]
Bounds = Mapping[float, tuple[Array, Array]]


class VisitIntervals:
    """Collects the intervals of a fold's visits: those held out to calibrate on, and those tested.

    Parameters
    ----------
    fold
        Of all visits.
    """

    def __init__(self, fold: int) -> None:
        self.fold = fold
        self.calibrating: list[pd.DataFrame] = []
        self.tested: list[pd.DataFrame] = []
        self.scores: list[dict[str, Any]] = []

    def calibrate(self, subject: str, real: Array, centre: Array, bounds: Bounds) -> None:
        """Add a visit of a person held out of the training; parameters as for `test`."""
        self.calibrating.append(held_by_factor(real, centre, bounds).assign(subject=subject))

    def test(
        self,
        visit: Mapping[str, str],
        real: Array,
        centre: Array,
        bounds: Bounds,
        scores: Mapping[str, float],
    ) -> None:
        """Add a visit of the fold that is held out.

        Parameters
        ----------
        visit
            subject, visit, group.
        real, centre
            (V,) values of its voxels.
        bounds
            Nominal share to lower and upper values, (V,) each.
        scores
            A key of `UNITS` to value.
        """
        key = {"fold": self.fold, **visit}
        self.tested.append(held_by_factor(real, centre, bounds).assign(**key))
        self.scores += [
            key | {"metric": name, "unit": UNITS[name], "value": value}
            for name, value in scores.items()
        ]

    def factors(self, missed: int = 1) -> dict[float, float]:
        """Return the factor of each nominal share, as the people to calibrate on choose it.

        `missed` as for `conformal_factors`.
        """
        held = pd.concat(self.calibrating) if self.calibrating else pd.DataFrame()
        shares = dict.fromkeys(share for table in self.tested for share in table["nominal"])
        return conformal_factors(held, [*shares], missed)

    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the intervals by factor (`HELD_COLUMNS`), and the scores (`SCORE_COLUMNS`).

        `chosen` marks the factor in use, `average` the one that guarantees nothing.
        """
        held = pd.concat(self.tested) if self.tested else pd.DataFrame(columns=list(HELD_COLUMNS))
        if len(held):
            held = with_chosen(with_chosen(held, self.factors()), self.factors(0), "average")
        scores = pd.DataFrame(self.scores, columns=list(SCORE_COLUMNS))
        return held[list(HELD_COLUMNS)], scores


def ranks(count: int) -> dict[float, int]:
    """Return which order statistics of so many draws make intervals of about `NOMINAL` coverage.

    Of K draws and a new value, all exchangeable, that value lies between the r-th smallest and
    the r-th largest draw with probability 1 - 2r / (K + 1), whatever the distribution.

    Parameters
    ----------
    count
        K.

    Returns
    -------
    dict
        Probability to r, the widest interval last; of 39 draws it is `NOMINAL` exactly.

    Raises
    ------
    InputError
        For fewer than three draws.
    """
    if count < 3:
        raise InputError(f"synthesis.draws: {count} are too few for an interval")
    wanted = (round((1 - nominal) * (count + 1) / 2) for nominal in NOMINAL)
    chosen = [min(max(rank, 1), count // 2) for rank in wanted]
    return {round(1 - 2 * rank / (count + 1), 9): rank for rank in dict.fromkeys(chosen)}


def bounds_of_draws(draws: Array) -> tuple[Array, dict[float, tuple[Array, Array]]]:
    """Return the median of draws (K, V) and their intervals by nominal share (`ranks`)."""
    ordered = np.sort(draws, axis=0)
    bounds = {
        nominal: (ordered[rank - 1], ordered[-rank]) for nominal, rank in ranks(len(draws)).items()
    }
    return np.median(ordered, axis=0), bounds


def bounds_of_quantiles(
    centre: Array, scale: Array, quantiles: Mapping[float, float]
) -> dict[float, tuple[Array, Array]]:
    """Return intervals around a centre: nominal share to how many scales they reach.

    Parameters
    ----------
    centre, scale
        (V,).
    quantiles
        Nominal share to the distribution's quantile at (1 + share) / 2, for a scale of 1.
    """
    return {
        nominal: (centre - reach * scale, centre + reach * scale)
        for nominal, reach in quantiles.items()
    }


def spread_scores(mean: Array, sd: Array, real: Array) -> dict[str, float]:
    """Return how errors and what they were said to be go together, of one visit's voxels (V,)."""
    error = np.asarray(real, np.float64) - mean
    return {
        "error over sd": error_over_sd(error, sd),
        "correlation of error and sd": error_sd_correlation(error, sd),
    }
