"""The numbers by which the papers judge a diagnosis: six of GLA-GAN, three of DUAL-GLOW."""

import numpy as np
from numpy.typing import ArrayLike

METRICS = ("accuracy", "sensitivity", "specificity", "F1", "MCC", "AUC")
UNIT = "fraction"
ERRORS = (
    "accuracy",
    "false negative rate",
    "false positive rate",
    "false negatives of all",
    "false positives of all",
)
ERRORS_LOWER_IS_BETTER = frozenset(ERRORS[1:])


def classification_metrics(
    truth: ArrayLike, predicted: ArrayLike, score: ArrayLike
) -> dict[str, float]:
    """Score one test fold.

    Parameters
    ----------
    truth, predicted
        (n,) booleans, true for the positive class.
    score
        (n,) decision values, higher for the positive class; only their order counts.

    Returns
    -------
    Accuracy, sensitivity, specificity, F1, MCC and AUC as fractions. What a fold cannot tell is
    NaN, never zero: all of it without visits, sensitivity and F1 without a positive visit,
    specificity without a negative one, MCC and AUC with one class alone. With both classes present
    and all visits called the same, MCC is 0, its limit.
    """
    truth = np.asarray(truth, dtype=bool)
    predicted = np.asarray(predicted, dtype=bool)
    tp = float(np.sum(truth & predicted))
    tn = float(np.sum(~truth & ~predicted))
    fp = float(np.sum(~truth & predicted))
    fn = float(np.sum(truth & ~predicted))
    both = 0 < truth.sum() < truth.size
    return {
        "accuracy": _ratio(tp + tn, truth.size),
        "sensitivity": _ratio(tp, tp + fn),
        "specificity": _ratio(tn, tn + fp),
        "F1": _ratio(2 * tp, 2 * tp + fp + fn) if truth.any() else np.nan,
        "MCC": _mcc(tp, tn, fp, fn) if both else np.nan,
        "AUC": auc(truth, np.asarray(score, dtype=float)) if both else np.nan,
    }


def error_rates(truth: ArrayLike, predicted: ArrayLike) -> dict[str, float]:
    """Score one test fold as DUAL-GLOW's Table 2 does.

    Parameters
    ----------
    truth, predicted
        (n,) booleans, true for the positive class.

    Returns
    -------
    Accuracy; false negative rate (of the positive visits, those called negative) and false
    positive rate (of the negative ones, those called positive); both kinds of error as shares of
    all visits, which with the accuracy add up to one. A rate without a visit of its class is NaN,
    and so is all of it without visits.
    """
    truth = np.asarray(truth, dtype=bool)
    predicted = np.asarray(predicted, dtype=bool)
    missed, alarms = float(np.sum(truth & ~predicted)), float(np.sum(~truth & predicted))
    values = (
        _ratio(float(np.sum(truth == predicted)), truth.size),
        _ratio(missed, truth.sum()),
        _ratio(alarms, np.sum(~truth)),
        _ratio(missed, truth.size),
        _ratio(alarms, truth.size),
    )
    return dict(zip(ERRORS, values, strict=True))


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else np.nan


def _mcc(tp: float, tn: float, fp: float, fn: float) -> float:
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return (tp * tn - fp * fn) / np.sqrt(product) if product else 0.0


def auc(truth: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve as the Mann-Whitney statistic, ties counted half."""
    from scipy.stats import rankdata

    if np.isnan(score).any():
        return np.nan
    positives, negatives = int(truth.sum()), int((~truth).sum())
    rank_sum = rankdata(score)[truth].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))
