"""Whether a model that is told another age or diagnosis shows what would be there.

Of simulated people it is known how the uptake of each region would change, the anatomy held as it
is (`simulation.counterfactual`). Compared are changes, region by region: their correlation over
regions, and by how much a model's change where the true one changes by one.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.evaluation.ageing import DECADE
from mri2pet.evaluation.regions import BRAIN, SET_AGE, SET_DIAGNOSIS
from mri2pet.evaluation.resampling import interval, subject_weights, weighted_mean
from mri2pet.evaluation.statistics import mean_and_sd
from mri2pet.simulation.counterfactual import Anatomy, Mixing

DATASET = "Held-out visits"
AGE, DIAGNOSIS = "age told", "diagnosis told"
TRUE_COLUMNS = ("subject", "visit", "curve", "group", "age", "region", "value")
COLUMNS = (
    "dataset", "method", "metric", "unit", "mean", "sd", "n", "p_value", "published_mean",
    "published_sd", "low", "high",
)  # fmt: skip


def true_values(
    visit: Any,
    anatomy: Anatomy,
    mixing: Mixing,
    names: Sequence[str],
    ages: Sequence[float],
    groups: Sequence[str],
) -> pd.DataFrame:
    """Return the regional means of the PET of one visit at other ages and diagnoses.

    Parameters
    ----------
    visit
        A row of the dataset's table: subject visit group age.
    anatomy, mixing
        Of the visit; of the dataset.
    names
        Name of region 1, 2, ...
    ages, groups
        To be told: years; groups of the simulation.

    Returns
    -------
    DataFrame
        One row a curve, age or diagnosis, and region: subject visit curve group age region value.
    """
    told = [(SET_AGE, visit.group, float(age), anatomy.uptake(age=age)) for age in ages]
    told += [(SET_DIAGNOSIS, group, visit.age, anatomy.uptake(diagnosis=group)) for group in groups]
    frames = [
        pd.DataFrame({"region": list(names), "value": mixing.values(uptake)}).assign(
            subject=visit.subject, visit=visit.visit, curve=curve, group=group, age=age
        )
        for curve, group, age, uptake in told
    ]
    return pd.concat(frames, ignore_index=True)[list(TRUE_COLUMNS)]


def counterfactual_table(values: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Compare the changes that models show with those that would be there.

    Parameters
    ----------
    values
        As `region_values` makes them, with a column `outside`: synthetic PET at set ages, of which
        those outside the training people's ages do not count, and at set diagnoses, whose column
        `group` is the one told, from the healthiest to the most ill.
    truth
        `TRUE_COLUMNS`, of the PET that would be there.

    Returns
    -------
    DataFrame
        `COLUMNS`: of each model and each thing told the correlation over regions between mean
        changes (of the age: a decade; of the diagnosis: from the first to the last), and the slope
        of the model's on the true ones. Mean over people of all folds; sd over folds; 95% interval
        by resampling people (`resampling`). NaN where there are fewer than three regions, or no two
        ages told lie within.
    """
    rows = []
    for method, own in values.groupby("method", sort=False):
        for name, curve, change in (
            (AGE, SET_AGE, _age_changes),
            (DIAGNOSIS, SET_DIAGNOSIS, _diagnosis_changes),
        ):
            inside = ~own["outside"].astype(bool)  # an empty table of diagnoses leaves objects
            chosen = own[(own["curve"] == curve) & inside & (own["region"] != BRAIN)]
            known = truth[truth["curve"] == curve]
            if known.empty or not (own["curve"] == curve).any():
                continue
            shown, true = (change(part) for part in _paired(chosen, known))
            rows += _rows(method, name, shown, true, own.groupby("subject")["fold"].first())
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _paired(values: pd.DataFrame, truth: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the values and the truth of the same visits, ages, diagnoses and regions."""
    keys = ["subject", "visit", "group", "age", "region"]
    both = values.merge(truth[[*keys, "value"]], on=keys, suffixes=("", "_true"))
    both = both.dropna(subset=["value", "value_true"])
    return both[[*keys, "value"]], both[keys].assign(value=both["value_true"])


def _age_changes(values: pd.DataFrame) -> pd.DataFrame:
    """Return the slope a decade of each person (rows) and region, visits averaged."""
    keys = ["subject", "visit", "region"]
    centred = values[["age", "value"]] - values.groupby(keys)[["age", "value"]].transform("mean")
    sums = values[keys].assign(
        both=centred["age"] * centred["value"], spread=np.square(centred["age"])
    )
    sums = sums.groupby(keys)[["both", "spread"]].sum()
    slopes = DECADE * (sums["both"] / sums["spread"].where(sums["spread"] > 0))
    return slopes.groupby(level=["subject", "region"]).mean().unstack()


def _diagnosis_changes(values: pd.DataFrame) -> pd.DataFrame:
    """Return the change of each person (rows) and region from the first to the last diagnosis."""
    told = list(dict.fromkeys(values["group"]))
    wide = values.pivot_table(
        index=["subject", "region"], columns="group", values="value", sort=False
    )
    return (wide[told[-1]] - wide[told[0]]).unstack()


def _rows(
    method: str, name: str, shown: pd.DataFrame, true: pd.DataFrame, folds: pd.Series
) -> list[dict[str, object]]:
    people = shown.index.to_series()
    weights = subject_weights(people) if len(people) else np.ones((1, 0))
    everybody = np.ones((1, len(people)))
    parts = [(folds.reindex(people) == fold).to_numpy(float)[None] for fold in folds.unique()]
    rows = []
    for metric, unit, measure in (
        ("correlation over regions", "correlation", _correlation),
        ("change over the true one", "ratio", _slope),
    ):

        def of(drawn: NDArray, measure=measure) -> NDArray:
            return measure(weighted_mean(true, drawn), weighted_mean(shown, drawn))

        low, high = interval(of(weights), len(people))
        rows.append(
            {
                "dataset": DATASET,
                "method": method,
                "metric": f"{name}, {metric}",
                "unit": unit,
                "mean": float(of(everybody)[0]),
                "sd": mean_and_sd(pd.Series([float(of(part)[0]) for part in parts]))[1],
                "n": len(people),
                **dict.fromkeys(["p_value", "published_mean", "published_sd"], np.nan),
                "low": float(low),
                "high": float(high),
            }
        )
    return rows


def _centred(x: NDArray, y: NDArray) -> tuple[NDArray, NDArray]:
    """Subtract each row's mean over the columns that both have; the others become 0."""
    both = np.isfinite(x) & np.isfinite(y)
    count = both.sum(axis=1, keepdims=True)
    count = np.where(count > 2, count, np.nan)
    return tuple(
        np.where(both, a - np.where(both, a, 0).sum(axis=1, keepdims=True) / count, 0)
        for a in (x, y)
    )


def _correlation(x: NDArray, y: NDArray) -> NDArray:
    """Pearson's correlation of the rows of (B, regions) with each other, (B,)."""
    x, y = _centred(x, y)
    size = np.sqrt(np.square(x).sum(axis=1) * np.square(y).sum(axis=1))
    return np.divide((x * y).sum(axis=1), size, out=np.full(len(x), np.nan), where=size > 0)


def _slope(x: NDArray, y: NDArray) -> NDArray:
    """Least-squares slope of the rows of y on those of x, (B,)."""
    x, y = _centred(x, y)
    spread = np.square(x).sum(axis=1)
    return np.divide((x * y).sum(axis=1), spread, out=np.full(len(x), np.nan), where=spread > 0)
