"""Means over folds, paired tests, and the correction for several of them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def mean_and_sd(values: pd.Series) -> tuple[float, float]:
    """Mean and sample standard deviation (ddof 1) of what is defined; NaN where undefined."""
    values = values.dropna()
    mean = float(values.mean()) if len(values) else np.nan
    sd = float(values.std(ddof=1)) if len(values) > 1 else np.nan
    return mean, sd


def paired_t_test(first: pd.Series, second: pd.Series) -> float:
    """Two-tailed p of the paired t-test (scipy.stats.ttest_rel), pairs matched by index.

    Pairs of which one is missing are left out. NaN with fewer than two pairs, or when all
    differences are equal: the test is not defined there.
    """
    from scipy.stats import ttest_rel

    pairs = pd.concat([first, second], axis=1, join="inner")
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    differences = pairs.iloc[:, 0] - pairs.iloc[:, 1]
    # rounding makes equal differences differ in the last digits, and p would be noise
    if len(pairs) < 2 or np.ptp(differences) <= 1e-12 * np.abs(pairs.to_numpy()).max():
        return np.nan
    return float(ttest_rel(pairs.iloc[:, 0], pairs.iloc[:, 1]).pvalue)


def wilcoxon_test(first: pd.Series, second: pd.Series) -> float:
    """Two-tailed p of the Wilcoxon signed-rank test (scipy.stats.wilcoxon), pairs matched by index.

    Pairs of which one is missing are left out, and those without a difference are dropped
    (Wilcoxon's own way). NaN where no pair differs. `smallest_wilcoxon_p` says how small p can be.
    """
    from scipy.stats import wilcoxon

    differences = _nonzero_differences(first, second)
    return float(wilcoxon(differences).pvalue) if len(differences) else np.nan


def smallest_wilcoxon_p(first: pd.Series, second: pd.Series) -> float:
    """Return the p that `wilcoxon_test` would give, had all differences of these pairs one sign.

    Of n pairs that differ it is 2^(1 - n), exactly; so six are needed for p < 0.05. With ties among
    the sizes of differences scipy goes over all 2^n signs up to 13 pairs, which gives the same, and
    takes the normal distribution for more; that is also what it does with more than 50 pairs.
    """
    from scipy.stats import wilcoxon

    differences = _nonzero_differences(first, second)
    return float(wilcoxon(np.abs(differences)).pvalue) if len(differences) else np.nan


def _nonzero_differences(first: pd.Series, second: pd.Series) -> np.ndarray:
    """Return first minus second of the pairs, matched by index, that are known and differ."""
    pairs = pd.concat([first, second], axis=1, join="inner")
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    differences = (pairs.iloc[:, 0] - pairs.iloc[:, 1]).to_numpy()
    return differences[differences != 0]


def mcnemar_test(first: pd.Series, second: pd.Series) -> float:
    """Two-tailed p of McNemar's exact test over subjects (scipy.stats.binomtest).

    A subject counts once. Discordant is one of whom one method calls more visits rightly than the
    other; with a visit each that is McNemar's own. Under equality each method wins half of them. 1
    where nobody is discordant, NaN without a subject that both were tested on.

    Parameters
    ----------
    first, second
        Share of a subject's visits that is called rightly, 0..1, by subject.
    """
    from scipy.stats import binomtest

    pairs = pd.concat([first, second], axis=1, join="inner").dropna()
    if pairs.empty:
        return np.nan
    difference = (pairs.iloc[:, 0] - pairs.iloc[:, 1]).to_numpy()
    wins, losses = int((difference > 1e-9).sum()), int((difference < -1e-9).sum())
    return float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0


def corrected_t_test(first: pd.Series, second: pd.Series, ratio: float) -> float:
    """Two-tailed p of the paired t-test over folds, corrected for shared training people.

    Any two folds share most of their training people, so that their differences are not
    independent: the variance of the mean is taken as s^2 (1/k + n_test / n_train) in place of
    s^2 / k (Nadeau and Bengio 2003, Machine Learning 52, equation 9 and section 4.2).

    Parameters
    ----------
    first, second
        By fold; folds of which one is missing are left out.
    ratio
        People tested in a fold over people trained on.

    Returns
    -------
    NaN with fewer than two folds, or when all differences are equal.
    """
    from scipy.stats import t

    pairs = pd.concat([first, second], axis=1, join="inner")
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    differences = (pairs.iloc[:, 0] - pairs.iloc[:, 1]).to_numpy()
    k = len(differences)
    if k < 2 or np.ptp(differences) <= 1e-12 * np.abs(pairs.to_numpy()).max():
        return np.nan
    error = np.sqrt(differences.var(ddof=1) * (1 / k + ratio))
    return float(2 * t.sf(abs(differences.mean()) / error, k - 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct the p values of a family of tests (Holm 1979); what is missing stays so.

    The i-th smallest of m is multiplied by m - i + 1, none ends below a smaller one's, nor above
    1: the chance of one false finding or more in the family stays below the level.
    """
    given = np.asarray(p_values, dtype=float)
    order = np.argsort(given)[: int(np.isfinite(given).sum())]
    steps = given[order] * np.arange(len(order), 0, -1)
    corrected = np.full(given.shape, np.nan)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected.tolist()


def best_of(means: dict[str, float], higher_is_better: bool) -> str | None:
    """Name of the best mean; the first of equals; None if none is defined."""
    defined = {name: mean for name, mean in means.items() if not np.isnan(mean)}
    if not defined:
        return None
    return (max if higher_is_better else min)(defined, key=lambda name: defined[name])
