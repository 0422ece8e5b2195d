"""What all tables are made of: a metric of every method with its interval, tests, and corrections.

A metric of a fold comes in parts, so that folds can be put together in the way that is the metric's
own: the mean over folds, or for the AUC the share of all pairs that were formed within folds
(scores of the classifiers of two folds do not compare). The value printed and its resamples come
from the same function, with weights of one or with those of the resamples.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.errors import InputError
from mri2pet.evaluation.resampling import (
    bootstrap_test,
    interval,
    smallest_group,
    subject_weights,
    weighted_mean,
)
from mri2pet.evaluation.statistics import best_of, corrected_t_test, holm, mean_and_sd


@dataclass(frozen=True)
class Parts:
    """One metric of one fold, for B sets of weights.

    Attributes
    ----------
    numerators, denominators
        (B, k): the metric is the mean over the k parts of numerator / denominator. A part whose
        denominator is zero is not defined.
    """

    numerators: NDArray[np.float64]
    denominators: NDArray[np.float64]

    @classmethod
    def of(cls, values: NDArray) -> "Parts":
        """Make a metric of which folds are averaged: (B,) values, NaN where it is not defined."""
        defined = np.isfinite(values)
        return cls(np.where(defined, values, 0.0)[:, None], defined.astype(float)[:, None])

    def value(self) -> NDArray[np.float64]:
        """Return the metric, (B,); NaN where one of its parts is not defined."""
        ratio = np.full(self.numerators.shape, np.nan)
        np.divide(self.numerators, self.denominators, out=ratio, where=self.denominators > 0)
        return ratio.mean(axis=1)


Score = Callable[
    [pd.DataFrame, NDArray], Mapping[str, Parts]
]  # of a fold's rows and (B, n) weights


@dataclass(frozen=True)
class Measured:
    """One metric of one method.

    Attributes
    ----------
    mean, sd
        As printed.
    subjects, visits
        Who was tested, in order, and in how many rows.
    resampled
        (RESAMPLES,) the mean of each resample of subjects.
    smallest
        Subjects of the smallest group that is resampled.
    folds
        By fold; empty where there are none.
    people
        What a test pairs, by subject.
    ratio
        People tested in a fold over those of the others.
    """

    mean: float
    sd: float
    subjects: tuple[str, ...]
    visits: int
    resampled: NDArray[np.float64]
    smallest: int
    people: pd.Series
    folds: pd.Series = field(default_factory=lambda: pd.Series(dtype=float))
    ratio: float = np.nan

    def same_people(self, other: "Measured") -> bool:
        """Tell whether another method was tested on the same subjects and as many visits."""
        return (self.subjects, self.visits) == (other.subjects, other.visits)


Test = Callable[[Measured, Measured], float]


def resampled_test(first: Measured, second: Measured) -> float:
    """Two-tailed p from the same resamples of both (`resampling.bootstrap_test`)."""
    return bootstrap_test(first.resampled, second.resampled, first.smallest)


def over_people(test: Callable[[pd.Series, pd.Series], float]) -> Test:
    """Make the test of two methods out of one of two values a person, matched by subject."""
    return lambda first, second: test(first.people, second.people)


def put_together(folds: Sequence[Parts]) -> NDArray[np.float64]:
    """Put a metric of all folds together, (B,): sums of numerators over those of denominators."""
    return Parts(
        np.sum([fold.numerators for fold in folds], axis=0),
        np.sum([fold.denominators for fold in folds], axis=0),
    ).value()


def measure_folds(
    rows: pd.DataFrame, score: Score, people: pd.Series, groups: pd.Series | None = None
) -> dict[str, Measured]:
    """Measure one method fold by fold, and put the folds together.

    Parameters
    ----------
    rows
        subject, fold and what `score` looks at; a subject's rows are all of one fold.
    score
        Every metric of a fold from its rows and their weights.
    people
        What a test pairs, by subject.
    groups
        (rows) group within which subjects are resampled; None: all together.
    """
    rows = rows.reset_index(drop=True)
    groups = None if groups is None else groups.reset_index(drop=True)
    weights = subject_weights(rows["subject"], groups)
    smallest = smallest_group(rows["subject"], groups)
    printed: dict[str, dict[int, Parts]] = {}
    drawn: dict[str, list[Parts]] = {}
    for fold, own in rows.groupby("fold"):
        places = own.index.to_numpy()
        for metric, parts in score(own, np.ones((1, len(own)))).items():
            printed.setdefault(metric, {})[fold] = parts
        for metric, parts in score(own, weights[:, places]).items():
            drawn.setdefault(metric, []).append(parts)
    tested = rows.groupby("fold")["subject"].nunique()
    found = {}
    for metric, folds in printed.items():
        by_fold = pd.Series({fold: float(parts.value()[0]) for fold, parts in folds.items()})
        found[metric] = Measured(
            mean=float(put_together(list(folds.values()))[0]),
            sd=mean_and_sd(by_fold)[1],
            subjects=tuple(sorted(set(rows["subject"]))),
            visits=len(rows),
            resampled=put_together(drawn[metric]),
            smallest=smallest,
            people=people,
            folds=by_fold,
            ratio=float((tested / (tested.sum() - tested)).mean()) if len(tested) > 1 else np.nan,
        )
    return found


def mean_of_folds(rows: pd.DataFrame) -> Measured:
    """Measure the mean over folds of the mean over a fold's visits: subject fold value."""

    def score(own: pd.DataFrame, weights: NDArray) -> dict[str, Parts]:
        return {"mean": Parts.of(weighted_mean(own["value"].to_numpy(), weights))}

    return measure_folds(rows, score, rows.groupby("subject")["value"].mean())["mean"]


