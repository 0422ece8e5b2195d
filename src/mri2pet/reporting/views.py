"""What the report's tables show: numbers as text, best ones marked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mri2pet.evaluation import gap
from mri2pet.evaluation.classification import ERRORS_LOWER_IS_BETTER
from mri2pet.evaluation.image_metrics import higher_is_better, metric_of
from mri2pet.evaluation.image_tables import REFERENCES
from mri2pet.evaluation.statistics import best_of
from mri2pet.files import read_tsv
from mri2pet.reporting.oracle import noted
from mri2pet.reporting.simplest import note_on_simplest
from mri2pet.reporting.table_notes import notes

DIGITS = 3
SIGNIFICANT_DIGITS = 4  # at most, of the largest mean of a column
# Digits of what is neither a metric of an image nor of a diagnosis.
FURTHER = {gap.METRIC: 0, "CRPS": 4}
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Cell:
    """One method's value of one metric, and what the paper printed.

    Attributes
    ----------
    value, interval, published
        Mean and sd; 95% interval over subjects; what the paper printed.
    p
        Against the best model, corrected by Holm; of the best, whether all other models differ.
    best
        Whether it is the best mean of a model.
    differs
        Whether the corrected p is below 0.05.
    """

    value: str
    interval: str
    published: str
    p: str
    best: bool
    differs: bool


@dataclass(frozen=True)
class Row:
    """One method; a reference is no model and is never the best."""

    label: str
    n: int
    reference: bool
    cells: list[Cell]


@dataclass(frozen=True)
class TableView:
    """One table: heads are metric, unit and the arrow that says which way is better.

    `compared` tells whether the paper printed any of its values.
    """

    anchor: str
    title: str
    caption: str
    heads: list[tuple[str, str, str]]
    rows: list[Row]
    compared: bool


def table_view(
    anchor: str, title: str, caption: str, table: pd.DataFrame, labels: Mapping[str, str]
) -> TableView:
    """Turn a long table (columns of `mri2pet.evaluation.image_tables`) into rows of text.

    Parameters
    ----------
    anchor, title, caption
        Name within the page; heading; small print below, to which is added what the table says of
        the local regression, of budgets and of what is odd in printed values.
    table
        One row a method and metric.
    labels
        A model's name to the one that is shown.
    """
    units = dict(zip(table["metric"], table["unit"], strict=True))
    cells = {(row.method, row.metric): row for row in table.itertuples(index=False)}
    methods = list(dict.fromkeys(table["method"]))
    tops, clear = {}, {}
    for metric in units:
        models = [method for method in methods if method not in REFERENCES]
        means = {method: cells[method, metric].mean for method in models}
        best = best_of(means, _higher_is_better(metric))
        tops[metric] = means.get(best, np.nan)
        clear[metric] = all(_differs(cells[m, metric]) for m in models if m != best)
    digits = {metric: _digits(table[table["metric"] == metric]) for metric in units}
    rows = [
        Row(
            {**REFERENCES, **labels}.get(method, method),
            int(cells[method, next(iter(units))].n),
            method in REFERENCES,
            [
                _cell(
                    cells[method, metric],
                    method not in REFERENCES,
                    tops[metric],
                    clear[metric],
                    digits[metric],
                )
                for metric in units
            ],
        )
        for method in methods
    ]
    heads = [(m, u, "↑" if _higher_is_better(m) else "↓") for m, u in units.items()]
    compared = bool(table["published_mean"].notna().any())
    caption = noted(caption, table, labels)
    caption += note_on_simplest(table, labels) + notes(table, labels)
    return TableView(anchor, title, caption, heads, rows, compared)


def _higher_is_better(metric: str) -> bool:
    return metric not in ERRORS_LOWER_IS_BETTER and higher_is_better(metric)


def _differs(row: Any) -> bool:
    return bool(row.p_holm < SIGNIFICANT)


def _digits(column: pd.DataFrame) -> int:
    """Return the decimals of a metric: its own, as far as they are worth to be read."""
    name, largest = column["metric"].iloc[0], column["mean"].abs().max()
    metric = metric_of(name)
    digits = metric.digits if metric else FURTHER.get(name, DIGITS)
    before = int(np.floor(np.log10(largest))) + 1 if largest >= 1 else 0
    return min(digits, max(SIGNIFICANT_DIGITS - before, 0))


def _cell(row: Any, model: bool, top: float, clear: bool, digits: int) -> Cell:
    """Write one value; every model that reaches the best mean is marked, so ties are seen."""
    published = ""
    if np.isfinite(row.published_mean):
        published = f"{row.published_mean:g}"
        if np.isfinite(row.published_sd):
            published += f" ± {row.published_sd:g}"
    best = model and bool(np.isclose(row.mean, top, rtol=1e-9, atol=0))
    return Cell(
        value=_mean_and_sd(row.mean, row.sd, digits),
        interval=_interval(row.low, row.high, digits),
        published=published,
        p=("best" if clear else "best mean") if best else _p(row.p_holm),
        best=best,
        differs=_differs(row),
    )


def _interval(low: float, high: float, digits: int) -> str:
    return f"{low:.{digits}f} to {high:.{digits}f}" if np.isfinite([low, high]).all() else "n/a"


def _mean_and_sd(mean: float, sd: float, digits: int) -> str:
    if np.isnan(mean):
        return "n/a"
    return f"{mean:.{digits}f}" + ("" if np.isnan(sd) else f" ± {sd:.{digits}f}")


def _p(value: float) -> str:
    if np.isnan(value):
        return ""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def pool(paths: Iterable[str | Path], **kwargs: Any) -> pd.DataFrame:
    """Read tables (`files.read_tsv`) and join them; an empty one if there is none."""
    tables = [read_tsv(path, **kwargs) for path in paths]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def pool_cohorts(studies: Mapping[str | Path, str], **kwargs: Any) -> pd.DataFrame:
    """Read cohort tables (path to the study's name) and join them, with a column `study`."""
    tables = [read_tsv(path, **kwargs).assign(study=name) for path, name in studies.items()]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def cohort_summary(cohort: pd.DataFrame) -> pd.DataFrame:
    """Count subjects, visits and scans by group, as they come, and the total last.

    Parameters
    ----------
    cohort
        One row a visit: subject group age sex kind; of several studies, `study` too, whose groups
        are then counted apart.
    """
    if cohort.empty:
        return cohort
    several = "study" in cohort and cohort["study"].nunique() > 1
    keys = ["study", "group"] if several else ["group"]
    parts = [*cohort.groupby(keys, sort=False), (("All", "")[: len(keys)], cohort)]
    rows = []
    for names, visits in parts:
        people = visits.drop_duplicates("subject")
        sexes = people["sex"].value_counts()
        ages = people["age"].dropna()
        rows.append(
            dict(zip([key.capitalize() for key in keys], names, strict=True))
            | {
                "Subjects": len(people),
                "Visits": len(visits),
                "MRI and PET": int((visits["kind"] == "paired").sum()),
                "MRI only": int((visits["kind"] == "mri_only").sum()),
                "F / M": f"{sexes.get('F', 0)} / {sexes.get('M', 0)}",
                "Age, mean ± sd": _mean_and_sd(
                    ages.mean() if len(ages) else np.nan, ages.std(ddof=1), 1
                ),
            }
        )
    return pd.DataFrame(rows)


def fold_summary(folds: pd.DataFrame) -> pd.DataFrame:
    """Count the subjects of each fold by group and kind."""
    names = folds["group"] + ", " + folds["kind"].str.replace("_", " ")
    counts = pd.crosstab(folds["fold"], names)
    return counts.assign(All=counts.sum(axis=1)).rename_axis("Fold").reset_index()


def exclusion_notes(excluded: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return what was excluded of a visit and why, by (subject, visit)."""
    notes: dict[tuple[str, str], list[str]] = {}
    for row in excluded.itertuples(index=False):
        notes.setdefault((row.subject, row.visit), []).append(f"{row.modality}: {row.reason}")
    return {key: "; ".join(dict.fromkeys(reasons)) for key, reasons in notes.items()}


def with_headings(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its column names as words: `image_id` becomes `Image ID`."""
    words = {name: name.replace("_", " ").capitalize().replace(" id", " ID") for name in table}
    return table.rename(columns=words)
