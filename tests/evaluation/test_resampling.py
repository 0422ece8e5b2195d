"""Intervals by resampling subjects: who is drawn, and how often the interval holds the truth."""

import numpy as np
import pandas as pd
import pytest

from mri2pet.evaluation import resampling
from mri2pet.evaluation.comparison import mean_of_folds, mean_of_people
from mri2pet.evaluation.resampling import (
    FEWEST,
    RESAMPLES,
    bootstrap_test,
    interval,
    smallest_group,
    subject_weights,
    weighted_mean,
)


def clustered(rng, people=24, visits=4, folds=3, spread=1.0, noise=0.3):
    """Visits of people who differ among themselves more than their own visits do."""
    who = np.repeat(np.arange(people), visits)
    value = rng.normal(0, spread, people)[who] + rng.normal(0, noise, len(who))
    subjects = [f"s{number:02d}" for number in who]
    return pd.DataFrame({"subject": subjects, "fold": who % folds, "value": value})


def test_all_visits_of_a_subject_are_drawn_together_and_as_many_subjects_as_there_are():
    subjects = pd.Series(["b", "a", "b", "c", "a", "b"])
    weights = subject_weights(subjects)
    assert weights.shape == (RESAMPLES, 6)
    assert (weights[:, 0] == weights[:, 2]).all() and (weights[:, 1] == weights[:, 4]).all()
    assert set((weights[:, 0] + weights[:, 1] + weights[:, 3]).tolist()) == {3}
    assert len(np.unique(weights[:, :2], axis=0)) > 5


def test_subjects_are_drawn_within_their_group_and_in_any_order_alike():
    subjects = pd.Series(list("abcdef"))
    groups = pd.Series(["AD", "CN", "AD", "CN", "CN", "AD"])
    weights = subject_weights(subjects, groups)
    for group in ("AD", "CN"):
        assert set(weights[:, (groups == group).to_numpy()].sum(axis=1).tolist()) == {3}
    turned = subject_weights(subjects[::-1], groups[::-1])
    np.testing.assert_array_equal(turned[:, ::-1], weights)


def test_a_subject_of_two_groups_stays_one():
    weights = subject_weights(pd.Series(list("aabc")), pd.Series(["CN", "AD", "AD", "CN"]))
    assert (weights[:, 0] == weights[:, 1]).all()


def test_the_interval_is_of_subjects_and_not_of_visits():
    """With many alike visits a person, visits as units would make it less than half as wide."""
    rows = clustered(np.random.default_rng(0), visits=9, noise=0.05)
    found = mean_of_folds(rows)
    low, high = interval(found.resampled, found.smallest)
    as_visits = rows.assign(subject=[f"v{number}" for number in range(len(rows))])
    visits = mean_of_folds(as_visits)
    narrow = np.ptp(interval(visits.resampled, visits.smallest))
    people = rows.groupby("subject")["value"].mean()
    expected = 2 * 1.96 * people.std() / np.sqrt(len(people))
    assert high - low == pytest.approx(expected, rel=0.2)
    assert narrow < 0.5 * (high - low)


def test_what_is_resampled_is_the_mean_that_is_printed():
    """Folds of unlike size: the mean over folds is not that over visits."""
    rows = clustered(np.random.default_rng(1), people=20, noise=1.0)
    rows = rows[(rows["fold"] > 0) | (rows["subject"] < "s03")]
    found = mean_of_folds(rows)
    folds = rows.groupby("fold")["value"].mean()
    assert found.mean == pytest.approx(folds.mean())
    assert found.sd == pytest.approx(folds.std(ddof=1))
    assert abs(found.mean - rows["value"].mean()) > 0.02
    weights = subject_weights(rows["subject"])
    for draw in (0, 1, 2):
        own = rows.assign(weight=weights[draw])
        totals = own.assign(value=own["value"] * own["weight"]).groupby("fold").sum(True)
        expected = (totals["value"] / totals["weight"]).mean()
        assert found.resampled[draw] == pytest.approx(expected)


