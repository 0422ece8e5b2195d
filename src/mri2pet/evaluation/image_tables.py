"""Tables of GLA-GAN and DUAL-GLOW, and their like, in long form beside what the papers printed.

Columns of every table (`COLUMNS`): dataset, method, metric, unit; mean and sd, over folds (over
people where there are none); n, the subjects tested; p_value, two-tailed, against the model with
the best mean (its own is missing); published_mean, published_sd; low and high, a 95% interval by
resampling subjects (`resampling`); p_holm, corrected for all methods compared with the same model
by the same metric; p_folds, the t-test over folds corrected for shared training people. Reference
rows (Mean PET, Oracle, Real PET, Only MRI) are tested against the best model too, but are never the
best one: they are not models.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
from numpy.typing import NDArray

from mri2pet.errors import InputError
from mri2pet.evaluation import classification, image_metrics
from mri2pet.evaluation.comparison import (
    Parts,
    Score,
    check_same_people,
    compare,
    mean_of_folds,
    mean_of_people,
    measure_folds,
    over_people,
    resampled_test,
)
from mri2pet.evaluation.differences import listed_in
from mri2pet.evaluation.gap import gap_rows
from mri2pet.evaluation.statistics import mcnemar_test, paired_t_test
from mri2pet.files import read_tsv

COLUMNS = (
    "dataset", "method", "metric", "unit", "mean", "sd", "n", "p_value", "published_mean",
    "published_sd", "low", "high", "p_holm", "p_folds",
)  # fmt: skip
REFERENCES = {
    "mean_pet": "Mean PET",
    "oracle": "Oracle",
    "real_pet": "Real PET",
    "only_mri": "Only MRI",
    "mri_age_sex": "MRI, age and sex",
    "copy": "Source image copied",
}


ACCURACY = "accuracy"


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
    (their visits averaged), pooled over folds. Every metric stands there inside the mask and over
    the whole volume, beside the same published value: papers do not say which they mean.

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
    published = image_metrics.in_all_scopes(published)
    for metric in listed_in(values, system):
        chosen, measured = values[values["metric"] == metric], image_metrics.unit_of(metric)
        units = set(chosen["unit"]) - {measured}
        if units:
            raise InputError(f"{metric} is in {measured}, but a metrics table has {units.pop()}")
        unit, scale = printed_unit(metric, measured, published)
        chosen = chosen.assign(value=chosen["value"] * scale)
        check_same_people(chosen, "Paired")
        found = {str(name): mean_of_folds(own) for name, own in chosen.groupby("method")}
        higher, test = image_metrics.higher_is_better(metric), over_people(paired_t_test)
        rows += compare("Paired", metric, unit, found, models, higher, test)
    return with_published([*rows, *gap_rows(values, "Paired")], models, published)


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

    The metrics are of the visits of a fold; mean and sd are over folds, but the AUC is the share
    of all pairs formed within folds. p as `table_over_folds` says.

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

    def score(visits: pd.DataFrame, weights: NDArray) -> Mapping[str, Parts]:
        return classification.metric_parts(
            visits["truth"] == positive, visits["predicted"] == positive, visits["score"], weights
        )

    return table_over_folds(predictions, dataset, score, classification.METRICS, models, published)


def error_table(
    predictions: pd.DataFrame, models: Sequence[str], published: pd.DataFrame
) -> pd.DataFrame:
    """Table 2 of DUAL-GLOW: accuracy, both kinds of error and AUC, over folds as `diagnosis_table`.

    Parameters
    ----------
    predictions
        One row a visit: method subject fold truth score predicted; truth and predicted are
        `positive` or `negative`, and missing as for `diagnosis_table`.
    models, published
        As for `image_table`.
    """

    def score(visits: pd.DataFrame, weights: NDArray) -> Mapping[str, Parts]:
        truth, predicted = (visits[name] == "positive" for name in ("truth", "predicted"))
        auc = classification.auc_parts(truth, visits["score"], weights)
        return classification.error_parts(truth, predicted, weights) | {classification.AUC: auc}

    metrics = (*classification.ERRORS, classification.AUC)  # the latter is in no paper's table 2
    worse = classification.ERRORS_LOWER_IS_BETTER
    return table_over_folds(predictions, "Paired", score, metrics, models, published, worse)


def table_over_folds(
    predictions: pd.DataFrame,
    dataset: str,
    score: Score,
    metrics: Sequence[str],
    models: Sequence[str],
    published: pd.DataFrame,
    lower_is_better: Collection[str] = (),
) -> pd.DataFrame:
    """Score every method on every fold, and compare the methods over subjects.

    p of the accuracy is McNemar's, of other metrics that of paired resamples of the subjects, who
    are drawn group by group.

    Parameters
    ----------
    predictions, dataset, models, published
        As for `diagnosis_table`.
    score
        Gives a fold's metrics, as fractions, from its visits and their weights; no visit where a
        prediction could not be made.
    metrics
        Those that the table shows, in its order.
    lower_is_better
        Those of which less is better.
    """

    def whole(visits: pd.DataFrame, weights: NDArray) -> Mapping[str, Parts]:
        made = bool(visits["predicted"].notna().all())
        return score(visits, weights) if made else score(visits.iloc[:0], weights[:, :0])

    check_same_people(predictions, dataset)
    found = {}
    for method, own in predictions.groupby("method"):
        right = (own["truth"] == own["predicted"]).astype(float).where(own["predicted"].notna())
        people = right.groupby(own["subject"]).mean()
        found[str(method)] = measure_folds(own, whole, people, own["truth"])
    rows = []
    for metric in metrics:
        measured = {method: own[metric] for method, own in found.items()}
        test = over_people(mcnemar_test) if metric == ACCURACY else resampled_test
        higher, unit = metric not in lower_is_better, classification.UNIT
        rows += compare(dataset, metric, unit, measured, models, higher, test)
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
        check_same_people(chosen, dataset)
        people = chosen.groupby(["method", "subject"])["value"].mean()
        found = {str(name): mean_of_people(people[name]) for name in people.index.unique(0)}
        higher, test = image_metrics.higher_is_better(str(metric)), over_people(paired_t_test)
        rows += compare(dataset, str(metric), str(unit), found, models, higher, test)
    return with_published(rows, models, published)


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
    return table.reindex(columns=list(COLUMNS))
