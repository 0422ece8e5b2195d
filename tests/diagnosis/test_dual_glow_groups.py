"""Diagnosis between two sets of groups by PET alone."""

import numpy as np
import pandas as pd
import pytest

from mri2pet.diagnosis.dual_glow_groups import diagnose_merged, merge_groups
from mri2pet.diagnosis.experiments import Experiment, assemble
from mri2pet.diagnosis.svm import Settings
from mri2pet.errors import InputError

POSITIVE, NEGATIVE = ["MCI", "AD"], ["CN", "SMC"]
SETTINGS = Settings(inner_folds=2, C=(1.0,), gamma=("scale",))


def people(n):
    groups = [("AD", "CN", "MCI", "SMC")[number % 4] for number in range(n)]
    return pd.DataFrame(
        {
            "index": range(n),
            "subject": [f"s{number:02d}" for number in range(n)],
            "visit": "bl",
            "group": groups,
            "kind": "paired",
        }
    )


def features(visits, flip=False):
    """Positive groups are low in all regions, or high if `flip`."""
    low = visits["group"].isin(POSITIVE).to_numpy() != flip
    noise = np.random.default_rng(0).normal(0, 0.05, (len(visits), 5))
    return np.where(low, -1.0, 1.0)[:, None] + noise


def experiment(flip=False):
    visits = people(24)
    train, test = visits[:16], visits[16:]
    return Experiment(train, test, features(train), features(test, flip))


def test_groups_are_merged_and_the_diagnosis_is_kept():
    table = diagnose_merged(experiment(), POSITIVE, NEGATIVE, SETTINGS, 2, 1)
    assert table["group"].to_list() == ["AD", "CN", "MCI", "SMC"] * 2
    assert table["truth"].to_list() == ["positive", "negative"] * 4
    assert (table["predicted"] == table["truth"]).all()
    assert set(table["fold"]) == {2}


def test_classes_are_not_swapped():
    """PET of the held-out people says the opposite: every prediction is the other class."""
    table = diagnose_merged(experiment(flip=True), POSITIVE, NEGATIVE, SETTINGS, 0, 1)
    assert (table["predicted"] != table["truth"]).all()
    assert (table.loc[table["truth"] == "positive", "score"] < 0).all()


def test_a_group_in_neither_class_or_in_both_is_refused():
    with pytest.raises(InputError, match="EMCI is neither"):
        merge_groups(people(4).assign(group="EMCI"), POSITIVE, NEGATIVE)
    with pytest.raises(InputError, match="CN is among the positive and the negative"):
        merge_groups(people(4), ["AD", "CN"], NEGATIVE)


def long(visits, modality, value):
    rows = [
        {
            "index": visit.index, "subject": visit.subject, "visit": visit.visit,
            "group": visit.group, "kind": visit.kind, "modality": modality, "tissue": "all",
            "region": region, "name": str(region), "value": value + visit.index + region / 100,
        }
        for visit in visits.itertuples(index=False)
        for region in (1, 2)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_pet_alone_real_in_training_synthetic_in_test():
    visits = people(8)
    folds = pd.DataFrame({"subject": visits["subject"], "fold": [0] * 4 + [1] * 4})
    real = pd.concat([long(visits, "PET", 1000), long(visits, "MRI", 5000)])
    made = assemble(
        "paired", "dual_glow", 1, visits, folds, real, long(visits[4:], "PET", 2000),
        (*POSITIVE, *NEGATIVE), with_mri=False,
    )  # fmt: skip
    np.testing.assert_allclose(made.train[:, 0], [1000.01, 1001.01, 1002.01, 1003.01])
    np.testing.assert_allclose(made.test[:, 1], [2004.02, 2005.02, 2006.02, 2007.02])
    assert made.train.shape[1] == 2
