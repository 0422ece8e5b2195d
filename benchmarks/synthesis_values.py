"""What a run of the synthesis study measured, person by person, as differences with intervals.

Every difference is positive where it speaks for what is claimed. The error of a model is the mean
over its trainings; its interval is over people, so what other random numbers change stands apart.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t

from mri2pet.config.repeats import UNSEEDED, first_and_number
from mri2pet.config.systems import RECTIFIED
from mri2pet.evaluation.comparison import Measured, mean_of_folds
from mri2pet.evaluation.coverage_tables import read_intervals
from mri2pet.evaluation.gap import BEST, ERROR, METRIC, WORST, gap_closed, gap_rows, has_gap
from mri2pet.evaluation.image_tables import pool
from mri2pet.evaluation.resampling import LEVEL, interval
from mri2pet.evaluation.statistics import mean_and_sd
from study_words import UNTOLD, span, verdict

KEYS = ["method", "subject", "visit", "group", "fold", "metric", "unit"]
PART = re.compile(r"(?P<base>.+)_(?P<steps>s?)(?P<size>\d+)")  # unet_20: people; unet_s150: steps
ALIKE = ("gan", "conditional_gan", "regression")  # recipes that compare with the person's own PET
REGRESSION, FLOW = "local_regression", RECTIFIED
PEERS = ("gla_gan", "unet", "simple_gan", "simple_gan_ssim", "cycle_gan", "dual_glow")


@dataclass(frozen=True)
class Effect:
    """A difference, or a share, with its 95% interval over people.

    `chance` is what two means of as many trainings from other random numbers differ by in 95 of
    100 cases; NaN where none trained alike was trained more than once, 0 where nothing is random.
    """

    mean: float
    low: float
    high: float
    n: int = 0
    chance: float = np.nan

    @property
    def verdict(self) -> str:
        """What it tells of a claim that it is above zero."""
        said = verdict(self.low, self.high)
        return UNTOLD if abs(self.mean) < self.chance else said

    def text(self, digits: int = 4) -> str:
        """Write the number with its interval, where it has one."""
        numbers = (f"{number:+.{digits}f}" for number in (self.mean, self.low, self.high))
        mean, low, high = numbers
        return f"{mean} ({low} to {high})" if np.isfinite([self.low, self.high]).all() else mean


def effect(own: Measured, drawn: NDArray, mean: float) -> Effect:
    """Make an effect of a value and its resamples of the same people."""
    low, high = interval(drawn, own.smallest)
    return Effect(mean, float(low), float(high), len(own.subjects))


def shown(own: Measured, digits: int) -> str:
    """Write a value with its interval."""
    low, high = interval(own.resampled, own.smallest)
    return span(pd.Series({"mean": own.mean, "low": low, "high": high}), digits)


def subtract(first: Measured, second: Measured) -> Effect:
    """Subtract the second from the first, resample by resample."""
    return effect(first, first.resampled - second.resampled, first.mean - second.mean)


class Images:
    """Errors and likenesses of all models on the people held out."""

    def __init__(self, results: Path, block: dict[str, Any]) -> None:
        values = pool(sorted(results.glob("gla_gan/metrics/*/fold-*.tsv")))
        if block.get("training_groups"):
            values = values[values["group"].isin(block["training_groups"])]
        method, number = zip(*map(first_and_number, values["method"]), strict=True)
        self.each = values.assign(method=list(method), number=list(number))
        self.values = self.each.groupby(KEYS, as_index=False, sort=False)["value"].mean()
        self.methods = list(dict.fromkeys(self.values["method"]))
        self.held = (block.get("validation") or {}).get("people", 0)
        ablations = block.get("ablations") or {}
        variants, base = ablations.get("variants", {}), ablations.get("base", "")
        kin = dict.fromkeys(variants, base) | {
            name: part["base"] for name in self.methods if (part := PART.fullmatch(name))
        }
        models = block["models"]
        known = {*models, *variants} & set(self.methods)
        recipes = {name: (models.get(name) or {}).get("recipe") for name in {*models, *kin}}
        self.recipes = {n: recipes.get(n) or recipes.get(kin.get(n, ""), "") for n in known}
        self.start = models.get(FLOW, {}).get("start")
        for name in known:  # the one PET of a flow that starts from a model is that model's
            start = models.get(name, {}).get("start")
            if self.recipes[name] == RECTIFIED and start:
                self.recipes[name] = self.recipes.get(start) or recipes.get(start, "")
        self.random = {name for name, recipe in self.recipes.items() if recipe not in UNSEEDED}
        self.trainings = self.each.groupby("method")["number"].nunique().to_dict()
        self._measured: dict[tuple[str, str], Measured] = {}

    def measured(self, method: str, metric: str = ERROR) -> Measured:
        """Measure one method, the mean over its trainings."""
        if (method, metric) not in self._measured:
            own = self.values[(self.values["method"] == method) & (self.values["metric"] == metric)]
            self._measured[method, metric] = mean_of_folds(own)
        return self._measured[method, metric]

    def better(self, first: str, second: str, metric: str = ERROR) -> Effect:
        """Return by how much the first is better than the second."""
        own, other = (self.measured(name, metric) for name in (first, second))
        found = subtract(other, own) if metric == ERROR else subtract(own, other)
        return replace(found, chance=self.chance(first, second, metric))

    def chance(self, first: str, second: str, metric: str = ERROR) -> float:
        """Return what other random numbers change in the difference of two methods (`Effect`).

        The variance between trainings is that of all models that are trained alike; of two kinds of
        training the degrees of freedom are Welch's.
        """
        kinds: dict[str, float] = {}
        for name in (first, second):
            if name in self.random:
                kind = self._kind(name)
                kinds[kind] = kinds.get(kind, 0) + 1 / self.trainings[name]
        terms, free = [], []
        for kind, share in kinds.items():
            alike = [n for n in self.random if self._kind(n) == kind and self.trainings[n] > 1]
            if not alike:
                return np.nan
            own = [self.trainings[name] - 1 for name in alike]
            variances = [float(self.of_trainings(name, metric).var(ddof=1)) for name in alike]
            terms.append(share * float(np.average(variances, weights=own)))
            free.append(sum(own))
        total = sum(terms)
        if not total:
            return 0.0
        degrees = total**2 / sum(term**2 / own for term, own in zip(terms, free, strict=True))
        return float(t.ppf((1 + LEVEL) / 2, degrees) * np.sqrt(total))

    def _kind(self, name: str) -> str:
        """Return how a model is trained."""
        recipe = self.recipes[name]
        return "to the real PET" if recipe in ALIKE else recipe

    def of_trainings(self, method: str, metric: str = ERROR) -> pd.Series:
        """Return a metric of each training of a method, by its number."""
        own = self.each[(self.each["method"] == method) & (self.each["metric"] == metric)]
        return own.groupby(["number", "fold"])["value"].mean().groupby("number").mean()

    def gaps(self) -> pd.DataFrame:
        """Return the share of the gap by method: mean, low, high, n, trainings, trainings_sd.

        Empty where the run does not know both ends of the gap.
        """
        errors = self.values[self.values["metric"] == ERROR]
        if not has_gap(self.methods):
            return pd.DataFrame(columns=["mean", "low", "high", "n", "trainings", "trainings_sd"])
        table = pd.DataFrame(gap_rows(errors, "")).set_index("method").loc[self.methods]
        spread = {name: mean_and_sd(self.gap_of_trainings(name))[1] for name in self.random}
        return table.assign(
            trainings=[
                self.trainings[name] if name in self.random else np.nan for name in table.index
            ],
            trainings_sd=[spread.get(name, np.nan) for name in table.index],
        )

    def gap_of_trainings(self, method: str) -> pd.Series:
        """Return the share of the gap of each training of a method."""
        errors = self.each[self.each["metric"] == ERROR]
        keys = ["method", "fold"]
        ends = errors[errors["method"].isin([WORST, BEST])].groupby(keys)["value"].mean()
        shares = {}
        for number, own in errors[errors["method"] == method].groupby("number"):
            both = pd.concat([ends, own.groupby(keys)["value"].mean()])
            shares[number] = gap_closed(both[~both.index.duplicated()])[method].mean()
        return pd.Series(shares, name=METRIC)

    def learnt_from(self) -> int:
        """Return how many people with a PET a model learns from, on average over the folds.

        Those of the training folds without the people who tell how wide intervals must be.
        """
        tested = self.values.groupby("fold")["subject"].nunique()
        learnt = round(float((tested.sum() - tested).mean())) if len(tested) > 1 else 0
        return max(learnt - self.held, 0)


class Intervals:
    """Scores of all methods that give intervals."""

    def __init__(self, results: Path, groups: Iterable[str]) -> None:
        paths = sorted(results.glob("gla_gan/uncertainty/*/fold-*/scores.tsv"))
        columns = ["method", "metric", "group", "value"]
        scores = read_intervals(paths) if paths else pd.DataFrame(columns=columns)
        groups = list(groups)
        self.scores = scores[scores["group"].isin(groups)] if groups else scores
        self.methods = list(dict.fromkeys(self.scores["method"]))

    def better(self, first: str, second: str, metric: str = "CRPS") -> Effect | None:
        """Return by how much the first's score is below the second's; None if one is missing."""
        own = self.scores[self.scores["metric"] == metric].dropna(subset="value")
        if not {first, second} <= set(own["method"]):
            return None
        return subtract(*(mean_of_folds(own[own["method"] == name]) for name in (second, first)))
