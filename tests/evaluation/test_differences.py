"""The correlation of differences from Mean PET tells a model of persons from one of the mean."""

import numpy as np
import pandas as pd
import pytest

from mri2pet.config.systems import SYSTEMS
from mri2pet.errors import InputError
from mri2pet.evaluation import image_metrics, image_tables
from mri2pet.evaluation.configurations import configuration_table, pair_tests
from mri2pet.evaluation.differences import (
    CAPTION,
    correlation_of_differences,
    listed_in,
    measure_differences,
)
from mri2pet.evaluation.image_metrics import LIKENESS, measure_visits
from mri2pet.reporting.table_notes import notes

SHAPE, PEOPLE = (12, 13, 14), 6
RNG = np.random.default_rng(0)
MASK = np.zeros(SHAPE, bool)
MASK[1:-1, 1:-1, 1:-1] = True
BRAIN = RNG.uniform(0.3, 0.7, SHAPE) * MASK  # what all people have in common
PERSONS = RNG.normal(0, 0.02, (PEOPLE, *SHAPE)) * MASK
REAL = BRAIN + PERSONS
MEAN = np.broadcast_to(BRAIN, REAL.shape)
VISITS = pd.DataFrame(
    {
        "index": range(PEOPLE),
        "subject": list("abcdef"),
        "visit": "bl",
        "group": ["CN", "AD"] * 3,
        "role": "test",
    }
)
NOISE = RNG.normal(0, 0.001, REAL.shape) * MASK
MODELS = {
    "mean_pet": MEAN,
    "of_the_mean": MEAN + NOISE,
    "of_persons": MEAN + 0.3 * PERSONS + NOISE,
    "opposite": MEAN - 0.3 * PERSONS,
}


def of_all(model, fold=0, visits=VISITS, **more):
    return measure_differences(visits, REAL, MODELS[model], MASK, fold, MEAN, **more)


def test_a_model_of_the_mean_is_told_from_one_of_persons():
    found = {name: of_all(name)["value"].mean() for name in MODELS}
    assert abs(found["of_the_mean"]) < 0.1
    assert found["of_persons"] > 0.9
    assert found["opposite"] == pytest.approx(-1)
    # other metrics do not tell them: all are more than .99 like the real PET
    like = [
        image_metrics.correlation(REAL[0], MODELS[name][0], MASK)
        for name in ("of_the_mean", "of_persons")
    ]
    assert min(like) > 0.98


def test_mean_pet_itself_has_none():
    assert of_all("mean_pet")["value"].isna().all()
    assert len(of_all("mean_pet")) == PEOPLE


def test_by_hand_and_over_the_mask_alone():
    made = MODELS["of_persons"]
    outside = np.where(MASK, made[0], RNG.uniform(size=SHAPE))
    own, real = (made[0] - BRAIN)[MASK], (REAL[0] - BRAIN)[MASK]
    expected = np.corrcoef(own, real)[0, 1]
    for volume in (made[0], outside):
        found = correlation_of_differences(REAL[0], volume, MASK, BRAIN)
        assert found == pytest.approx(expected)


def test_neither_brightness_nor_strength_counts():
    """A weak difference in the right places is a whole one; so is one with an offset."""
    for factor, offset in ((0.1, 0), (2, 0), (1, 0.05)):
        made = BRAIN + factor * PERSONS[0] + offset
        assert correlation_of_differences(REAL[0], made, MASK, BRAIN) == pytest.approx(1)


def test_a_gap_does_not_count():
    seen = np.ones(REAL.shape, bool)
    seen[:, 6:] = False
    holes = np.where(seen, REAL, 0)
    given = (VISITS, holes, MODELS["of_persons"], MASK, 0, MEAN)
    assert measure_differences(*given, seen)["value"].min() > 0.9
    assert measure_differences(*given)["value"].max() < 0.5


