"""Tables of GLA-GAN and DUAL-GLOW, and their like, in long form beside what the papers printed.

Every table has the columns dataset, method, metric, unit, mean, sd, n, p_value, published_mean and
published_sd. Mean and sd are over folds; n counts the subjects tested; p is of the paired,
two-tailed t-test against the model with the best mean (its own p is missing). Reference rows (Mean
PET, Real PET, Only MRI) are tested against that model too, but are never the best one: they are
not models.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mri2pet.errors import InputError
from mri2pet.evaluation import classification, image_metrics
from mri2pet.evaluation.statistics import best_of, mean_and_sd, paired_t_test
from mri2pet.files import read_tsv

COLUMNS = (
    "dataset", "method", "metric", "unit", "mean", "sd", "n", "p_value", "published_mean",
    "published_sd",
)  # fmt: skip
REFERENCES = {
    "mean_pet": "Mean PET",
    "real_pet": "Real PET",
    "only_mri": "Only MRI",
    "copy": "Source image copied",
}


def pool(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Join the per-fold tables `.../{method}/fold-{k}.tsv`, the method as a column."""
    frames = [
        read_tsv(path, dtype={"subject": str, "visit": str}).assign(method=Path(path).parent.name)
        for path in paths
    ]
    return pd.concat(frames, ignore_index=True)


def read_published(path: str | Path, table: str) -> pd.DataFrame:
    """Read one table (`I`, `II`, `III`; `1`, `2`) of a transcription in resources/published.

    The column `model` holds the name that a method of the paper has in the configuration.
    """
    published = read_tsv(path, dtype={"table": str, "p_value": str, "remark": str})
    missing = {"table", "dataset", "model", "metric", "unit", "mean", "sd"} - set(published)
    if missing:
        raise InputError(f"{path}: no column {', '.join(sorted(missing))}")
    return published[published["table"] == table]


def image_table(
    values: pd.DataFrame,
    models: Sequence[str],
    published: pd.DataFrame,
    groups: Sequence[str] = (),
    system: str = "gla_gan",
) -> pd.DataFrame:
    """Table I: image quality on the Paired dataset, in the units in which the paper prints it.

    The mean of a fold is over its visits; mean and sd are over folds. The t-test pairs subjects
    (their visits averaged), pooled over folds.

    Parameters
    ----------
    values
        One row a visit and metric: method subject group fold metric unit value.
    models
        The trained models, in the order of the rows; reference rows follow.
    published
        As `read_published` gives it.
    groups
        Groups whose visits count: those that the models have learnt from; all if none is named.
    system
        Whose metrics the table shows (`image_metrics.shown`).
    """
    if groups:
        values = values[values["group"].isin(groups)]
    rows = []
    for metric in image_metrics.shown(system):
        chosen, measured = values[values["metric"] == metric], image_metrics.unit_of(metric)
        units = set(chosen["unit"]) - {measured}
        if units:
            raise InputError(f"{metric} is in {measured}, but a metrics table has {units.pop()}")
        unit, scale = printed_unit(metric, measured, published)
        chosen = chosen.assign(value=chosen["value"] * scale)
        rows += rows_of(
            "Paired",
            metric,
            unit,
            folds=chosen.groupby(["method", "fold"])["value"].mean(),
            subjects=chosen.groupby("method")["subject"].nunique(),
            pairs=chosen.groupby(["method", "subject"])["value"].mean(),
            models=models,
            higher_is_better=image_metrics.higher_is_better(metric),
        )
    return with_published(rows, models, published)


def printed_unit(metric: str, unit: str, published: pd.DataFrame) -> tuple[str, float]:
    """Return the unit in which the paper prints a metric, and the factor that leads to it."""
    printed = set(published.loc[published["metric"] == metric, "unit"]) - {unit}
    if not printed:
        return unit, 1.0
    if (unit, *printed) != ("percent", "fraction"):
        raise InputError(f"{metric} is in {unit}, the published table has {min(printed)}")
    return "fraction", 0.01


def diagnosis_table(
    predictions: pd.DataFrame,
    dataset: str,
    positive: str,
    models: Sequence[str],
    published: pd.DataFrame,
) -> pd.DataFrame:
    """Table II (`Paired`) or III (`Complete`): diagnosis with each model's PET.

    The metrics are of the visits of a fold; mean, sd and t-test are over folds. With few folds
    the test has little power, and folds share training subjects, so that p is a guide at most.

    Parameters
    ----------
    predictions
        One row a visit: method subject fold truth score predicted; truth and predicted are group
        names. A prediction that could not be made is missing, and its fold does not count.
    dataset, positive
        Name of the dataset as printed; group that is the positive class.
    models, published
        As for `image_table`.
    """

    def score(visits: pd.DataFrame) -> dict[str, float]:
        return classification.classification_metrics(
            visits["truth"] == positive, visits["predicted"] == positive, visits["score"]
        )

    return table_over_folds(predictions, dataset, score, classification.METRICS, models, published)


