"""Rows without PET: MRI alone, and MRI with age and sex; real PET on people who have one."""

import numpy as np
import pandas as pd
import pytest
from test_experiments import FOLD, GROUPS, REGIONS, long

import fakes
from mri2pet.diagnosis.dual_glow_groups import diagnose_merged
from mri2pet.diagnosis.experiments import assemble
from mri2pet.diagnosis.multiclass import classify
from mri2pet.diagnosis.svm import Settings, Tuning, diagnose, train

QUICK = Settings(C=(1.0,), gamma=("scale",))
DATASETS = ("paired", "complete")


@pytest.fixture
def given():
    visits = fakes.visits()
    noise = np.random.default_rng(0).normal(0, 1, len(visits))
    real = [long(visits, "MRI", lambda v: noise[v.index] + 2 * (v.group == "AD"))]
    paired = visits[visits["kind"] == "paired"]
    real.append(long(paired, "PET", lambda v: 1000 + v.index))
    return {
        "fold": FOLD,
        "visits": visits,
        "folds": fakes.folds(visits),
        "real": pd.concat(real, ignore_index=True),
        "synthetic": None,
        "groups": GROUPS,
    }


@pytest.mark.parametrize("dataset", DATASETS)
def test_age_in_years_and_sex_follow_the_features_of_the_mri(given, dataset):
    mri = assemble(dataset, "only_mri", **given)
    both = assemble(dataset, "mri_age_sex", **given)
    for part, visits in (("train", both.train_visits), ("test", both.test_visits)):
        own, other = getattr(both, part), getattr(mri, part)
        np.testing.assert_array_equal(own[:, :-2], other)
        np.testing.assert_array_equal(own[:, -2], visits["age"])
        np.testing.assert_array_equal(own[:, -1], visits["sex"] == "M")


@pytest.mark.parametrize("missing", [np.nan, None, "", "n/a", "X"])
def test_what_is_not_known_of_a_person_is_missing_not_zero(given, missing):
    sex = given["visits"]["sex"].astype(object)
    sex.iloc[0] = missing
    age = given["visits"]["age"].astype(object)
    age.iloc[1] = missing
    data = assemble(
        "paired", "mri_age_sex", **given | {"visits": given["visits"].assign(sex=sex, age=age)}
    )
    values = np.vstack([data.train, data.test])
    assert np.isnan(values).sum() == 2


def test_what_is_missing_is_filled_from_the_training_people_alone(given):
    """Ages of test people are poison: neither the filling nor another person's score sees them."""
    ours = given["visits"]["subject"].isin(
        given["folds"].loc[given["folds"]["fold"] == FOLD, "subject"]
    )
    first_test, first_train = ours.idxmax(), (~ours).idxmax()
    visits = given["visits"].copy()
    visits.loc[[first_test, first_train], "age"] = np.nan
    poisoned = visits.copy()
    poisoned.loc[ours & visits["age"].notna(), "age"] = 1e6
    data, spoilt = (
        assemble("paired", "mri_age_sex", **given | {"visits": v}) for v in (visits, poisoned)
    )
    model = train(data, QUICK, seed=0)
    mean = model.pipeline["impute"].statistics_[-2]
    assert mean == pytest.approx(np.nanmean(data.train[:, -2]))
    assert mean != pytest.approx(np.nanmean(np.vstack([data.train, data.test])[:, -2]))
    lacks = np.isnan(data.test[:, -2])
    assert lacks.sum() == 1
    tables = [diagnose(each, QUICK, FOLD, seed=0) for each in (data, spoilt)]
    np.testing.assert_array_equal(*(table["score"][lacks] for table in tables))
    assert (tables[0]["score"] != tables[1]["score"]).any()


def test_age_and_sex_alone_can_tell_groups(given):
    """With MRI that says nothing, ages that differ between groups are found."""
    flat = given["real"].assign(value=0.0)
    visits = given["visits"].assign(age=lambda v: 70.0 + 10 * (v["group"] == "AD"))
    told = given | {"real": flat, "visits": visits}
    found = diagnose(assemble("complete", "mri_age_sex", **told), QUICK, FOLD, seed=0)
    assert (found["truth"] == found["predicted"]).all()
    blind = diagnose(assemble("complete", "only_mri", **told), QUICK, FOLD, seed=0)
    assert blind["score"].nunique() == 1


@pytest.mark.parametrize("method", ["only_mri", "mri_age_sex"])
def test_a_classifier_of_pet_alone_has_the_mri_of_the_same_people_as_its_control(given, method):
    """DUAL-GLOW's Table 2: the PET has no MRI beside it, and the control no PET."""
    control = assemble("paired", method, **given, with_mri=False)
    real = assemble("paired", "real_pet", **given, with_mri=False)
    assert real.train.shape[1] == 2 * REGIONS
    assert (real.train > 900).all()
    assert control.train.shape[1] == 2 * REGIONS + 2 * (method == "mri_age_sex")
    assert (control.train < 900).all()
    pd.testing.assert_frame_equal(control.test_visits, real.test_visits)
    found = diagnose_merged(control, ["AD"], ["CN"], QUICK, FOLD, seed=0)
    assert found["predicted"].isin(["positive", "negative"]).all()


@pytest.mark.parametrize("method", ["only_mri", "mri_age_sex"])
def test_three_groups_are_told_apart_without_pet(given, method):
    visits = given["visits"].copy()
    subjects = {name: n for n, name in enumerate(visits["subject"].unique())}
    visits["group"] = [("CN", "MCI", "AD")[subjects[name] % 3] for name in visits["subject"]]
    data = assemble("complete", method, **given | {"visits": visits, "groups": ("CN", "MCI", "AD")})
    found = classify(data, ("CN", "MCI", "AD"), Tuning(C=(1.0,), gamma=("scale",)), FOLD, seed=0)
    assert found["predicted"].notna().all()


def test_real_pet_learns_and_is_tested_on_the_same_visits_on_both_datasets(given):
    """So that Table III takes its row from Table II's predictions."""
    paired, complete = (assemble(dataset, "real_pet", **given) for dataset in DATASETS)
    pd.testing.assert_frame_equal(paired.test_visits, complete.test_visits)
    np.testing.assert_array_equal(paired.train, complete.train)
    np.testing.assert_array_equal(paired.test, complete.test)