def test_only_held_out_visits_are_measured_each_by_its_row():
    visits = VISITS.assign(role=["test", "mri_only", "test", "train", "test", "test"])
    table = of_all("of_persons", visits=visits, fold=2)
    assert list(table["subject"]) == list("acef")
    other = measure_visits(visits, REAL, MODELS["of_persons"], MASK, 2)
    assert list(table.columns) == list(other.columns)
    assert set(table["subject"]) == set(other["subject"])
    assert set(table["fold"]) == {2} and set(table["unit"]) == {"1"}
    none = of_all("of_persons", visits=visits.assign(role="mri_only"))
    assert none.empty and list(none.columns) == list(other.columns)


def test_a_mean_pet_of_other_visits_is_refused():
    with pytest.raises(InputError, match="fold 1: Mean PET has shape"):
        measure_differences(VISITS, REAL, MODELS["of_persons"], MASK, 1, MEAN[:2])


def values():
    """Metrics of all models, in two folds."""
    parts = []
    for name in MODELS:
        own = [measure_visits(VISITS, REAL, MODELS[name], MASK, 0), of_all(name)]
        table = pd.concat(own, ignore_index=True).assign(method=name)
        parts.append(table.assign(fold=(table["subject"] > "c").astype(int)))
    return pd.concat(parts, ignore_index=True)


PUBLISHED = pd.DataFrame(
    columns=["table", "dataset", "method", "model", "metric", "unit", "mean", "sd"]
)
TRAINED = ["of_the_mean", "of_persons", "opposite"]


@pytest.mark.parametrize("system", ["gla_gan", "dual_glow"])
def test_it_stands_in_the_table_with_interval_and_tests(system):
    table = image_tables.image_table(values(), TRAINED, PUBLISHED, system=system)
    own = table[table["metric"] == LIKENESS.name].set_index("method")
    assert set(own.index) == set(MODELS)
    assert set(own["unit"]) == {"1"} and set(own["n"]) == {PEOPLE}
    assert np.isnan(own.loc["mean_pet", ["mean", "low", "p_value"]].astype(float)).all()
    assert own.loc["of_persons", "low"] <= own.loc["of_persons", "mean"]
    assert own.loc["of_the_mean", "p_holm"] < 0.05  # against the best, which is of persons
    assert np.isnan(own.loc["of_persons", "p_value"])
    assert own["published_mean"].isna().all()


def test_it_stands_in_the_anomaly_table_too():
    given = values()
    lpips = given[given["metric"] == "MAE"].assign(metric="LPIPS", unit="distance")
    given = pd.concat([given, lpips], ignore_index=True)
    table = configuration_table(given, dict.fromkeys(TRAINED, "3D"), PUBLISHED)
    own = table[table["metric"] == LIKENESS.name].set_index("method")
    assert own.loc["of_persons", "mean"] > 0.9 and np.isnan(own.loc["mean_pet", "mean"])
    tests = pair_tests(given, TRAINED, PUBLISHED)
    assert (tests["metric"] == LIKENESS.name).sum() == 3


def test_systems_without_a_mean_pet_have_none():
    given = values()
    for system in SYSTEMS:
        listed = image_metrics.listed(system)
        assert listed_in(given, system) == [*listed, LIKENESS.name]
        assert listed_in(given[given["metric"] != LIKENESS.name], system) == listed
    assert LIKENESS.name not in image_metrics.measured("standardised")
    assert LIKENESS.name not in image_metrics.listed("ixi")


def test_the_report_knows_it_and_says_what_it_is():
    assert image_metrics.metric_of(LIKENESS.name) is LIKENESS
    assert image_metrics.unit_of(LIKENESS.name) == "1"
    assert image_metrics.higher_is_better(LIKENESS.name)
    table = image_tables.image_table(values(), TRAINED, PUBLISHED, system="dual_glow")
    assert CAPTION in notes(table, {})
    assert CAPTION not in notes(table[table["metric"] != LIKENESS.name], {})
