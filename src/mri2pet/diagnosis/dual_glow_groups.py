"""Diagnosis between two sets of groups, as DUAL-GLOW's Table 2 has it: its part D9."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from mri2pet.diagnosis.experiments import Experiment
from mri2pet.diagnosis.svm import Settings, diagnose
from mri2pet.errors import InputError

POSITIVE, NEGATIVE = "positive", "negative"  # the classes, in the columns truth and predicted


def diagnose_merged(
    experiment: Experiment,
    positive: Sequence[str],
    negative: Sequence[str],
    settings: Settings,
    fold: int,
    seed: int,
) -> pd.DataFrame:
    """Train on one fold's training data and tell two sets of groups apart in its test visits.

    Parameters
    ----------
    experiment
        Training and test visits with their features, all of one of the groups.
    positive, negative
        Groups that make up either class.
    settings, fold, seed
        As for `svm.diagnose`; the classes' names in `settings` are not looked at.

    Returns
    -------
    As `svm.diagnose` returns it: `group` is the diagnosis, `truth` and `predicted` are `positive`
    or `negative`.
    """
    diagnoses = experiment.test_visits["group"].to_numpy()
    merged = Experiment(
        merge_groups(experiment.train_visits, positive, negative),
        merge_groups(experiment.test_visits, positive, negative),
        experiment.train,
        experiment.test,
    )
    settings = replace(settings, positive=POSITIVE, negative=NEGATIVE)
    return diagnose(merged, settings, fold, seed).assign(group=diagnoses)


def merge_groups(
    visits: pd.DataFrame, positive: Sequence[str], negative: Sequence[str]
) -> pd.DataFrame:
    """Return the visits with the class in place of the group.

    Raises
    ------
    InputError
        If a group belongs to neither class or to both.
    """
    if both := sorted(set(positive) & set(negative)):
        raise InputError(
            f"dual_glow.diagnosis: group {both[0]} is among the positive and the negative ones"
        )
    classes = dict.fromkeys(positive, POSITIVE) | dict.fromkeys(negative, NEGATIVE)
    merged = visits["group"].map(classes)
    if merged.isna().any():
        group = visits.loc[merged.isna(), "group"].iloc[0]
        raise InputError(
            f"dual_glow.diagnosis: group {group} is neither a positive nor a negative one"
        )
    return visits.assign(group=merged)