def coverage(make, truth=0.0, simulations=200):
    rng, held = np.random.default_rng(7), 0
    for _ in range(simulations):
        found = make(rng)
        low, high = interval(found.resampled, found.smallest)
        held += low <= truth <= high
    return held / simulations


@pytest.mark.parametrize("people", [8, 24])
def test_intervals_of_clustered_visits_hold_the_truth_in_about_95_of_100(people, monkeypatch):
    """200 simulations: 95% is seen as 92 to 98% in 95 of 100 tries; of visits it is far less."""
    monkeypatch.setattr(resampling, "RESAMPLES", 600)
    resampling._draws.cache_clear()
    found = coverage(lambda rng: mean_of_folds(clustered(rng, people)))
    assert 0.91 <= found <= 0.985

    def of_visits(rng):
        rows = clustered(rng, people)
        return mean_of_folds(rows.assign(subject=[f"v{number}" for number in range(len(rows))]))

    assert coverage(of_visits) < 0.80
    resampling._draws.cache_clear()


def test_intervals_of_means_of_people_hold_the_truth(monkeypatch):
    monkeypatch.setattr(resampling, "RESAMPLES", 600)
    resampling._draws.cache_clear()

    def people(rng):
        return mean_of_people(pd.Series(rng.normal(0, 1, 10), index=[f"s{n}" for n in range(10)]))

    assert 0.91 <= coverage(people) <= 0.985
    resampling._draws.cache_clear()


def test_too_few_people_have_no_interval():
    few = mean_of_people(pd.Series(np.arange(FEWEST - 1.0), index=list("abc")))
    assert np.isnan(interval(few.resampled, few.smallest)).all()
    enough = mean_of_people(pd.Series(np.arange(float(FEWEST)), index=list("abcd")))
    assert np.isfinite(interval(enough.resampled, enough.smallest)).all()


def test_a_value_that_all_resamples_share_has_no_interval():
    """Sixteen people called rightly: an interval from 1 to 1 would say that nobody ever is not."""
    found = mean_of_people(pd.Series(1.0, index=[f"s{number:02d}" for number in range(16)]))
    assert np.isnan(interval(found.resampled, found.smallest)).all()


def test_many_statistics_at_once_are_each_their_own():
    values = np.random.default_rng(0).normal(size=(12, 3))
    values[:, 2] = np.nan
    drawn = weighted_mean(values, subject_weights(pd.Series(list("abcdefghijkl"))))
    lows, highs = interval(drawn, 12)
    for column in (0, 1):
        assert (lows[column], highs[column]) == interval(drawn[:, column], 12)
    assert np.isnan([lows[2], highs[2]]).all()


def test_paired_resamples_see_a_difference_that_is_alike_in_all():
    people = pd.Series(
        np.random.default_rng(0).normal(0, 5, 20), index=[f"s{n}" for n in range(20)]
    )
    first, second = mean_of_people(people), mean_of_people(people + 0.1)
    resamples = first.resampled, second.resampled
    assert bootstrap_test(*resamples, 20) == pytest.approx(2 / (RESAMPLES + 1))
    assert bootstrap_test(first.resampled, first.resampled, 20) == 1
    assert np.isnan(bootstrap_test(first.resampled, np.full(RESAMPLES, np.nan), 20))


def test_a_few_people_cannot_give_a_smaller_p_than_an_exact_test():
    first = mean_of_people(pd.Series([0.0] * 4, index=list("abcd")))
    second = mean_of_people(pd.Series([1.0] * 4, index=list("abcd")))
    assert bootstrap_test(first.resampled, second.resampled, 4) == pytest.approx(2 / 2**4)


def test_the_smallest_group_counts():
    subjects = pd.Series(list("aabcde"))
    groups = pd.Series(["AD", "AD", "CN", "CN", "CN", "AD"])
    assert smallest_group(subjects, groups) == 2
    assert smallest_group(subjects) == 5
