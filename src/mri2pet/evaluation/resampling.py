"""Intervals by resampling subjects: what is drawn is a person, with all visits and all rows.

Visits of one person are alike, so that resampling visits would make intervals too narrow.
Everything is done with weights: a resample is how often each subject was drawn, and a statistic
that takes weights gives its value of all resamples at once.
"""

from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

RESAMPLES = 2000
SEED = 1979
LEVEL = 0.95
FEWEST = 4  # subjects of a group: fewer do not tell how subjects differ; there is no interval


def subject_weights(subjects: pd.Series, groups: pd.Series | None = None) -> NDArray[np.float64]:
    """Draw subjects with replacement; return how often that of each row was drawn.

    The same subjects and groups have the same draws, in whatever order their rows stand: two
    methods measured on the same people can be compared resample by resample.

    Parameters
    ----------
    subjects
        (n,) subject of each row.
    groups
        (n,) group of each row: as many are drawn of each group as there are in it. A subject whose
        rows differ counts for the first by name. None: all are drawn together.

    Returns
    -------
    (RESAMPLES, n) counts.
    """
    codes, strata = _strata(subjects, groups)
    order = np.argsort(strata, kind="stable")
    counts = np.empty((RESAMPLES, len(strata)))
    counts[:, order] = _draws(tuple(np.unique(strata, return_counts=True)[1]))
    return counts[:, codes]


def smallest_group(subjects: pd.Series, groups: pd.Series | None = None) -> int:
    """Return the number of subjects of the smallest group that `subject_weights` draws from."""
    return int(np.unique(_strata(subjects, groups)[1], return_counts=True)[1].min())


def _strata(
    subjects: pd.Series, groups: pd.Series | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of each row's subject, by name, and the group of each subject."""
    codes, people = pd.factorize(subjects, sort=True)
    strata = np.zeros(len(people), dtype=np.int64)
    if groups is not None:
        ranks = pd.factorize(groups, sort=True)[0]
        strata = pd.Series(ranks).groupby(codes).min().to_numpy()
    return codes, strata


@lru_cache(maxsize=8)
def _draws(sizes: tuple[int, ...]) -> NDArray[np.float64]:
    """Draw of each stratum as many as it has; (RESAMPLES, all) counts."""
    rng = np.random.default_rng(SEED)
    return np.hstack([rng.multinomial(n, np.full(n, 1 / n), RESAMPLES) for n in sizes]).astype(
        float
    )


def weighted_mean(values: NDArray, weights: NDArray) -> NDArray[np.float64]:
    """Average what is defined, by weight.

    Parameters
    ----------
    values
        (n,) or (n, k).
    weights
        (B, n).

    Returns
    -------
    (B,) or (B, k); NaN where nothing that is defined has a weight.
    """
    values = np.asarray(values, dtype=float)
    defined = np.isfinite(values)
    total = weights @ defined.astype(float)
    summed = weights @ np.where(defined, values, 0.0)
    return np.divide(summed, total, out=np.full(total.shape, np.nan), where=total > 0)


def interval(resampled: NDArray, subjects: int) -> tuple[NDArray, NDArray]:
    """Return the 95% interval of a statistic from its values over the resamples.

    Percentiles, widened by Student's distribution: a bootstrap of n people is too narrow by
    sqrt((n - 1) / n) and knows no uncertainty of its own spread (Hesterberg 2015, The American
    Statistician 69, "expanded percentile interval").

    Parameters
    ----------
    resampled
        (B,) values, or (B, k) of k statistics; those that are not defined are left out.
    subjects
        How many were resampled; of groups, the number in the smallest.

    Returns
    -------
    low, high : array () or (k,)
        NaN with fewer than `FEWEST` subjects, where no resample has a value, or where all have the
        same: that all of a few people are called rightly does not make it certain.
    """
    from scipy.stats import norm, t

    none = np.full(resampled.shape[1:], np.nan)
    if subjects < FEWEST:
        return none, none
    reach = np.sqrt(subjects / (subjects - 1)) * t.ppf((1 + LEVEL) / 2, subjects - 1)
    ends = [float(norm.cdf(-reach)), float(norm.cdf(reach))]
    if np.isfinite(resampled).all():
        low, high = np.quantile(resampled, ends, axis=0)
    else:
        values = [own[np.isfinite(own)] for own in np.atleast_2d(resampled.T)]
        found = [np.quantile(own, ends) if len(own) else [np.nan, np.nan] for own in values]
        low, high = np.reshape(np.transpose(found), (2, *none.shape))
    same = high - low <= 1e-12 * np.abs(high)
    return np.where(same, np.nan, low), np.where(same, np.nan, high)


def bootstrap_test(first: NDArray, second: NDArray, subjects: int) -> float:
    """Two-tailed p of two statistics being equal, from the same resamples of the same subjects.

    Twice the share of resamples in which the difference has the other sign or is zero, counting
    the data at hand as one more (Davison and Hinkley 1997, section 4.2). A few people who all
    differ in one way give no resample that does not; so p is never below 2^(1 - n), the least that
    an exact test of n people can give.

    Parameters
    ----------
    first, second
        (B,) values of both.
    subjects
        How many were resampled; of groups, the number in the smallest.

    Returns
    -------
    At most 1; NaN where no resample has both.
    """
    difference = first - second
    difference = difference[np.isfinite(difference)]
    if not len(difference):
        return np.nan
    tails = (1 + (difference <= 0).sum(), 1 + (difference >= 0).sum())
    p = 2 * min(tails) / (len(difference) + 1)
    return float(min(1.0, max(p, 2.0 ** (1 - subjects))))
