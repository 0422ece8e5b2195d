"""Harmonised features: what is taken off, what stays, and who may be looked at for it."""

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mri2pet.diagnosis.experiments import Experiment
from mri2pet.diagnosis.harmonise import Harmonisation, harmonise
from mri2pet.diagnosis.svm import Settings, diagnose

FEATURES = 60
SHIFT = np.linspace(2, 4, FEATURES)  # of scanner B, in sd of the people
FACTOR = 1.5


def people(n, scanner, seed, age=75.0, ill=0.5):
    """Visits, and features without any scanner: age, sex and disease are in the first ones."""
    rng = np.random.default_rng(seed)
    visits = pd.DataFrame(
        {
            "index": np.arange(n),
            "subject": [f"{scanner}{number:03d}" for number in range(n)],
            "visit": "bl",
            "group": np.where(np.arange(n) < ill * n, "AD", "CN"),
            "kind": "paired",
            "fold": 0,
            "age": rng.normal(age, 6, n),
            "sex": np.where(rng.random(n) < 0.5, "F", "M"),
        }
    )
    values = rng.normal(0, 1, (n, FEATURES))
    values[:, :20] -= 1.0 * (visits["group"] == "AD").to_numpy()[:, None]
    values[:, 20:40] -= 0.1 * (visits["age"].to_numpy() - 75)[:, None]
    return visits, values


def scanned(values, scanner):
    """Scanner B has a shift and a factor, S a shift alone."""
    return values * (FACTOR if scanner == "B" else 1) + SHIFT * (scanner in ("B", "S"))


def experiment(train, test):
    """Experiment of lists of (visits, values, scanner), and the table of scanners."""
    parts = [
        (
            pd.concat([visits for visits, _, _ in part], ignore_index=True),
            np.vstack([scanned(values, scanner) for _, values, scanner in part]),
        )
        for part in (train, test)
    ]
    rows = [
        visits[["subject", "visit"]].assign(scanner=scanner) for visits, _, scanner in train + test
    ]
    (train_visits, train_values), (test_visits, test_values) = parts
    made = Experiment(train_visits, test_visits, train_values, test_values)
    return made, pd.concat(rows, ignore_index=True)


@pytest.fixture(scope="module")
def unseen():
    """Scanner A is learnt from, B is held out."""
    return experiment([(*people(60, "A", 1), "A")], [(*people(40, "B", 2), "B")])


def apart(made, name="test"):
    """Mean distance of held-out from training people, in sd of the latter."""
    test = getattr(made, name)
    return np.abs(np.nanmean(test, 0) - np.nanmean(made.train, 0)) / np.nanstd(made.train, 0)


def test_an_unseen_scanner_comes_to_where_the_training_people_are(unseen):
    before, scanners = unseen
    after = harmonise(before, scanners, "unet", Harmonisation())
    np.testing.assert_array_equal(after.train, before.train)
    assert apart(before).min() > 1
    assert apart(after).max() < 0.6
    ratio = after.test.std(axis=0) / before.train.std(axis=0)
    assert 0.9 < np.median(ratio) < 1.1


def test_the_order_of_people_stays_and_so_does_the_disease(unseen):
    before, scanners = unseen
    after = harmonise(before, scanners, "unet", Harmonisation(covariates=[]))
    for place in (0, 30, 59):  # nothing but shift and factor
        assert np.corrcoef(before.test[:, place], after.test[:, place])[0, 1] > 0.999
    ill = (before.test_visits["group"] == "AD").to_numpy()
    contrast = after.test[ill].mean(0) - after.test[~ill].mean(0)
    assert contrast[:20].mean() < -0.7


def test_no_diagnosis_is_looked_at(unseen):
    before, scanners = unseen
    after = harmonise(before, scanners, "unet", Harmonisation())
    turned = {"AD": "CN", "CN": "AD"}
    blind = replace(
        before,
        train_visits=before.train_visits.assign(group=lambda t: t["group"].map(turned)),
        test_visits=before.test_visits.assign(group="CN"),
    )
    again = harmonise(blind, scanners, "unet", Harmonisation())
    np.testing.assert_array_equal(again.train, after.train)
    np.testing.assert_array_equal(again.test, after.test)


