"""How well several groups are told apart: five numbers and the confusion matrix."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.diagnosis.multiclass import SCORE
from mri2pet.evaluation.classification import pairs
from mri2pet.evaluation.comparison import Parts
from mri2pet.evaluation.image_tables import COLUMNS, table_over_folds

METRICS = ("accuracy", "balanced accuracy", "macro F1", "macro AUC", "Cohen's kappa")
NO_PUBLISHED = pd.DataFrame(columns=["dataset", "model", "metric", "unit", "mean", "sd"])


def group_parts(visits: pd.DataFrame, groups: Sequence[str], weights: NDArray) -> dict[str, Parts]:
    """Score one test fold for B sets of weights.

    Parameters
    ----------
    visits
        One row a visit: truth predicted and `score_<group>` of every group.
    groups
        The groups told apart.
    weights
        (B, n), how often each visit counts.

    Returns
    -------
    Accuracy; balanced accuracy (mean recall of the groups); macro F1 (mean over groups); macro AUC
    (mean over groups of the area for that group against the rest, by its score); Cohen's kappa
    (agreement beyond chance). What a fold cannot tell is not defined: all of it without visits, all
    but accuracy and kappa unless every group has a visit, kappa with one group alone.
    """
    truth, called = (
        np.array([(visits[name] == group).to_numpy(dtype=float) for group in groups])
        for name in ("truth", "predicted")
    )
    counts = np.einsum("bn,gn,hn->bgh", weights, truth, called, optimize=True)
    total = weights.sum(axis=1)
    there, said = weights @ truth.T, weights @ called.T  # (B, groups)
    right = np.einsum("bgg->bg", counts)
    every = (there > 0).all(axis=1)
    agreed = _ratio(right.sum(axis=1), total)
    chance = _ratio((there * said).sum(axis=1), total**2)
    several = (there > 0).sum(axis=1) > 1
    kappa = _ratio(agreed - chance, np.where(several, 1 - chance, 0.0))
    recall, f1 = _ratio(right, there), _ratio(2 * right, there + said)
    areas = [
        pairs(truth[g] > 0, visits[f"{SCORE}{name}"], weights) for g, name in enumerate(groups)
    ]
    return {
        "accuracy": Parts.of(agreed),
        "balanced accuracy": Parts.of(np.where(every, recall.mean(axis=1), np.nan)),
        "macro F1": Parts.of(np.where(every, f1.mean(axis=1), np.nan)),
        "macro AUC": Parts(*(np.stack(part, axis=1) for part in zip(*areas, strict=True))),
        "Cohen's kappa": Parts.of(kappa),
    }


def group_metrics(visits: pd.DataFrame, groups: Sequence[str]) -> dict[str, float]:
    """Score one test fold: `group_parts` with every visit counted once; NaN if not defined."""
    parts = group_parts(visits, groups, np.ones((1, len(visits))))
    return {name: float(part.value()[0]) for name, part in parts.items()}


def _ratio(part: NDArray, whole: NDArray) -> NDArray:
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)


def three_way_table(
    predictions: pd.DataFrame, dataset: str, groups: Sequence[str], models: Sequence[str]
) -> pd.DataFrame:
    """Make the table of one dataset, of the form of Tables II and III (nothing is published).

    Parameters
    ----------
    predictions
        One row a visit: method subject fold truth predicted and the groups' scores.
    dataset
        Name of the dataset as printed.
    groups, models
        The groups told apart; the trained models in the order of the rows.
    """
    table = table_over_folds(
        predictions,
        dataset,
        lambda visits, weights: group_parts(visits, groups, weights),
        METRICS,
        models,
        NO_PUBLISHED,
    )
    return table[list(COLUMNS)]


def confusion(predictions: pd.DataFrame, groups: Sequence[str]) -> NDArray[np.int64]:
    """Count visits by true group (rows) and predicted group (columns), in the order of `groups`.

    Visits of all folds are pooled, each held out once; those without a prediction do not count.
    """
    place = {group: number for number, group in enumerate(groups)}
    made = predictions[predictions["predicted"].notna()]
    counts = np.zeros((len(groups), len(groups)), dtype=np.int64)
    np.add.at(counts, (made["truth"].map(place), made["predicted"].map(place)), 1)
    return counts
