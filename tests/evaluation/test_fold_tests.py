"""Tests over subjects and over folds, the AUC within folds, and the correction for many tests."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, t, ttest_rel
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from mri2pet.errors import InputError
from mri2pet.evaluation import resampling
from mri2pet.evaluation.classification import classification_metrics, metric_parts
from mri2pet.evaluation.comparison import check_same_people, measure_folds, put_together
from mri2pet.evaluation.image_tables import diagnosis_table
from mri2pet.evaluation.resampling import interval
from mri2pet.evaluation.statistics import corrected_t_test, holm, mcnemar_test

NOBODY = pd.DataFrame(columns=["dataset", "model", "metric", "unit", "mean", "sd"])
MODELS = ["good", "poor"]


def test_mcnemar_equals_a_count_by_hand():
    """Nine subjects: both right 3, the first alone 5, the second alone 1; and one who is "
    "unpaired."""
    first = pd.Series([1.0] * 8 + [0] + [1], index=list("abcdefghix"))
    second = pd.Series([1.0] * 3 + [0] * 5 + [1], index=list("abcdefghi"))
    by_hand = 2 * sum([1, 6]) / 2**6  # two-tailed: six tosses with one head or none
    assert mcnemar_test(first, second) == pytest.approx(by_hand)
    table = mcnemar([[3, 5], [1, 0]], exact=True)
    assert mcnemar_test(first, second) == pytest.approx(table.pvalue)
    assert mcnemar_test(second, first) == pytest.approx(by_hand)
    assert mcnemar_test(first, first) == 1
    assert np.isnan(mcnemar_test(first.iloc[-1:], second))


def test_a_subject_with_several_visits_counts_once_for_mcnemar():
    first = pd.Series([1.0, 2 / 3, 0.5], index=list("abc"))
    second = pd.Series([0.0, 1 / 3, 0.5], index=list("abc"))
    assert mcnemar_test(first, second) == pytest.approx(0.5)  # two tosses, both of one side


def folds(differences):
    return pd.Series(differences), pd.Series(np.zeros(len(differences)))


def test_nadeau_and_bengio_by_hand():
    first, second = folds([0.02, 0.05, -0.01, 0.04, 0.03])
    mean, variance = 0.026, np.var([0.02, 0.05, -0.01, 0.04, 0.03], ddof=1)
    statistic = mean / np.sqrt(variance * (1 / 5 + 1 / 4))
    expected = 2 * t.sf(statistic, 4)
    assert corrected_t_test(first, second, 1 / 4) == pytest.approx(expected)
    assert corrected_t_test(first, second, 0) == pytest.approx(ttest_rel(first, second).pvalue)
    assert np.isnan(corrected_t_test(first, first, 1 / 4))
    assert np.isnan(corrected_t_test(first.iloc[:1], second, 1 / 4))


@pytest.mark.parametrize("k", [3, 5])
def test_the_plain_test_over_folds_finds_too_much_and_the_corrected_one_does_not(k):
    """Two equal methods; differences of folds go together by n_test / (n_test + n_train) = 1 / k.

    That is the correlation from which Nadeau and Bengio take their correction. The plain test then
    finds a difference in 11 (k = 3) or 14 of 100 (k = 5).
    """
    rng, tries = np.random.default_rng(3), 1500
    plain = corrected = 0
    for _ in range(tries):
        common = rng.normal(0, np.sqrt(1 / k))
        first, second = folds(common + rng.normal(0, np.sqrt(1 - 1 / k), k))
        plain += ttest_rel(first, second).pvalue < 0.05
        corrected += corrected_t_test(first, second, 1 / (k - 1)) < 0.05
    assert 0.095 <= plain / tries <= 0.165
    assert 0.035 <= corrected / tries <= 0.065


def test_holm_is_statsmodels_and_leaves_out_what_is_missing():
    given = [0.04, np.nan, 0.001, 0.03, 0.03, np.nan]
    expected = multipletests([0.04, 0.001, 0.03, 0.03], method="holm")[1]
    found = holm(given)
    assert [found[i] for i in (0, 2, 3, 4)] == pytest.approx(expected)
    assert np.isnan([found[1], found[5]]).all()
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def fold_scores(shift):
    """Two folds in each of which all pairs but one are in order; the second on another scale."""
    truth = np.array([True, True, False, False] * 2)
    score = np.array([2.0, 0.5, 1.0, 0.0] * 2) + np.repeat([0.0, shift], 4)
    return pd.DataFrame({"truth": truth, "score": score, "fold": np.repeat([0, 1], 4)})


POOLED = {0.0: 0.75, 10.0: (3 + 3 + 4) / 16, -10.0: (3 + 3 + 4) / 16}  # of a fold, of another


@pytest.mark.parametrize("shift", POOLED)
def test_the_auc_is_of_pairs_within_folds(shift):
    rows = fold_scores(shift)
    parts = [
        metric_parts(own["truth"], own["score"] > 0, own["score"], np.ones((1, 4)))["AUC"]
        for _, own in rows.groupby("fold")
    ]
    assert put_together(parts)[0] == pytest.approx(6 / 8)
    pooled = classification_metrics(rows["truth"], rows["score"] > 0, rows["score"])["AUC"]
    assert pooled == pytest.approx(POOLED[shift])


