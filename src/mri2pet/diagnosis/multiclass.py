"""Diagnosis among several groups (AD, MCI, CN), with the machine and the data of the binary one."""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd

from mri2pet.diagnosis.experiments import Experiment
from mri2pet.diagnosis.svm import Tuning, tune

log = logging.getLogger(__name__)

COLUMNS = ("subject", "visit", "group", "fold", "truth", "predicted")
SCORE = "score_"  # before a group's name: the column of its decision value


def classify(
    experiment: Experiment, groups: Sequence[str], settings: Tuning, fold: int, seed: int
) -> pd.DataFrame:
    """Train on one fold's training data and predict the group of its test visits.

    Parameters
    ----------
    experiment
        Training and test visits, all of one of `groups`, with their features.
    groups
        The groups, in the order of the columns.
    settings, fold, seed
        What to try; written into the table; of the inner folds.

    Returns
    -------
    One row a test visit: subject visit group fold truth predicted, and a column `score_<group>`
    each. A score ranks the visits by how much they look like the group (the machines of the pairs
    of groups vote, and their confidence breaks ties); the predicted group has the highest.
    Predictions and scores are missing if a group has no training visit.
    """
    visits, train = experiment.test_visits, experiment.train_visits
    table = visits[["subject", "visit", "group"]].assign(
        fold=fold, truth=visits["group"], predicted=None
    )
    scores = [f"{SCORE}{group}" for group in groups]
    table = table.assign(**dict.fromkeys(scores, np.nan)).reset_index(drop=True)
    labels = train["group"].to_numpy(dtype=str)
    if missing := [group for group in groups if group not in labels]:
        log.warning("fold %d: no training visit of %s; nothing is predicted", fold, missing)
    elif len(table):
        pipeline, _, chosen = tune(
            experiment.train, labels, train["subject"].to_list(), settings, seed
        )
        log.info("fold %d: %s", fold, chosen)
        pipeline.fit(experiment.train, labels)
        values = pipeline.decision_function(experiment.test)
        columns = {f"{SCORE}{name}": values[:, i] for i, name in enumerate(pipeline.classes_)}
        table = table.assign(predicted=pipeline.predict(experiment.test), **columns)
    return table[[*COLUMNS, *scores]]
