"""How well several groups are told apart: five numbers and the confusion matrix."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.diagnosis.multiclass import SCORE
from mri2pet.evaluation.classification import auc
from mri2pet.evaluation.image_tables import COLUMNS, table_over_folds

METRICS = ("accuracy", "balanced accuracy", "macro F1", "macro AUC", "Cohen's kappa")
NO_PUBLISHED = pd.DataFrame(columns=["dataset", "model", "metric", "unit", "mean", "sd"])


def group_metrics(visits: pd.DataFrame, groups: Sequence[str]) -> dict[str, float]:
    """Score one test fold.

    Parameters
    ----------
    visits
        One row a visit: truth predicted and `score_<group>` of every group.
    groups
        The groups told apart.

    Returns
    -------
    Accuracy; balanced accuracy (mean recall of the groups); macro F1 (mean over groups); macro AUC
    (mean over groups of the area for that group against the rest, by its score); Cohen's kappa
    (agreement beyond chance). What a fold cannot tell is NaN: all of it without visits, all but
    accuracy and kappa unless every group has a visit, kappa with one group alone.
    """
    from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, f1_score

    found = dict.fromkeys(METRICS, np.nan)
    if visits.empty:
        return found
    truth, predicted = (visits[name].to_numpy(dtype=str) for name in ("truth", "predicted"))
    found["accuracy"] = float(np.mean(truth == predicted))
    if len(set(truth)) > 1:
        found["Cohen's kappa"] = float(cohen_kappa_score(truth, predicted))
    if set(truth) == set(groups):
        found["balanced accuracy"] = float(balanced_accuracy_score(truth, predicted))
        found["macro F1"] = float(
            f1_score(truth, predicted, labels=list(groups), average="macro", zero_division=0)
        )
        areas = [auc(truth == g, visits[f"{SCORE}{g}"].to_numpy(dtype=float)) for g in groups]
        found["macro AUC"] = float(np.mean(areas))
    return found


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
        lambda visits: group_metrics(visits, groups),
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