def test_folds_count_by_their_pairs():
    """One pair in order of one, and none of four: one of five, not the mean of 1 and 0."""
    one = metric_parts([True, False], [True, True], [1.0, 0.0], np.ones((1, 2)))["AUC"]
    four = metric_parts(
        [True, True, False, False], [True] * 4, [0.0, 0.0, 1.0, 1.0], np.ones((1, 4))
    )["AUC"]
    assert put_together([one, four])[0] == pytest.approx(1 / 5)


def predictions(shift=0.0, people=30, flips=range(8)):
    """`good` calls all rightly, `poor` calls some subjects wrongly; folds' scores may be "
    "shifted."""
    rows = []
    for method, wrong in {"good": set(), "poor": set(flips), "mean_pet": set()}.items():
        for number in range(people):
            positive, fold = number % 2 == 0, number // 2 % 3
            right = positive != (number in wrong)
            score = (1.0 if right else -1.0) + number / 1000
            words = ["AD" if it else "CN" for it in (positive, right)]
            rows.append((method, f"s{number:02d}", "bl", fold, *words, score + fold * shift))
    names = ["method", "subject", "visit", "fold", "truth", "predicted", "score"]
    return pd.DataFrame(rows, columns=names)


def table_2(given, dataset="Paired"):
    return diagnosis_table(given, dataset, "AD", MODELS, NOBODY).set_index(["method", "metric"])


def test_a_shift_of_a_folds_scores_does_not_touch_the_auc_of_the_table():
    tables = [table_2(predictions(shift)) for shift in (0.0, 50.0)]
    for name in ("mean", "sd", "low", "high", "p_value"):
        np.testing.assert_allclose(
            *(table.loc[("poor", "AUC"), name] for table in tables), equal_nan=True
        )
    row = tables[0].loc[("poor", "AUC")]
    assert row["low"] < row["mean"] < row["high"] < 1


def test_tests_of_the_diagnosis_are_over_subjects():
    table = table_2(predictions())
    accuracy = table.loc[("poor", "accuracy")]
    assert accuracy["p_value"] == pytest.approx(2 / 2**8)  # eight discordant, all of one side
    assert accuracy["p_holm"] == pytest.approx(2 * accuracy["p_value"])  # Mean PET is compared too
    assert table.loc[("mean_pet", "accuracy"), "p_value"] == 1
    assert np.isnan(table.loc[("good", "accuracy"), ["p_value", "p_holm", "p_folds"]]).all()
    for metric in ("sensitivity", "specificity", "F1", "MCC", "AUC"):
        assert table.loc[("poor", metric), "p_value"] < 0.05
        assert table.loc[("mean_pet", metric), "p_value"] == 1
    assert table.loc[("poor", "accuracy"), "p_folds"] > 0


def test_visits_of_one_subject_do_not_narrow_the_intervals_of_a_diagnosis():
    given = predictions()
    again = pd.concat([given.assign(visit=visit) for visit in ("bl", "m12", "m24")])
    once, often = table_2(given), table_2(again)
    for name in ("low", "high", "p_value"):
        pd.testing.assert_series_equal(once[name], often[name])


@pytest.mark.parametrize(
    "metric, truth", [("AUC", norm.cdf(1 / 2**0.5)), ("accuracy", norm.cdf(0.5))]
)
def test_intervals_of_a_diagnosis_hold_the_truth_in_about_95_of_100(metric, truth, monkeypatch):
    """Twenty people a group, whose scores lie one sd apart, in three folds of unlike scale."""
    monkeypatch.setattr(resampling, "RESAMPLES", 600)
    resampling._draws.cache_clear()
    rng, held, number = np.random.default_rng(1), 0, np.arange(40)
    rows = pd.DataFrame({"subject": [f"s{n:02d}" for n in number], "fold": number // 2 % 3})
    rows["truth"] = np.where(number % 2, "AD", "CN")

    def score(visits, weights):
        return metric_parts(visits["truth"] == "AD", visits["called"], visits["score"], weights)

    for _ in range(200):
        value = rng.normal(size=40) + number % 2
        given = rows.assign(score=value + 9 * rows["fold"], called=value > 0.5)
        found = measure_folds(given, score, pd.Series(dtype=float), given["truth"])[metric]
        low, high = interval(found.resampled, found.smallest)
        held += low <= truth <= high
    assert 0.92 <= held / 200 <= 0.99
    resampling._draws.cache_clear()


def test_rows_of_different_people_are_refused():
    given = predictions()
    lost = given[(given["method"] != "poor") | (given["subject"] != "s07")]
    said = "Paired: good was measured on subject s07, visit bl, fold 0, and poor was not"
    with pytest.raises(InputError, match=said):
        table_2(lost)
    other = given.replace({"visit": {"bl": "m06"}}).where(given["method"] == "poor", given)
    with pytest.raises(InputError, match=r"poor was measured on|poor was not"):
        table_2(other)


def test_same_people_may_stand_in_any_order():
    given = predictions()
    check_same_people(given.sample(frac=1, random_state=0), "Paired")
