"""Intervals of shares and counts by resampling people, also where all people are alike."""

import numpy as np
from numpy.typing import NDArray

from mri2pet.evaluation.resampling import FEWEST, LEVEL, interval, weighted_mean

Estimate = tuple[float, float, float]  # mean, low, high


def share_interval(values: NDArray, weights: NDArray, subjects: int) -> Estimate:
    """Return a mean of values between 0 and 1 over people, and its 95% interval.

    Where all people are alike, as where all lesions are found or none, resamples cannot differ:
    `alike` then gives the ends.

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
    mean, low, high = _resampled(values, weights, subjects)
    return mean, *alike(mean, low, high, subjects)


def crossed_interval(
    values: NDArray, weights: NDArray, others: NDArray, subjects: int, least: float = 0.0
) -> Estimate:
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
    least
        The smallest value that there can be: 0, or -1 of differences.
    """
    if not values.size:
        return np.nan, np.nan, np.nan
    mean = _mean(values.mean(axis=1))
    low, high = map(float, interval(_both(values, weights, others), subjects))
    return mean, *alike(mean, low, high, subjects, least)


def alike(
    mean: float, low: float, high: float, people: int, least: float = 0.0
) -> tuple[float, float]:
    """Return the ends of an interval; exact ones where all people are alike, so that it has none.

    Of n people none differs from the mean. With 97.5% confidence then no more than
    1 - .025^(1/n) of all people do (Clopper and Pearson 1934, Biometrika 26), and those have at
    worst `least`, or 1.
    """
    if np.isfinite(low) or not np.isfinite(mean) or people < FEWEST:
        return low, high
    reach = 1 - ((1 - LEVEL) / 2) ** (1 / people)
    return (1 - reach) * mean + reach * least, (1 - reach) * mean + reach


def count_interval(values: NDArray, weights: NDArray, subjects: int) -> Estimate:
    """Return a mean number of something a person, and its 95% interval.

    Where all have as many, it is that of a Poisson variable (Garwood 1936, Biometrika 28).

    Parameters
    ----------
    values, weights, subjects
        As for `share_interval`; values (m,) of 0 and more.
    """
    from scipy.stats import chi2

    mean, low, high = _resampled(values, weights, subjects)
    if np.isnan(low) and subjects >= FEWEST and np.isfinite(mean):
        total = mean * subjects
        low = float(chi2.ppf((1 - LEVEL) / 2, 2 * total)) / 2 / subjects if total else 0.0
        high = float(chi2.ppf((1 + LEVEL) / 2, 2 * total + 2)) / 2 / subjects
    return mean, low, high


def difference_interval(values: NDArray, weights: NDArray, subjects: int) -> Estimate:
    """Return a mean difference of shares, -1 to 1, over people, and its 95% interval."""
    mean, low, high = _resampled(values, weights, subjects)
    return mean, *alike(mean, low, high, subjects, least=-1.0)


def _resampled(values: NDArray, weights: NDArray, subjects: int) -> Estimate:
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
