"""How well probes have told age, sex and diagnosis of people held out (`interpretation.probes`)."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.evaluation.resampling import (
    interval,
    smallest_group,
    subject_weights,
    weighted_mean,
)
from mri2pet.evaluation.statistics import mean_and_sd

PREDICTED = ("method", "source", "attribute", "fold", "subject", "visit", "truth", "predicted")
COLUMNS = (
    "dataset", "method", "metric", "unit", "mean", "sd", "n", "p_value", "published_mean",
    "published_sd", "low", "high", "chance",
)  # fmt: skip


def probe_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Score what probes have predicted, all folds together.

    Parameters
    ----------
    predictions
        `PREDICTED`, of all folds and models.

    Returns
    -------
    DataFrame
        `COLUMNS`, `dataset` being the source. Age: Pearson's correlation over people (visits
        averaged), chance 0. Sex and diagnosis: balanced accuracy over people in percent (the mean
        over classes of the share of visits that are called rightly), chance 100 over the number of
        classes. sd over folds; 95% interval by resampling people, of the classes class by class.
    """
    known = predictions.dropna(subset=["truth", "predicted"])
    rows = []
    for (method, source, attribute), own in known.groupby(
        ["method", "source", "attribute"], sort=False
    ):
        score = _correlation if attribute == "age" else _balanced_accuracy
        if attribute == "age":
            kinds = {"truth": float, "predicted": float}
            keys = ["fold", "subject"]
            own = own.astype(kinds).groupby(keys)[["truth", "predicted"]].mean().reset_index()
            strata, chance, unit = None, 0.0, "correlation"
        else:
            strata = own["truth"]
            chance, unit = 100 / strata.nunique(), "percent"
        people = smallest_group(own["subject"], strata)
        low, high = interval(score(own, subject_weights(own["subject"], strata)), people)
        folds = [score(own, (own["fold"] == k).to_numpy(float)[None])[0] for k in set(own["fold"])]
        rows.append(
            {
                "dataset": source,
                "method": method,
                "metric": attribute,
                "unit": unit,
                "mean": float(score(own, np.ones((1, len(own))))[0]),
                "sd": mean_and_sd(pd.Series(folds))[1],
                "n": own["subject"].nunique(),
                **dict.fromkeys(["p_value", "published_mean", "published_sd"], np.nan),
                "low": float(low),
                "high": float(high),
                "chance": chance,
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _correlation(people: pd.DataFrame, weights: NDArray) -> NDArray[np.float64]:
    """Return Pearson's correlation of truth and prediction under weights (B, n), (B,)."""
    x, y = (people[name].to_numpy(float) for name in ("truth", "predicted"))
    mean = {name: weighted_mean(v, weights) for name, v in (("x", x), ("y", y), ("xy", x * y))}
    spreads = [
        weighted_mean(np.square(v), weights) - np.square(mean[name])
        for name, v in (("x", x), ("y", y))
    ]
    size = np.sqrt(np.clip(spreads[0] * spreads[1], 0, None))
    none = np.full(len(weights), np.nan)
    return np.divide(mean["xy"] - mean["x"] * mean["y"], size, out=none, where=size > 1e-12)


def _balanced_accuracy(visits: pd.DataFrame, weights: NDArray) -> NDArray[np.float64]:
    """Return the mean over classes of the percentage called rightly under weights (B, n), (B,)."""
    right = (visits["truth"] == visits["predicted"]).to_numpy(float)
    classes = [np.where(visits["truth"] == name, right, np.nan) for name in set(visits["truth"])]
    return 100 * weighted_mean(np.stack(classes, axis=1), weights).mean(axis=1)