def mean_of_people(people: pd.Series) -> Measured:
    """Measure mean and sd over people: a value a subject."""
    people = people.sort_index()
    mean, sd = mean_and_sd(people)
    weights = subject_weights(pd.Series(people.index))
    resampled = weighted_mean(people.to_numpy(), weights)
    n = len(people)
    return Measured(mean, sd, tuple(people.index), n, resampled, n, people)


def compare(
    dataset: str,
    metric: str,
    unit: str,
    measured: Mapping[str, Measured],
    models: Sequence[str],
    higher_is_better: bool,
    test: Test,
) -> list[dict[str, object]]:
    """Make a row a method, each compared with the model whose mean is best.

    Parameters
    ----------
    dataset, metric, unit
        Written into the rows.
    measured
        By method.
    models
        Those that can be the best; others are references.
    higher_is_better
        Which way is better.
    test
        Gives `p_value`. `p_holm` is corrected over all that are compared with the best here;
        `p_folds` is `corrected_t_test` over folds. A method on other people is compared with none.
    """
    best = best_of({m: measured[m].mean for m in models if m in measured}, higher_is_better)
    tested = [
        method
        for method, own in measured.items()
        if best not in (None, method) and own.same_people(measured[best])
    ]
    found = pd.DataFrame(
        index=list(measured), columns=["p_value", "p_holm", "p_folds"], dtype=float
    )
    for method in tested:
        own, top = measured[method], measured[best]
        found.loc[method, "p_value"] = test(own, top)
        found.loc[method, "p_folds"] = corrected_t_test(own.folds, top.folds, own.ratio)
    found["p_holm"] = holm(found["p_value"].to_list())
    rows = []
    for method, own in measured.items():
        low, high = interval(own.resampled, own.smallest)
        row = {"dataset": dataset, "method": method, "metric": metric, "unit": unit}
        row |= {"mean": own.mean, "sd": own.sd, "n": len(own.subjects), "low": float(low)}
        row["high"] = float(high)
        rows.append(row | found.loc[method].to_dict())
    return rows


def check_same_people(rows: pd.DataFrame, dataset: str) -> None:
    """Refuse a table whose methods were measured on different people or visits.

    Parameters
    ----------
    rows
        method, subject and, where there are, visit and fold.
    dataset
        As printed.

    Raises
    ------
    InputError
        Naming method, subject and visit.
    """
    keys = [name for name in ("subject", "visit", "fold") if name in rows]
    seen = {
        str(method): set(own[keys].itertuples(index=False, name=None))
        for method, own in rows.groupby("method", sort=False)
    }
    first = next(iter(seen), None)
    for method, people in seen.items():
        if people != seen[first]:
            who = min(people ^ seen[first])
            has, lacks = (method, first) if who in people else (first, method)
            words = ", ".join(f"{key} {value}" for key, value in zip(keys, who, strict=True))
            raise InputError(
                f"{dataset or 'the table'}: {has} was measured on {words}, and {lacks} was not. "
                f"Rows of one table must be of the same people: make what is there of {lacks} again"
            )