def error_table(
    predictions: pd.DataFrame, models: Sequence[str], published: pd.DataFrame
) -> pd.DataFrame:
    """Table 2 of DUAL-GLOW: accuracy and both kinds of error, over folds as in `diagnosis_table`.

    Parameters
    ----------
    predictions
        One row a visit: method subject fold truth predicted, the latter two `positive` or
        `negative`; missing as for `diagnosis_table`.
    models, published
        As for `image_table`.
    """

    def score(visits: pd.DataFrame) -> dict[str, float]:
        truth, predicted = (visits[name] == "positive" for name in ("truth", "predicted"))
        return classification.error_rates(truth, predicted)

    metrics, worse = classification.ERRORS, classification.ERRORS_LOWER_IS_BETTER
    return table_over_folds(predictions, "Paired", score, metrics, models, published, worse)


def table_over_folds(
    predictions: pd.DataFrame,
    dataset: str,
    score: Callable[[pd.DataFrame], dict[str, float]],
    metrics: Sequence[str],
    models: Sequence[str],
    published: pd.DataFrame,
    lower_is_better: Collection[str] = (),
) -> pd.DataFrame:
    """Score every method on every fold; mean, sd and t-test are over folds.

    Parameters
    ----------
    predictions, dataset, models, published
        As for `diagnosis_table`.
    score
        Gives a fold's metrics from its visits (no visit where a prediction could not be made), as
        fractions of which more is better.
    metrics
        Those that the table shows, in its order.
    lower_is_better
        Those of which less is better.
    """
    scores = {}
    for (method, fold), visits in predictions.groupby(["method", "fold"]):
        made = visits if visits["predicted"].notna().all() else visits.iloc[:0]
        scores[method, fold] = score(made)
    index = pd.MultiIndex.from_tuples(scores, names=["method", "fold"])
    by_fold = pd.DataFrame(list(scores.values()), index=index)
    subjects = predictions.groupby("method")["subject"].nunique()
    rows = []
    for metric in metrics:
        folds, higher = by_fold[metric], metric not in lower_is_better
        rows += rows_of(
            dataset, metric, classification.UNIT, folds, subjects, folds, models, higher
        )
    return with_published(rows, models, published)


def table_over_people(
    values: pd.DataFrame, dataset: str, models: Sequence[str], published: pd.DataFrame
) -> pd.DataFrame:
    """Mean, sd and t-test of all methods over people, where there is one split and no folds.

    Parameters
    ----------
    values
        One row a person and metric: method subject metric unit value.
    dataset, models, published
        As for `diagnosis_table`.
    """
    rows = []
    for (metric, unit), chosen in values.groupby(["metric", "unit"], sort=False):
        people = chosen.groupby(["method", "subject"])["value"].mean()
        counts = chosen.groupby("method")["subject"].nunique()
        higher = image_metrics.higher_is_better(str(metric))
        rows += rows_of(dataset, str(metric), str(unit), people, counts, people, models, higher)
    return with_published(rows, models, published)


def rows_of(
    dataset: str,
    metric: str,
    unit: str,
    folds: pd.Series,
    subjects: pd.Series,
    pairs: pd.Series,
    models: Sequence[str],
    higher_is_better: bool,
    test: Callable[[pd.Series, pd.Series], float] = paired_t_test,
) -> list[dict[str, object]]:
    """One row a method; `folds` and `pairs` are indexed by method first.

    Mean and sd are those of `folds`; `test` compares the `pairs` of a method with the best one's.
    """
    summary = {method: mean_and_sd(group) for method, group in folds.groupby(level=0)}
    best = best_of(
        {model: summary[model][0] for model in models if model in summary}, higher_is_better
    )
    values = dict(list(pairs.droplevel(0).groupby(pairs.index.get_level_values(0))))
    p_values = {
        method: np.nan if best in (None, method) else test(values[method], values[best])
        for method in summary
    }
    return [
        {
            "dataset": dataset,
            "method": method,
            "metric": metric,
            "unit": unit,
            "mean": mean,
            "sd": sd,
            "n": int(subjects[method]),
            "p_value": p_values[method],
        }
        for method, (mean, sd) in summary.items()
    ]


def with_published(
    rows: list[dict[str, object]],
    models: Sequence[str],
    published: pd.DataFrame,
    keys: Sequence[str] = ("dataset", "method", "metric", "unit"),
) -> pd.DataFrame:
    """Put the published values beside the measured ones, models first, metric by metric.

    A printed row belongs to the measured one with the same `keys`.
    """
    measured = pd.DataFrame(rows)
    order = {method: place for place, method in enumerate([*models, *REFERENCES])}
    unknown = sorted(set(measured["method"]) - set(order))
    if unknown:
        raise InputError(
            f"{', '.join(unknown)}: neither a model of the configuration nor a row "
            f"that is always there ({', '.join(REFERENCES)})"
        )
    printed = published.drop(columns="method", errors="ignore").rename(
        columns={"model": "method", "mean": "published_mean", "sd": "published_sd"}
    )
    ordered = measured.assign(place=measured["method"].map(order)).sort_values(
        "place", kind="stable"
    )
    table = ordered.merge(
        printed[[*keys, "published_mean", "published_sd"]].dropna(subset="method"),
        on=list(keys),
        how="left",
        validate="one_to_one",
    )
    return table[list(COLUMNS)]
