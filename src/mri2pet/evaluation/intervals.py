"""Intervals of synthetic PET: how much they hold, how wide they are, and what sets that right.

An interval of a visit's PET is a lower and an upper volume around a centre. Its *factor* multiplies
both distances from the centre. The factor of a nominal share is chosen on people held out of the
training by conformal risk control (Angelopoulos, Bates, Fisch, Lei and Schuster 2022, arXiv
2208.02814): a new person's mean share outside is at most one minus the nominal share, whatever the
distribution, if people are exchangeable. For that it counts one more person who is missed whole, so
that with n people it holds up to 2 / (n + 1) more than is asked. Beside it the factor that holds
the nominal share of the same people on average, without a guarantee (as recalibration by Kuleshov,
Fenner and Ermon 2018, arXiv 1807.00263).
"""

import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

NOMINAL = (0.5, 0.8, 0.9, 0.95)  # shares that intervals should hold
# 4% apart, from a fifth to tenfold; 1 is among them
FACTORS = np.round(1.04 ** np.arange(-41, 60), 4)

Array = NDArray[Any]


def deviations(real: Array, centre: Array, low: Array, high: Array) -> Array:
    """Return by which factor each voxel's interval must be multiplied to reach the real value.

    Parameters
    ----------
    real, centre, low, high
        (...) values, low <= centre <= high.

    Returns
    -------
    ndarray
        (...), at least 0; infinite where an interval has no width on the side of the real value.
    """
    above = real > centre
    distance = np.where(above, real - centre, centre - real).astype(np.float64)
    reach = np.where(above, high - centre, centre - low).astype(np.float64)
    needed = np.full(distance.shape, np.inf)
    np.divide(distance, reach, out=needed, where=reach > 0)
    needed[distance <= 0] = 0.0
    return needed


def held_by_factor(
    real: Array, centre: Array, bounds: Mapping[float, tuple[Array, Array]]
) -> pd.DataFrame:
    """Measure the intervals of one visit, multiplied by every one of `FACTORS`.

    Parameters
    ----------
    real, centre
        (V,) values, such as the voxels of a brain.
    bounds
        Nominal share to lower and upper values, (V,) each.

    Returns
    -------
    DataFrame
        nominal, factor, coverage (share of values held), mean_width.
    """
    rows = []
    for nominal, (low, high) in bounds.items():
        needed = np.sort(deviations(real, centre, low, high))
        held = np.searchsorted(needed, FACTORS * (1 + 1e-9), side="right") / len(needed)
        width = float(np.mean(high - low, dtype=np.float64))
        rows.append(
            pd.DataFrame(
                {
                    "nominal": nominal,
                    "factor": FACTORS,
                    "coverage": held,
                    "mean_width": FACTORS * width,
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def enough_people(nominal: float) -> int:
    """Return how many people a factor of a nominal share needs: 19 for 95%."""
    return math.ceil(round(1 / (1 - nominal), 9)) - 1


def conformal_factors(
    held: pd.DataFrame, shares: Collection[float] = NOMINAL, missed: int = 1
) -> dict[float, float]:
    """Choose the factor of each nominal share on people held out of the training.

    The smallest factor for which (sum over n people of the share outside + 1) / (n + 1) is at most
    1 - nominal. A person's visits are averaged first: people are exchangeable, visits are not.

    Parameters
    ----------
    held
        subject and the columns of `held_by_factor`.
    shares
        Nominal shares that a factor is wanted for.
    missed
        People, beside them, who count as missed whole: the 1 above. With 0 the factor holds the
        nominal share of these people on average and guarantees nothing of others.

    Returns
    -------
    dict
        Nominal share to factor. Where people are fewer than the widest interval needs
        (`enough_people`), 1 for all: the shares then stay as the distribution has them.
    """
    people = held["subject"].nunique() if len(held) else 0
    if people < enough_people(max(NOMINAL)):
        return dict.fromkeys(shares, 1.0)
    by_person = held.groupby(["nominal", "factor", "subject"])["coverage"].mean()
    outside = (1 - by_person).groupby(["nominal", "factor"]).sum()
    bound = (outside + missed) / (people + missed)
    factors = {}
    for share in shares:
        own = bound.loc[share].sort_index()
        good = own.index[own.to_numpy() <= 1 - share + 1e-12]
        factors[share] = float(good[0] if len(good) else own.index[-1])
    return factors


def with_chosen(
    held: pd.DataFrame, factors: Mapping[float, float], column: str = "chosen"
) -> pd.DataFrame:
    """Mark the rows of the chosen factor, in a column of 0 and 1."""
    wanted = held["nominal"].map(dict(factors))
    return held.assign(**{column: np.isclose(held["factor"], wanted).astype(int)})


def crps_of_draws(draws: Array, real: Array) -> float:
    """Return the mean continuous ranked probability score of values given draws of each.

    E|X - y| - E|X - X'| / 2, the second over pairs of different draws, so that the number of draws
    does not bias it (Ferro 2014). In the unit of the values; less is better. Of one draw it is the
    absolute error.

    Parameters
    ----------
    draws
        (K, V), K at least 2.
    real
        (V,).
    """
    ordered = np.sort(draws, axis=0).astype(np.float64)
    count = len(ordered)
    error = np.abs(ordered - real).mean(axis=0)
    weights = 2 * np.arange(1, count + 1) - count - 1
    spread = np.tensordot(weights, ordered, 1) * 2 / (count * (count - 1))
    return float(np.mean(error - spread / 2))


def crps_of_gaussian(mean: Array, sd: Array, real: Array) -> float:
    """Return the mean CRPS of values under Gaussians (Gneiting and Raftery 2007, equation 21)."""
    from scipy.stats import norm

    z = (np.asarray(real, np.float64) - mean) / sd
    each = sd * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / math.sqrt(math.pi))
    return float(np.mean(each))


def crps_of_student(mean: Array, scale: Array, freedom: float, real: Array) -> float:
    """Return the mean CRPS of values under Student's t (Jordan, Krueger and Lerch 2019).

    `freedom` is above 1.
    """
    from scipy.special import beta
    from scipy.stats import t

    z = (np.asarray(real, np.float64) - mean) / scale
    own = z * (2 * t.cdf(z, freedom) - 1)
    own += 2 * t.pdf(z, freedom) * (freedom + z**2) / (freedom - 1)
    own -= (
        2 * math.sqrt(freedom) / (freedom - 1)
        * beta(0.5, freedom - 0.5) / beta(freedom / 2, 0.5) ** 2
    )  # fmt: skip
    return float(np.mean(scale * own))


def error_over_sd(error: Array, sd: Array) -> float:
    """Return the root mean square of errors over that of what they were said to be: 1 if honest."""
    said = float(np.mean(np.square(sd, dtype=np.float64)))
    made = float(np.mean(np.square(error, dtype=np.float64)))
    return math.sqrt(made / said) if said > 0 else math.nan


def error_sd_correlation(error: Array, sd: Array) -> float:
    """Return Spearman's correlation of absolute error and sd over voxels; NaN where one is flat."""
    if np.ptp(sd) == 0 or np.ptp(error) == 0:
        return math.nan
    # scipy.stats takes longer to import than the scores of a fold take.
    ranks = [pd.Series(each).rank() for each in (np.abs(error), sd)]
    return float(np.corrcoef(*ranks)[0, 1])