def test_training_does_not_look_at_held_out_people():
    """Two scanners in training: their estimates are the same whoever is held out."""
    train = [(*people(40, "A", 1), "A"), (*people(40, "B", 2), "B")]
    made = []
    for seed, scanner in ((3, "B"), (4, "C")):
        before, scanners = experiment(train, [(*people(30, "x", seed), scanner)])
        made.append((before, harmonise(before, scanners, "unet", Harmonisation())))
    np.testing.assert_array_equal(made[0][1].train, made[1][1].train)
    before, after = made[0]
    own = before.train_visits["subject"].str.startswith("B").to_numpy()
    distance = np.abs(after.train[own].mean(0) - after.train[~own].mean(0))
    assert distance.max() < 0.6
    # held-out people of the known scanner are mapped by training's estimates
    assert apart(after).max() < 0.6
    one = replace(before, test=before.test[:1], test_visits=before.test_visits[:1])
    alone = harmonise(one, scanners_of(one, before), "unet", Harmonisation())
    np.testing.assert_allclose(alone.test[0], after.test[0])


def scanners_of(one, whole):
    rows = pd.concat([one.train_visits, whole.test_visits])[["subject", "visit"]]
    first = rows["subject"].str[0]
    return rows.assign(scanner=first.where(first != "x", "B"))


def test_the_age_of_a_scanner_s_people_stays_in_their_features():
    """Those of scanner S are ten years older; features 20 to 40 fall with age."""
    before, scanners = experiment(
        [(*people(80, "A", 1), "A")], [(*people(80, "S", 2, age=85), "S")]
    )
    kept, lost = (
        harmonise(before, scanners, "unet", Harmonisation(covariates=names)).test[:, 20:40].mean()
        for names in (["age"], [])
    )
    assert kept == pytest.approx(-1.0, abs=0.25)
    assert lost == pytest.approx(0.0, abs=0.25)


def test_a_classifier_s_threshold_holds_again(unseen):
    """A shift moves all scores alike: their order stays, and so does the AUC."""
    before, scanners = unseen
    after = harmonise(before, scanners, "unet", Harmonisation())
    settings = Settings(positive="AD", negative="CN", inner_folds=3)
    right = []
    for made in (before, after):
        table = diagnose(made, settings, 0, 1)
        right.append((table["truth"] == table["predicted"]).mean())
    assert right[0] < 0.65
    assert right[1] > 0.9


def test_what_is_missing_stays_missing_and_spoils_nothing_else(unseen):
    before, scanners = unseen
    train, test = before.train.copy(), before.test.copy()
    train[:, 0] = test[:, 0] = np.nan  # a region without tissue
    test[3, 5] = np.nan
    train[:, 7] = test[:, 7] = 2.0  # without spread
    after = harmonise(replace(before, train=train, test=test), scanners, "unet", Harmonisation())
    assert np.isnan(after.test[:, 0]).all()
    assert np.isnan(after.test[3, 5])
    assert (after.test[:, 7] == 2.0).all()
    assert np.isfinite(np.delete(after.test, [0, 5], axis=1)).all()
    usual = [place for place in range(FEATURES) if place not in (0, 7)]
    there = replace(after, train=after.train[:, usual], test=after.test[:, usual])
    assert apart(there).max() < 0.6


@pytest.mark.parametrize("few", [0, 2, 4])
def test_too_few_people_of_a_scanner_stay_as_they_are(caplog, few):
    train = [(*people(40, "A", 1), "A")]
    before, scanners = experiment(train, [(*people(max(few, 1), "B", 2), "B")])
    scanners.loc[scanners["scanner"] == "B", "scanner"] = "B" if few else None
    with caplog.at_level(logging.WARNING):
        after = harmonise(before, scanners, "unet", Harmonisation(fewest=5))
    np.testing.assert_array_equal(after.test, before.test)
    assert ("fewer than 5 people of B" in caplog.text) == bool(few)


def test_two_visits_of_one_person_are_not_two_people():
    visits, values = people(4, "B", 2)
    again = visits.assign(visit="m12")
    test = [(visits, values, "B"), (again, values + 0.1, "B")]
    before, scanners = experiment([(*people(40, "A", 1), "A")], test)
    after = harmonise(before, scanners, "unet", Harmonisation(fewest=5))
    np.testing.assert_array_equal(after.test, before.test)


def test_age_and_sex_are_no_measurements(unseen):
    before, scanners = unseen
    after = harmonise(before, scanners, "mri_age_sex", Harmonisation())
    np.testing.assert_array_equal(after.test[:, -2:], before.test[:, -2:])
    assert (after.test[:, :-2] != before.test[:, :-2]).all()


@pytest.mark.parametrize("sex", [["F"], ["F", "M"]])
def test_a_covariate_that_the_scanner_tells_already_is_left_out(sex):
    """Women in A, men in B: nothing tells the scanner from the sex."""
    first, second = people(40, "A", 1), people(40, "B", 2)
    first[0]["sex"], second[0]["sex"] = sex[0], sex[-1]
    before, scanners = experiment([(*first, "A")], [(*second, "B")])
    after = harmonise(before, scanners, "unet", Harmonisation())
    assert np.isfinite(after.test).all()
    assert apart(after).max() < 0.6
