import numpy as np
import pandas as pd
import pytest

from mri2pet.diagnosis.experiments import Experiment
from mri2pet.diagnosis.svm import PREDICTION_COLUMNS, Settings, diagnose, fit
from mri2pet.evaluation.classification import classification_metrics

SMALL = Settings(C=(1.0, 10.0), gamma=("scale", 1e-2))


def sample(n, shift, seed, n_features=20):
    rng = np.random.default_rng(seed)
    positive = np.arange(n) % 2 == 0
    return rng.normal(0, 1, (n, n_features)) + shift * positive[:, None], positive


def auc(model, features, positive):
    score = model.score(features)
    return classification_metrics(positive, score > 0, score)["AUC"]


def names(n):
    return [f"s{number // 2}" for number in range(n)]  # two visits a subject


def test_separable_classes_are_told_apart():
    model = fit(*sample(40, 2.0, 0), subjects=[str(n) for n in range(40)], settings=SMALL, seed=0)
    features, positive = sample(60, 2.0, 1)
    assert auc(model, features, positive) == 1
    probability = model.probability(features)
    assert probability[positive].mean() > 0.8
    assert probability[~positive].mean() < 0.2


def test_shuffled_labels_are_not():
    """A classifier that had seen its test data would do better than chance."""
    found = []
    for seed in range(8):
        features, positive = sample(80, 1.0, seed)
        shuffled = np.random.default_rng(seed).permutation(positive)
        subjects = [str(n) for n in range(40)]
        model = fit(features[:40], shuffled[:40], subjects, SMALL, seed=0)
        found.append(auc(model, features[40:], shuffled[40:]))
    assert 0.38 < np.mean(found) < 0.62


def test_fitting_twice_gives_the_same():
    features, positive = sample(40, 0.5, 0)
    scores = [
        fit(features, positive, [str(n) for n in range(40)], SMALL, seed=3).score(features)
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*scores)


def test_imputation_and_scaling_use_training_rows_only():
    features, positive = sample(40, 1.0, 0)
    features[3, 0] = np.nan
    features[:, 1] = np.nan  # a region that nobody has
    model = fit(features, positive, [str(n) for n in range(40)], SMALL, seed=0)
    pipeline = model.pipeline
    assert pipeline["impute"].statistics_[0] == pytest.approx(np.nanmean(features[:, 0]))
    test, _ = sample(5, 1.0, 1)
    test[:, 0] = np.nan
    alone = model.score(test[:1])
    test[1:] = 1e6
    np.testing.assert_array_equal(model.score(test)[:1], alone)


def test_inner_folds_keep_a_subject_s_visits_together(monkeypatch):
    from sklearn import model_selection

    seen = []

    class Watching(model_selection.GridSearchCV):
        def fit(self, features, positive):
            seen.extend(self.cv)
            return super().fit(features, positive)

    monkeypatch.setattr(model_selection, "GridSearchCV", Watching)
    features, _ = sample(24, 1.0, 0)
    subjects = np.array(names(24))
    positive = np.arange(24) // 2 % 2 == 0
    fit(features, positive, subjects, SMALL, seed=0)
    assert len(seen) == SMALL.inner_folds
    assert all(not set(subjects[train]) & set(subjects[test]) for train, test in seen)


@pytest.mark.parametrize("n_positive", [1, 2])
def test_tiny_samples_are_fitted(n_positive):
    features, _ = sample(7, 3.0, 0)
    positive = np.arange(7) < n_positive
    features[positive] += 5
    model = fit(features, positive, [str(n) for n in range(7)], Settings(), seed=0)
    assert np.isfinite(model.probability(features)).all()
    if n_positive == 1:  # no inner folds: the probability says no more than the prior
        np.testing.assert_allclose(model.probability(features), 1 / 7)


def experiment(train_groups, n_test=2):
    features = np.random.default_rng(0).normal(size=(len(train_groups) + n_test, 6))
    visits = pd.DataFrame(
        {
            "subject": [f"s{n}" for n in range(len(features))],
            "visit": "bl",
            "group": [*train_groups, *["AD", "CN"][:n_test]],
        }
    )
    n = len(train_groups)
    return Experiment(visits[:n], visits[n:], features[:n], features[n:])


def test_predictions_have_the_contract_s_columns():
    table = diagnose(experiment(["AD", "CN"] * 5), SMALL, fold=2, seed=0)
    assert tuple(table.columns) == PREDICTION_COLUMNS
    assert list(table["truth"]) == ["AD", "CN"]
    assert set(table["fold"]) == {2}
    assert (table["predicted"] == np.where(table["score"] > 0, "AD", "CN")).all()
    assert table["probability"].between(0, 1).all()


def test_one_class_in_training_predicts_nothing_and_does_not_crash():
    table = diagnose(experiment(["CN"] * 4), SMALL, fold=0, seed=0)
    assert len(table) == 2
    assert table[["score", "probability", "predicted"]].isna().all(axis=None)


def test_an_empty_fold_gives_an_empty_table():
    table = diagnose(experiment(["AD", "CN"] * 3, n_test=0), SMALL, fold=0, seed=0)
    assert table.empty
    assert tuple(table.columns) == PREDICTION_COLUMNS
