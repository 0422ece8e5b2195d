"""Intervals of shares and counts by resampling people, also where all people are alike."""

import numpy as np
from numpy.typing import NDArray

from mri2pet.evaluation.resampling import FEWEST, LEVEL, interval, weighted_mean

Estimate = tuple[float, float, float]  # mean, low, high


def share_interval(values: NDArray, weights: NDArray, subjects: int) -> Estimate:
    """Return a mean of values between 0 and 1 over people, and its 95% interval.

    Where all are 0 (or all 1), resamples cannot differ: the interval is then that of 0 (or n) found
    of n (Clopper and Pearson 1934, Biometrika 26).

    Parameters
    ----------
    values
        (m,), 0..1; those that are missing are left out.
    weights
        (B, m) of the resamples (`resampling.subject_weights`).
    subjects
        How many people were resampled.

    Returns
    -------
    Mean, low and high; low and high are NaN with fewer than `resampling.FEWEST`.
    """
    mean, low, high = difference_interval(values, weights, subjects)
    return mean, *alike(mean, low, high, subjects)


def crossed_interval(values: NDArray, weights: NDArray, others: NDArray, subjects: int) -> Estimate:
    """Return a mean over pairs of a person and another, and its 95% interval.

    People and others are drawn independently (Owen 2007, Annals of Applied Statistics 1).

    Parameters
    ----------
    values
        (m, c) of m people by c others; a person of whom one is missing is left out.
    weights, others
        (B, m) and (B, c).
    subjects
        The fewer of people and others.
    """
    if not values.size:
        return np.nan, np.nan, np.nan
    resampled = _both(values, weights, others)
    return _mean(values.mean(axis=1)), *map(float, interval(resampled, subjects))


def alike(mean: float, low: float, high: float, people: int) -> tuple[float, float]:
    """Return the interval of a share; of none or all found of n, where low is missing, theirs."""
    if np.isnan(low) and people >= FEWEST and mean in (0.0, 1.0):
        reach = 1 - ((1 - LEVEL) / 2) ** (1 / people)
        return (0.0, reach) if mean == 0 else (1 - reach, 1.0)
    return low, high


def count_interval(values: NDArray, weights: NDArray, subjects: int) -> Estimate:
    """Return a mean number of something a person, and its 95% interval.

    Where nobody has any, the upper end is that of no event in n people (Garwood 1936, Biometrika
    28).

    Parameters
    ----------
    values, weights, subjects
        As for `share_interval`; values (m,) of 0 and more.
    """
    mean = _mean(np.asarray(values, dtype=float))
    low, high = map(float, interval(weighted_mean(values, weights), subjects))
    if np.isnan(low) and subjects >= FEWEST and mean == 0:
        low, high = 0.0, float(-np.log((1 - LEVEL) / 2) / subjects)
    return mean, low, high


def difference_interval(values: NDArray, weights: NDArray, subjects: int) -> Estimate:
    """Return a mean difference over people and its 95% interval; NaN where resamples are alike."""
    mean = _mean(np.asarray(values, dtype=float))
    low, high = map(float, interval(weighted_mean(values, weights), subjects))
    return mean, low, high


def _mean(values: NDArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan


def _both(values: NDArray, weights: NDArray, others: NDArray) -> NDArray[np.float64]:
    """Return the weighted mean (B,) of values (m, c) over people and others of each resample."""
    known = np.isfinite(values).all(axis=1)
    total = weights[:, known].sum(axis=1) * others.sum(axis=1)
    summed = ((weights[:, known] @ values[known]) * others).sum(axis=1)
    return np.divide(summed, total, out=np.full(len(weights), np.nan), where=total > 0)
