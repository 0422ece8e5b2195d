"""Diagnosis among three groups: names keep to their columns, and no test subject is learnt from."""

import numpy as np
import pandas as pd
import pytest

import fakes
from mri2pet.diagnosis.experiments import Experiment, assemble
from mri2pet.diagnosis.multiclass import classify
from mri2pet.diagnosis.svm import Tuning

ORDER = ("CN", "MCI", "AD")
SHIFT = {"CN": 0.0, "MCI": 2.0, "AD": 4.0}
QUICK = Tuning(C=(1.0,), gamma=("scale",))


def people(groups, seed):
    """Visits of these groups, and features that grow with the disease."""
    rng = np.random.default_rng(seed)
    visits = pd.DataFrame(
        {"subject": [f"s{seed}{n}" for n in range(len(groups))], "visit": "bl", "group": groups}
    )
    shift = np.array([SHIFT[group] for group in groups])[:, None]
    return visits, rng.normal(0, 0.7, (len(groups), 12)) + shift


def experiment(train=("MCI", "AD", "CN") * 8, test=("AD", "CN", "MCI") * 4):
    (train_visits, values), (test_visits, test_values) = people(train, 0), people(test, 1)
    return Experiment(train_visits, test_visits, values, test_values)


@pytest.mark.parametrize("order", [ORDER, ("AD", "CN", "MCI")])
def test_groups_are_found_whatever_their_order(order):
    table = classify(experiment(), order, Tuning(), fold=2, seed=0)
    assert list(table.columns[-3:]) == [f"score_{group}" for group in order]
    assert (table["truth"] == table["predicted"]).all()
    highest = table[[f"score_{group}" for group in order]].idxmax(axis=1)
    assert (highest.str.removeprefix("score_") == table["predicted"]).all()
    assert set(table["fold"]) == {2}


def test_prediction_is_the_highest_score_also_where_machines_disagree():
    data = experiment()
    noisy = Experiment(
        data.train_visits,
        data.test_visits,
        data.train + np.random.default_rng(0).normal(0, 6, data.train.shape),
        data.test,
    )
    table = classify(noisy, ORDER, QUICK, fold=0, seed=0)
    highest = table[[f"score_{group}" for group in ORDER]].idxmax(axis=1)
    assert (highest.str.removeprefix("score_") == table["predicted"]).all()


def test_a_group_without_training_visits_predicts_nothing():
    table = classify(experiment(train=("CN", "AD") * 4), ORDER, QUICK, fold=0, seed=0)
    assert len(table) == 12
    assert table[["predicted", *(f"score_{g}" for g in ORDER)]].isna().all(axis=None)


def test_an_empty_fold_gives_an_empty_table():
    table = classify(experiment(test=()), ORDER, QUICK, fold=0, seed=0)
    assert table.empty


@pytest.fixture
def given():
    """A dataset of three groups and the features of its scans; the synthetic PET of fold 0."""
    visits = fakes.visits(18, 6, 0)
    visits["group"] = [ORDER[number % 3] for number in visits["index"]]
    folds = visits[["subject", "group", "kind"]].assign(fold=visits["index"] // 3 % 3)
    inside = set(folds.loc[folds["fold"] == 0, "subject"])
    made = visits[(visits["kind"] == "mri_only") | visits["subject"].isin(inside)]
    real = [long(visits, "MRI", 0), long(visits[visits["kind"] == "paired"], "PET", 1)]
    return {
        "fold": 0,
        "visits": visits,
        "folds": folds,
        "real": pd.concat(real, ignore_index=True),
        "synthetic": long(made, "PET", 2),
        "groups": ORDER,
    }


def long(visits, modality, seed):
    rng = np.random.default_rng(seed)
    rows = [
        {
            "index": visit.index, "subject": visit.subject, "visit": visit.visit,
            "group": visit.group, "kind": visit.kind, "modality": modality, "tissue": "GM",
            "region": region, "name": str(region),
            "value": SHIFT[visit.group] + rng.normal(0, 0.5),
        }
        for visit in visits.itertuples(index=False)
        for region in range(1, 7)
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize("dataset", ["paired", "complete"])
def test_nothing_of_a_test_subject_is_learnt_from(given, dataset):
    """Real PET and labels of held-out subjects are spoilt: every score stays as it was."""
    inside = set(given["folds"].loc[given["folds"]["fold"] == 0, "subject"])
    spoilt = {key: given[key].copy() for key in ("real", "visits")}
    if dataset == "paired":
        poison = spoilt["real"]["subject"].isin(inside) & (spoilt["real"]["modality"] == "PET")
        assert poison.any()
        spoilt["real"].loc[poison, "value"] = 1e6
    ours = spoilt["visits"]["subject"].isin(inside)
    turned = dict(zip(ORDER, (*ORDER[1:], ORDER[0]), strict=True))
    spoilt["visits"].loc[ours, "group"] = spoilt["visits"].loc[ours, "group"].map(turned)
    clean, other = (
        classify(assemble(dataset, "unet", **given | change), ORDER, QUICK, fold=0, seed=0)
        for change in ({}, spoilt)
    )
    scores = [f"score_{group}" for group in ORDER]
    np.testing.assert_array_equal(clean[scores], other[scores])
    assert (clean["truth"] != other["truth"]).all()
    assert set(clean["subject"]) <= inside


def test_the_third_group_takes_part_only_where_it_is_asked_for(given):
    three = assemble("complete", "unet", **given)
    two = assemble("complete", "unet", **given | {"groups": ("AD", "CN")})
    assert set(three.train_visits["group"]) == set(three.test_visits["group"]) == set(ORDER)
    assert set(two.train_visits["group"]) == set(two.test_visits["group"]) == {"AD", "CN"}
