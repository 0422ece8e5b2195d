"""RBF support vector machine on regional means, tuned inside the training data only."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.diagnosis.experiments import Experiment

log = logging.getLogger(__name__)

PREDICTION_COLUMNS = (
    "subject", "visit", "group", "fold", "truth", "score", "probability", "predicted",
)  # fmt: skip


@dataclass(frozen=True)
class Tuning:
    """Which hyper-parameters are tried, and how they are judged.

    Attributes
    ----------
    inner_folds
        Inner folds by subject; fewer where the rarest class has fewer subjects.
    C, gamma
        Values tried. Among equals the one listed first wins. `scale` is one over the number of
        features times their variance.
    """

    inner_folds: int = 3
    C: Sequence[float] = field(default=(1.0, 10.0, 100.0, 0.1))
    gamma: Sequence[float | str] = field(default=("scale", 1e-4, 1e-3, 1e-2))


@dataclass(frozen=True)
class Settings(Tuning):
    """Two groups to be told apart; the score is high for the positive one."""

    positive: str = "AD"
    negative: str = "CN"


@dataclass(frozen=True)
class Classifier:
    """A fitted pipeline, the sigmoid that turns its score into a probability, and its choice.

    Attributes
    ----------
    pipeline
        Imputation, standardisation, SVM, fitted on the training data.
    slope, intercept
        Probability of the positive class = 1 / (1 + exp(-(slope * score + intercept))).
    chosen
        C and gamma.
    """

    pipeline: Any
    slope: float
    intercept: float
    chosen: dict[str, Any]

    def score(self, features: NDArray) -> NDArray:
        """Return signed distances (n,) to the decision surface, positive for the positive class."""
        return self.pipeline.decision_function(features)

    def probability(self, features: NDArray) -> NDArray:
        """Return the probabilities (n,) of the positive class."""
        return 1 / (1 + np.exp(-(self.slope * self.score(features) + self.intercept)))


def fit(
    features: NDArray, positive: NDArray, subjects: Sequence[str], settings: Tuning, seed: int
) -> Classifier | None:
    """Tune and train a classifier of two classes.

    As `tune`; the decision values of the held-out inner folds give the Platt sigmoid; where they
    say nothing (a falling sigmoid, or no inner folds) the probability is the share of the positive
    class.

    Parameters
    ----------
    features
        (n, features), NaN where missing.
    positive
        (n,) booleans.
    subjects, settings, seed
        As for `tune`.

    Returns
    -------
    None if the training data hold one class only.
    """
    from sklearn.base import clone

    positive = np.asarray(positive, dtype=int)
    if len(np.unique(positive)) < 2:
        return None
    pipeline, splits, chosen = tune(features, positive, subjects, settings, seed)
    held_out = [
        (clone(pipeline).fit(features[train], positive[train]), test) for train, test in splits
    ]
    slope, intercept = _platt(
        np.concatenate([model.decision_function(features[test]) for model, test in held_out])
        if held_out
        else np.empty(0),
        np.concatenate([positive[test] for _, test in held_out]) if held_out else positive[:0],
        float(positive.mean()),
    )
    return Classifier(pipeline.fit(features, positive), slope, intercept, chosen)


def tune(
    features: NDArray, labels: NDArray, subjects: Sequence[str], settings: Tuning, seed: int
) -> tuple[Any, list[tuple[NDArray, NDArray]], dict[str, Any]]:
    """Choose C and gamma inside the training data, for two classes or more.

    A missing feature (a region without the tissue) becomes the training mean of that feature;
    features are standardised with the training mean and sd; classes are weighted inversely to
    their number; more than two are told apart one against one. C and gamma are those with the best
    balanced accuracy in a stratified cross-validation by subject inside the training data.

    Parameters
    ----------
    features
        (n, features), NaN where missing.
    labels
        (n,) classes, at least two.
    subjects
        (n,) subject of each row: inner folds are by subject.
    settings, seed
        What to try; seed of the inner folds.

    Returns
    -------
    The pipeline, not fitted; the inner folds, if any, as rows of training and test; the choice.
    """
    from sklearn.model_selection import GridSearchCV

    grid = {"svc__C": list(settings.C), "svc__gamma": list(settings.gamma)}
    pipeline = _pipeline().set_params(**{name: values[0] for name, values in grid.items()})
    splits = _inner_splits(features, labels, np.asarray(subjects), settings.inner_folds, seed)
    if splits:
        search = GridSearchCV(pipeline, grid, scoring="balanced_accuracy", cv=splits, refit=False)
        pipeline.set_params(**search.fit(features, labels).best_params_)
    else:
        log.warning("too few subjects for inner folds: the first C and gamma listed are used")
    chosen = {name.removeprefix("svc__"): pipeline.get_params()[name] for name in grid}
    return pipeline, splits, chosen


def train(experiment: Experiment, settings: Settings, seed: int) -> Classifier | None:
    """Fit a classifier to the training data of an experiment; None if they hold one class only."""
    visits = experiment.train_visits
    positive = (visits["group"] == settings.positive).to_numpy()
    return fit(experiment.train, positive, visits["subject"].to_list(), settings, seed)


def diagnose(experiment: Experiment, settings: Settings, fold: int, seed: int) -> pd.DataFrame:
    """Train on one fold's training data and predict its test visits.

    Returns
    -------
    One row a test visit: subject visit group fold truth score probability predicted. `truth` and
    `predicted` are groups, the latter by the sign of `score` (the AUC is of the score too);
    `probability` is the Platt probability of the positive class. Score, probability and
    prediction are missing if the training data hold one class only.
    """
    visits = experiment.test_visits
    table = visits[["subject", "visit", "group"]].assign(
        fold=fold, truth=visits["group"], score=np.nan, probability=np.nan, predicted=None
    )
    model = train(experiment, settings, seed)
    if model is None:
        log.warning("fold %d: the training data hold one group only; nothing is predicted", fold)
    elif len(table):
        log.info("fold %d: %s", fold, model.chosen)
        score = model.score(experiment.test)
        table = table.assign(
            score=score,
            probability=model.probability(experiment.test),
            predicted=np.where(score > 0, settings.positive, settings.negative),
        )
    return table[list(PREDICTION_COLUMNS)].reset_index(drop=True)


def _pipeline() -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    return Pipeline(
        [
            # a region without the tissue in every training visit is kept, as zeros
            ("impute", SimpleImputer(strategy="mean", keep_empty_features=True)),
            ("scale", StandardScaler()),
            # of several classes, the one with the highest decision value is predicted
            ("svc", SVC(kernel="rbf", class_weight="balanced", break_ties=True)),
        ]
    )


def _inner_splits(
    features: NDArray, labels: NDArray, subjects: NDArray, n_folds: int, seed: int
) -> list[tuple[NDArray, NDArray]]:
    """Folds by subject, of which each side holds all classes; none if there are too few."""
    from sklearn.model_selection import StratifiedGroupKFold

    classes = set(labels)
    rarest = min(len(set(subjects[labels == label])) for label in classes)
    n_folds = min(n_folds, rarest)
    if n_folds < 2:
        return []
    folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    return [
        (train, test)
        for train, test in folds.split(features, labels, subjects)
        if set(labels[train]) == classes and set(labels[test]) == classes
    ]


def _platt(scores: NDArray, positive: NDArray, prior: float) -> tuple[float, float]:
    """Fit a rising sigmoid to held-out scores; a flat one at `prior` if they do not support it."""
    from sklearn.linear_model import LogisticRegression

    if len(scores):
        sigmoid = LogisticRegression().fit(scores[:, None], positive)
        if sigmoid.coef_[0, 0] > 0:
            return float(sigmoid.coef_[0, 0]), float(sigmoid.intercept_[0])
    return 0.0, float(np.log(prior / (1 - prior)))
