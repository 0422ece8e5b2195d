"""The numbers by which the papers judge a diagnosis: six of GLA-GAN, three of DUAL-GLOW.

Each is computed for many sets of weights of the visits at once, so that what is printed (weights of
one) and its resamples come from one function.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mri2pet.evaluation.comparison import Parts

AUC = "AUC"
METRICS = ("accuracy", "sensitivity", "specificity", "F1", "MCC", AUC)
UNIT = "fraction"
ERRORS = (
    "accuracy",
    "false negative rate",
    "false positive rate",
    "false negatives of all",
    "false positives of all",
)
ERRORS_LOWER_IS_BETTER = frozenset(ERRORS[1:])


def metric_parts(
    truth: ArrayLike, predicted: ArrayLike, score: ArrayLike, weights: NDArray
) -> dict[str, Parts]:
    """Score one test fold for B sets of weights.

    Parameters
    ----------
    truth, predicted
        (n,) booleans, true for the positive class.
    score
        (n,) decision values, higher for the positive class; only their order counts.
    weights
        (B, n), how often each visit counts.

    Returns
    -------
    Accuracy, sensitivity, specificity, F1, MCC and AUC as fractions. What a fold cannot tell is
    not defined, and never zero: all of it without visits, sensitivity and F1 without a positive
    visit, specificity without a negative one, MCC and AUC with one class alone. With both classes
    present and all visits called the same, MCC is 0, its limit.
    """
    truth, predicted = np.asarray(truth, dtype=bool), np.asarray(predicted, dtype=bool)
    tp, tn, fp, fn = _counts(truth, predicted, weights)
    f1 = np.where(tp + fn > 0, _ratio(2 * tp, 2 * tp + fp + fn), np.nan)
    return {
        "accuracy": Parts.of(_ratio(tp + tn, tp + tn + fp + fn)),
        "sensitivity": Parts.of(_ratio(tp, tp + fn)),
        "specificity": Parts.of(_ratio(tn, tn + fp)),
        "F1": Parts.of(f1),
        "MCC": Parts.of(_mcc(tp, tn, fp, fn)),
        AUC: auc_parts(truth, score, weights),
    }


def auc_parts(truth: ArrayLike, score: ArrayLike, weights: NDArray) -> Parts:
    """Score one test fold by the area under the ROC curve (`pairs`), for B sets of weights."""
    counts = pairs(np.asarray(truth, dtype=bool), np.asarray(score, dtype=float), weights)
    return Parts(*(count[:, None] for count in counts))


def classification_metrics(
    truth: ArrayLike, predicted: ArrayLike, score: ArrayLike
) -> dict[str, float]:
    """Score one test fold: `metric_parts` with every visit counted once; NaN if not defined."""
    return _once(metric_parts(truth, predicted, score, np.ones((1, np.size(truth)))))


def error_parts(truth: ArrayLike, predicted: ArrayLike, weights: NDArray) -> dict[str, Parts]:
    """Score one test fold as DUAL-GLOW's Table 2 does, for B sets of weights.

    Parameters
    ----------
    truth, predicted
        (n,) booleans, true for the positive class.
    weights
        (B, n), how often each visit counts.

    Returns
    -------
    Accuracy; false negative rate (of the positive visits, those called negative) and false
    positive rate (of the negative ones, those called positive); both kinds of error as shares of
    all visits, which with the accuracy add up to one. A rate without a visit of its class is not
    defined, and neither is any of it without visits.
    """
    truth, predicted = np.asarray(truth, dtype=bool), np.asarray(predicted, dtype=bool)
    tp, tn, fp, fn = _counts(truth, predicted, weights)
    total = tp + tn + fp + fn
    values = (
        _ratio(tp + tn, total),
        _ratio(fn, tp + fn),
        _ratio(fp, tn + fp),
        _ratio(fn, total),
        _ratio(fp, total),
    )
    return dict(zip(ERRORS, map(Parts.of, values), strict=True))


def error_rates(truth: ArrayLike, predicted: ArrayLike) -> dict[str, float]:
    """Score one test fold: `error_parts` with every visit counted once; NaN if not defined."""
    return _once(error_parts(truth, predicted, np.ones((1, np.size(truth)))))


def pairs(truth: NDArray, score: NDArray, weights: NDArray) -> tuple[NDArray, NDArray]:
    """Count the pairs of a positive and a negative visit, and those in the right order.

    Their ratio is the area under the ROC curve (the Mann-Whitney statistic). Summed over folds it
    is the area over pairs within folds: scores of two classifiers are on scales of their own, and a
    pair across folds would compare these (Forman and Scholz 2010, SIGKDD Explorations 12).

    Parameters
    ----------
    truth, score
        (n,) booleans and decision values.
    weights
        (B, n), how often each visit counts.

    Returns
    -------
    ordered, all : array (B,)
        A tie is half in order. Both are zero where a score is missing.
    """
    truth, score = np.asarray(truth, dtype=bool), np.asarray(score, dtype=float)
    if np.isnan(score).any():
        return np.zeros(len(weights)), np.zeros(len(weights))
    high, low = score[truth][:, None], score[~truth][None, :]
    order = (high > low) + 0.5 * (high == low)
    positive, negative = weights[:, truth], weights[:, ~truth]
    ordered = np.einsum("bn,bn->b", positive @ order, negative)
    return ordered, positive.sum(axis=1) * negative.sum(axis=1)


def _once(parts: dict[str, Parts]) -> dict[str, float]:
    return {name: float(part.value()[0]) for name, part in parts.items()}


def _counts(truth: NDArray, predicted: NDArray, weights: NDArray) -> list[NDArray]:
    """Count true positives, true negatives, false positives and false negatives, (B,) each."""
    kinds = (truth & predicted, ~truth & ~predicted, ~truth & predicted, truth & ~predicted)
    return [weights @ kind.astype(float) for kind in kinds]


def _ratio(part: NDArray, whole: NDArray) -> NDArray:
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)


def _mcc(tp: NDArray, tn: NDArray, fp: NDArray, fn: NDArray) -> NDArray:
    both = (tp + fn > 0) & (tn + fp > 0)
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    limit = np.where(both, 0.0, np.nan)
    return np.divide(tp * tn - fp * fn, np.sqrt(product), out=limit, where=product > 0)
