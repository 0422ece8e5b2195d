"""Changes that a model shows against those that would be there, of people made by hand."""

import numpy as np
import pandas as pd
import pytest

from mri2pet.evaluation.counterfactual import COLUMNS, counterfactual_table, true_values
from mri2pet.evaluation.regions import BRAIN, SET_AGE, SET_DIAGNOSIS

REGIONS = [f"R{i}" for i in range(20)]
AGES = [50.0, 60.0, 70.0, 80.0, 90.0]
RNG = np.random.default_rng(3)
SLOPES = -RNG.uniform(0, 0.02, len(REGIONS))  # a decade
LOSSES = -RNG.uniform(0, 0.2, len(REGIONS))  # from CN to AD


def rows_of(curve, own, scale=1.0, noise=None):
    frames = []
    told = [(own["group"], age) for age in AGES]
    if curve == SET_DIAGNOSIS:
        told = [(group, own["own_age"]) for group in ("CN", "AD")]
    for group, age in told:
        change = SLOPES * (age - 60) / 10 if curve == SET_AGE else LOSSES * (group == "AD")
        change = change * own["factor"] * scale
        if noise is not None:
            change = change + noise * (age - 60 if curve == SET_AGE else group == "AD")
        frames.append(pd.DataFrame({"region": REGIONS, "value": 0.5 + own["level"] + change}))
        frames[-1] = frames[-1].assign(curve=curve, group=group, age=age)
    return pd.concat(frames).assign(**{key: own[key] for key in ("subject", "visit", "fold")})


@pytest.fixture
def people():
    return [
        {
            "subject": f"s{i}", "visit": "bl", "fold": i % 3, "group": ("CN", "MCI", "AD")[i % 3],
            "own_age": 62.0 + 2 * i, "level": 0.01 * i, "factor": 1 - 0.02 * i,
        }
        for i in range(9)
    ]  # fmt: skip


def table(people, scale=1.0, noise=None, spoilt=()):
    made = pd.concat(rows_of(c, p, scale, noise) for p in people for c in (SET_AGE, SET_DIAGNOSIS))
    truth = pd.concat(rows_of(c, p) for p in people for c in (SET_AGE, SET_DIAGNOSIS))
    outside = (made["curve"] == SET_AGE) & made["age"].isin([50.0, 90.0, *spoilt])
    made = made.assign(method="flow", outside=outside)
    whole = made[made["region"] == "R0"].assign(region=BRAIN, value=1.0)
    return counterfactual_table(pd.concat([made, whole]), truth)


def test_half_of_the_truth_has_a_ratio_of_a_half_and_a_perfect_correlation(people):
    made = table(people, scale=0.5)
    assert list(made.columns) == list(COLUMNS)
    assert list(made["metric"]) == [
        f"{told} told, {measure}"
        for told in ("age", "diagnosis")
        for measure in ("correlation over regions", "change over the true one")
    ]
    assert made["mean"].to_list() == pytest.approx([1, 0.5, 1, 0.5])
    assert set(made["n"]) == {9}
    assert made["sd"].to_list() == pytest.approx([0] * 4, abs=1e-9)


def test_correlation_and_slope_are_numpys_of_the_mean_changes(people):
    noise = 0.001 * RNG.normal(size=len(REGIONS))
    made = table(people, noise=noise)["mean"].to_list()
    true = SLOPES * np.mean([own["factor"] for own in people])
    shown = true + 10 * noise
    assert made[0] == pytest.approx(np.corrcoef(true, shown)[0, 1])
    assert made[1] == pytest.approx(np.polyfit(true, shown, 1)[0])


def test_ages_outside_the_training_people_s_do_not_count(people):
    """What a model shows there may be anything."""
    plain = table(people, scale=0.5)
    frames = [rows_of(c, p, 0.5) for p in people for c in (SET_AGE, SET_DIAGNOSIS)]
    made = pd.concat(frames).assign(method="flow")
    beyond = (made["curve"] == SET_AGE) & made["age"].isin([50.0, 90.0])
    made["outside"] = beyond
    made.loc[beyond, "value"] = RNG.uniform(size=int(beyond.sum()))
    truth = pd.concat(rows_of(c, p) for p in people for c in (SET_AGE, SET_DIAGNOSIS))
    spoilt = counterfactual_table(made, truth)
    pd.testing.assert_frame_equal(spoilt, plain)


def test_one_age_or_none_within_leaves_the_age_open(people):
    for spoilt in ([60.0, 70.0], [60.0, 70.0, 80.0]):
        made = table(people, spoilt=spoilt).set_index("metric")
        assert made.loc["age told, correlation over regions", ["mean", "low"]].isna().all()
        assert made.loc["diagnosis told, correlation over regions", "mean"] == pytest.approx(1)


def test_a_model_that_is_told_the_age_alone_has_rows_of_the_age_alone(people):
    """Its table of diagnoses is empty, and makes one column of objects of the two."""
    made = pd.concat(rows_of(SET_AGE, own, 0.5) for own in people).assign(method="flow")
    made["outside"] = made["age"].isin([50.0, 90.0]).astype(object)
    truth = pd.concat(rows_of(c, own) for own in people for c in (SET_AGE, SET_DIAGNOSIS))
    table = counterfactual_table(made, truth)
    assert table["metric"].str.startswith("age told").all()
    assert table["mean"].to_list() == pytest.approx([1, 0.5])


def test_people_who_differ_make_an_interval(people):
    for number, own in enumerate(people):
        own["factor"] = 1 + 0.4 * (-1) ** number
    frames = [rows_of(SET_AGE, own, noise=0.002 * RNG.normal(size=len(REGIONS))) for own in people]
    made = pd.concat(frames).assign(method="flow", outside=False)
    truth = pd.concat(rows_of(SET_AGE, own) for own in people)
    row = counterfactual_table(made, truth).iloc[0]
    assert row["low"] < row["mean"] < 1
    assert row["low"] < row["high"] <= 1
    assert row["high"] - row["low"] > 0.01


def test_true_values_name_what_was_told():
    class Anatomy:
        def uptake(self, age=None, diagnosis=None):
            return np.array([age or 0, {"CN": 1, "AD": 2, None: 0}[diagnosis]])

    class Mixing:
        def values(self, uptake):
            return uptake / 10

    visit = pd.Series({"subject": "s", "visit": "bl", "group": "MCI", "age": 71.0})
    made = true_values(visit, Anatomy(), Mixing(), ["A", "B"], [60, 70], ["CN", "AD"])
    assert made[made["curve"] == SET_AGE]["value"].to_list() == [6, 0, 7, 0]
    assert made[made["curve"] == SET_AGE]["group"].unique().tolist() == ["MCI"]
    told = made[made["curve"] == SET_DIAGNOSIS]
    assert told["group"].to_list() == ["CN", "CN", "AD", "AD"]
    assert set(told["age"]) == {71.0}
