"""Scores of probes against scikit-learn and NumPy."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from mri2pet.evaluation.probe_scores import COLUMNS, PREDICTED, probe_table

GROUPS = ["CN", "MCI", "AD"]


def predictions(attribute, truth, predicted, method="flow"):
    count = len(truth)
    table = pd.DataFrame({"truth": truth, "predicted": predicted})
    return table.assign(
        method=method,
        source="codes",
        attribute=attribute,
        fold=np.arange(count) % 3,
        subject=[f"s{i}" for i in range(count)],
        visit="bl",
    )[list(PREDICTED)]


@pytest.fixture
def classes():
    rng = np.random.default_rng(0)
    truth = np.array(GROUPS * 9)
    return truth, np.where(rng.uniform(size=27) < 0.7, truth, rng.choice(GROUPS, 27))


def test_classes_are_scored_by_balanced_accuracy(classes):
    truth, called = classes
    uneven = np.r_[np.arange(27), np.arange(0, 27, 3)]  # more CN than others
    made = probe_table(predictions("diagnosis", truth[uneven], called[uneven]))
    assert list(made.columns) == list(COLUMNS)
    row = made.iloc[0]
    expected = 100 * balanced_accuracy_score(truth[uneven], called[uneven])
    assert row["mean"] == pytest.approx(expected)
    assert row["low"] < expected < row["high"]
    assert (row["unit"], row["chance"], row["n"]) == ("percent", pytest.approx(100 / 3), 36)


def test_a_probe_that_always_says_the_same_is_at_chance():
    truth = ["F"] * 9 + ["M"] * 3
    row = probe_table(predictions("sex", truth, ["F"] * 12)).iloc[0]
    assert row["mean"] == row["chance"] == 50


def test_ages_are_scored_by_the_correlation_over_people():
    rng = np.random.default_rng(1)
    truth = rng.normal(0, 6, 30)
    predicted = 0.3 * truth + rng.normal(0, 2, 30)
    table = predictions("age", truth, predicted)
    twice = table.iloc[:5].assign(visit="m12", predicted=table["predicted"][:5] + 3)
    row = probe_table(pd.concat([table, twice])).iloc[0]
    averaged = predicted + np.r_[np.full(5, 1.5), np.zeros(25)]
    assert row["mean"] == pytest.approx(np.corrcoef(truth, averaged)[0, 1])
    assert 0 < row["low"] < row["mean"] < row["high"]
    assert (row["unit"], row["chance"], row["n"]) == ("correlation", 0, 30)


def test_what_is_unknown_is_left_out_and_methods_stand_apart(classes):
    truth, called = classes
    first = predictions("diagnosis", list(truth), list(called))
    first.loc[:3, "truth"] = None
    other = predictions("diagnosis", list(truth), list(truth), method="other")
    made = probe_table(pd.concat([first, other])).set_index("method")
    expected = 100 * balanced_accuracy_score(truth[4:], called[4:])
    assert made.loc["flow", "mean"] == pytest.approx(expected)
    assert made.loc["other", "mean"] == 100
    assert np.isnan(made.loc["other", "low"])  # all of a few people: not certain
