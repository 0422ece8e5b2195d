import numpy as np
import pandas as pd
import pytest

import fakes
from mri2pet.diagnosis.experiments import Experiment, assemble
from mri2pet.diagnosis.svm import Settings, diagnose
from mri2pet.errors import InputError

REGIONS = 4
GROUPS = ("AD", "CN")
FOLD = 1


def long(visits, modality, value):
    """Features whose values tell the visit and where they come from."""
    rows = [
        {
            "index": visit.index, "subject": visit.subject, "visit": visit.visit,
            "group": visit.group, "kind": visit.kind, "modality": modality, "tissue": tissue,
            "region": region, "name": str(region), "value": value(visit) + region / 100,
        }
        for visit in visits.itertuples(index=False)
        for tissue in ("GM", "WM")
        for region in range(1, REGIONS + 1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture
def given():
    visits = fakes.visits()
    folds = fakes.folds(visits)
    paired = visits[visits["kind"] == "paired"]
    held_out = set(folds.loc[folds["fold"] == FOLD, "subject"])
    made = visits[(visits["kind"] == "mri_only") | visits["subject"].isin(held_out)]
    real = [long(visits, "MRI", lambda v: v.index), long(paired, "PET", lambda v: 1000 + v.index)]
    return {
        "fold": FOLD,
        "visits": visits,
        "folds": folds,
        "real": pd.concat(real, ignore_index=True),
        "synthetic": long(made, "PET", lambda v: 2000 + v.index),
        "groups": GROUPS,
    }


def held_out(given):
    return set(given["folds"].loc[given["folds"]["fold"] == FOLD, "subject"])


def pet_source(values):
    """0 for none, 1 for a real and 2 for a synthetic PET, row by row."""
    return (
        values[:, 2 * REGIONS] // 1000 if values.shape[1] > 2 * REGIONS else np.zeros(len(values))
    )


@pytest.mark.parametrize("dataset", ["paired", "complete"])
@pytest.mark.parametrize("method", ["unet", "real_pet", "only_mri"])
def test_no_subject_of_the_fold_trains_and_all_others_do(given, dataset, method):
    data = assemble(dataset, method, **given)
    kinds = {"paired"} if dataset == "paired" or method == "real_pet" else {"paired", "mri_only"}
    expected = given["visits"][given["visits"]["kind"].isin(kinds)]
    assert set(data.test_visits["subject"]) == held_out(given) & set(expected["subject"])
    assert set(data.train_visits["subject"]) == set(expected["subject"]) - held_out(given)
    assert len(data.train) + len(data.test) == len(expected)


def test_paired_trains_on_real_and_tests_on_synthetic_pet(given):
    data = assemble("paired", "unet", **given)
    assert (pet_source(data.train) == 1).all()
    assert (pet_source(data.test) == 2).all()


def test_complete_fills_the_missing_pet_only(given):
    data = assemble("complete", "unet", **given)
    for values, visits in ((data.train, data.train_visits), (data.test, data.test_visits)):
        expected = np.where(visits["kind"] == "paired", 1, 2)
        np.testing.assert_array_equal(pet_source(values), expected)


def test_only_mri_has_half_the_features_and_real_pet_no_synthetic_one(given):
    mri = assemble("complete", "only_mri", **given | {"synthetic": None})
    assert mri.train.shape[1] == 2 * REGIONS
    real = assemble("complete", "real_pet", **given | {"synthetic": None})
    assert (pet_source(np.vstack([real.train, real.test])) == 1).all()


def test_features_stand_in_the_row_of_their_visit(given):
    data = assemble("complete", "unet", **given)
    np.testing.assert_array_equal(np.floor(data.train[:, 0]), data.train_visits["index"])
    np.testing.assert_array_equal(data.test[:, -1] % 1000 // 1, data.test_visits["index"])


def test_real_pet_of_a_test_subject_has_no_influence_on_a_paired_model(given):
    """The held-out subjects' real PET is poison: a classifier that sees it changes."""
    settings = Settings(C=(1.0,), gamma=("scale",))
    poisoned = given["real"].copy()
    poison = poisoned["subject"].isin(held_out(given)) & (poisoned["modality"] == "PET")
    assert poison.any()
    poisoned.loc[poison, "value"] = 1e6
    clean, spoilt = (
        diagnose(assemble("paired", "unet", **given | {"real": real}), settings, FOLD, seed=0)
        for real in (given["real"], poisoned)
    )
    pd.testing.assert_frame_equal(clean, spoilt)


def test_labels_of_test_subjects_have_no_influence(given):
    settings = Settings(C=(1.0,), gamma=("scale",))
    swapped = given["visits"].copy()
    ours = swapped["subject"].isin(held_out(given))
    swapped.loc[ours, "group"] = swapped.loc[ours, "group"].map({"AD": "CN", "CN": "AD"})
    clean, spoilt = (
        diagnose(assemble("complete", "unet", **given | {"visits": v}), settings, FOLD, seed=0)
        for v in (given["visits"], swapped)
    )
    np.testing.assert_array_equal(clean["score"], spoilt["score"])
    assert (clean["truth"] != spoilt["truth"]).all()


def test_a_subject_in_training_and_test_is_refused(given):
    visits = given["visits"].head(4)
    with pytest.raises(InputError, match="000S1000 is in the training and in the test"):
        Experiment(visits.iloc[:1], visits.iloc[1:], np.zeros((1, 2)), np.zeros((3, 2)))


def test_a_subject_that_stands_in_two_folds_is_refused(given):
    twice = pd.concat([given["folds"], given["folds"].head(1).assign(fold=2)])
    with pytest.raises(InputError, match="000S1000 stands there twice"):
        assemble("complete", "unet", **given | {"folds": twice})


def test_a_synthetic_pet_of_a_training_subject_is_refused(given):
    """Its generator has been trained on that very PET."""
    other = given["visits"].query("kind == 'paired' and subject == '000S1000'")
    leaked = pd.concat([given["synthetic"], long(other, "PET", lambda v: 2000 + v.index)])
    with pytest.raises(InputError, match="000S1000 is not of this fold"):
        assemble("paired", "unet", **given | {"synthetic": leaked})


def test_a_missing_pet_and_a_missing_fold_are_named(given):
    few = given["synthetic"].query("subject != '012S1012'")
    with pytest.raises(InputError, match="PET of unet of subject 012S1012, visit bl"):
        assemble("complete", "unet", **given | {"synthetic": few})
    with pytest.raises(InputError, match="no fold for subject 000S1000"):
        assemble("complete", "unet", **given | {"folds": given["folds"].iloc[1:]})
