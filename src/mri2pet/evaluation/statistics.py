"""Means over folds and paired tests."""

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
    (Wilcoxon's own way). NaN where no pair differs. Of n pairs the smallest p is 2^(1 - n): six
    pairs or more are needed for p < 0.05.
    """
    from scipy.stats import wilcoxon

    pairs = pd.concat([first, second], axis=1, join="inner")
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    differences = (pairs.iloc[:, 0] - pairs.iloc[:, 1]).to_numpy()
    differences = differences[differences != 0]
    if not len(differences):
        return np.nan
    return float(wilcoxon(differences).pvalue)


def best_of(means: dict[str, float], higher_is_better: bool) -> str | None:
    """Name of the best mean; the first of equals; None if none is defined."""
    defined = {name: mean for name, mean in means.items() if not np.isnan(mean)}
    if not defined:
        return None
    return (max if higher_is_better else min)(defined, key=lambda name: defined[name])
