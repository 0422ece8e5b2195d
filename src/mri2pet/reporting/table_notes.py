"""Sentences below a table of the report: its further metrics and columns, printed oddities."""

from collections.abc import Mapping

import pandas as pd

from mri2pet.evaluation.differences import CAPTION
from mri2pet.evaluation.image_metrics import LIKENESS, METRICS


def notes(table: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Say in words what the further columns of a long table hold; nothing for those not there.

    Parameters
    ----------
    table
        Long; `steps`, `repeats` and `repeat_sd`, `published_p` and `remark` may be there, and the
        metric that tells a model of persons from one of the mean.
    labels
        A model's name to the one that is shown.

    Returns
    -------
    Sentences, each after a space.
    """
    parts = [_likeness(table), _steps(table, labels), _repeats(table, labels)]
    parts += _printed(table, labels)
    return "".join(f" {part}" for part in parts if part)


def _likeness(table: pd.DataFrame) -> str:
    return CAPTION if LIKENESS.name in set(table["metric"]) else ""


def _steps(table: pd.DataFrame, labels: Mapping[str, str]) -> str:
    if "steps" not in table:
        return ""
    counts = dict(table.dropna(subset="steps").groupby("method", sort=False)["steps"].first())
    if not counts:
        return ""
    told = [f"{labels.get(method, method)} {int(steps)}" for method, steps in counts.items()]
    alike = "" if len(set(counts.values())) == 1 else " Their budgets are not the same."
    return f"Steps of each generator, mean over folds: {', '.join(told)}.{alike}"


def _repeats(table: pd.DataFrame, labels: Mapping[str, str]) -> str:
    if "repeat_sd" not in table or table["repeat_sd"].isna().all():
        return ""
    told = []
    for metric, rows in table.dropna(subset="repeat_sd").groupby("metric", sort=False):
        digits = METRICS[metric].digits if metric in METRICS else 3
        each = [
            f"{labels.get(row.method, row.method)} {row.repeat_sd:.{digits}f}"
            for row in rows.itertuples()
        ]
        told.append(f"{metric}: {', '.join(each)}")
    most = int(table["repeats"].max())
    return f"Sd of the mean over {most} trainings of other seeds: {'; '.join(told)}."


def _printed(table: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    found = []
    for column, head in (
        ("published_p", "p values that the paper prints"),
        ("remark", "On what the paper prints"),
    ):
        if column not in table or table[column].isna().all():
            continue
        told = [
            f"{labels.get(row.method, row.method)}, {row.metric}: {getattr(row, column)}"
            for row in table.dropna(subset=column).itertuples()
        ]
        found.append(f"{head}: {'; '.join(told)}.")
    return found
