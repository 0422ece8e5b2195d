import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel
from sklearn import metrics

from mri2pet.evaluation.classification import classification_metrics
from mri2pet.evaluation.statistics import best_of, mean_and_sd, paired_t_test


def test_mean_and_sample_sd_skip_what_is_undefined():
    assert mean_and_sd(pd.Series([1.0, 3.0, np.nan])) == (2.0, pytest.approx(np.sqrt(2)))
    mean, sd = mean_and_sd(pd.Series([1.0]))
    assert mean == 1.0
    assert np.isnan(sd)


def test_t_test_pairs_by_index_whatever_the_order():
    rng = np.random.default_rng(0)
    first = pd.Series(rng.normal(0, 1, 9), index=list("abcdefghi"))
    second = first + rng.normal(0.5, 1, 9)
    expected = ttest_rel(first, second).pvalue
    assert paired_t_test(first, second.sample(frac=1, random_state=1)) == pytest.approx(expected)


@pytest.mark.parametrize("second", [[1.5, 2.5, 3.5], [1.0, 2.0, 3.0], [np.nan, np.nan, 1.0]])
def test_t_test_is_undefined_without_differences_that_vary(second):
    assert np.isnan(paired_t_test(pd.Series([1.0, 2.0, 3.0]), pd.Series(second)))


def test_best_of_knows_the_direction_and_skips_the_undefined():
    means = {"a": 1.0, "b": 2.0, "c": np.nan}
    assert best_of(means, higher_is_better=True) == "b"
    assert best_of(means, higher_is_better=False) == "a"
    assert best_of({"c": np.nan}, higher_is_better=True) is None


def test_classification_metrics_are_sklearn_s():
    rng = np.random.default_rng(3)
    truth = rng.uniform(size=60) < 0.4
    score = np.round(truth + rng.normal(0, 1, 60), 1)  # rounding makes ties
    predicted = score > 0.5
    ours = classification_metrics(truth, predicted, score)
    expected = {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "sensitivity": metrics.recall_score(truth, predicted),
        "specificity": metrics.recall_score(~truth, ~predicted),
        "F1": metrics.f1_score(truth, predicted),
        "MCC": metrics.matthews_corrcoef(truth, predicted),
        "AUC": metrics.roc_auc_score(truth, score),
    }
    assert ours == pytest.approx(expected)


def test_one_class_leaves_undefined_what_it_cannot_tell():
    found = classification_metrics([False, False], [False, True], [-1, 1])
    assert found["accuracy"] == 0.5
    assert found["specificity"] == 0.5
    assert all(np.isnan(found[name]) for name in ("sensitivity", "F1", "MCC", "AUC"))
    assert all(np.isnan(value) for value in classification_metrics([], [], []).values())


def test_all_called_the_same_gives_zero_mcc_and_f1():
    found = classification_metrics([True, False], [False, False], [-2, -1])
    assert (found["MCC"], found["F1"], found["AUC"]) == (0, 0, 0)
