"""Tables of the IXI report: synthesised against real volumes, person by person (X7, X8)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.evaluation.tables import table_over_people
from mri2pet.evaluation.whole import METRICS, UNITS

COPY = "copy"  # the source image in place of a synthesised one
# labels of a segmentation; a PD does not tell grey matter and fluid apart
TISSUES = {"t2": {"GM": [1], "WM": [2], "CSF": [3]}, "pd": {"WM": [2], "GM and CSF": [1, 3]}}
WORDS = {"val": "validation", "test": "test"}
COLUMNS = ("dataset", "method", "subject", "split", "metric", "unit", "value")


def direction(source: str, target: str) -> str:
    """Name a direction as the tables do: T2-PD."""
    return f"{source}-{target}".upper()


def measure_people(
    rows: pd.DataFrame, real: NDArray, made: NDArray, method: str, where: str
) -> pd.DataFrame:
    """Measure one method's volumes of the people to validate and to test on.

    Parameters
    ----------
    rows
        Of the dataset's table, for `made`.
    real
        (all people, X, Y, Z) real target; may be mapped into memory.
    made
        (M, X, Y, Z).
    method, where
        Written into the table: the model's name, and the direction (`T2-PD`).

    Returns
    -------
    One row a person and metric: `COLUMNS`.
    """
    found = [
        {
            "dataset": f"{where} {WORDS[row['split']]}",
            "method": method,
            "subject": row["subject"],
            "split": row["split"],
            "metric": name,
            "unit": UNITS[name],
            "value": metric(real[row["index"]], made[place]),
        }
        for place, row in enumerate(rows.to_dict("records"))
        for name, metric in METRICS.items()
    ]
    return pd.DataFrame(found, columns=list(COLUMNS))


def dice(first: NDArray, second: NDArray, labels: Sequence[int]) -> float:
    """Overlap of some labels, taken as one, of two segmentations; NaN where neither has them."""
    one, two = np.isin(first, labels), np.isin(second, labels)
    total = int(one.sum()) + int(two.sum())
    return float(2 * np.logical_and(one, two).sum() / total) if total else float("nan")


def compare_tissues(
    labels: Mapping[str, NDArray], directions: Mapping[str, Sequence[str]], subject: str
) -> pd.DataFrame:
    """Compare segmentations of synthesised volumes with those of the real ones: a row a tissue.

    Parameters
    ----------
    labels
        Segmentation of `t2`, `pd` and of each model's volume.
    directions
        Source and target of each model.
    subject
        Written into the table.

    Returns
    -------
    `COLUMNS`, all models and, for each direction, the source's own segmentation as `copy`.
    """
    pairs = [(model, model, *ways) for model, ways in directions.items()]
    pairs += [(COPY, ways[0], *ways) for ways in dict.fromkeys(map(tuple, directions.values()))]
    found = [
        (
            *(f"{direction(source, target)} {WORDS['test']}", method, subject, "test"),
            *(f"Dice {name}", "fraction", dice(labels[target], labels[shown], parts)),
        )
        for method, shown, source, target in pairs
        for name, parts in TISSUES[target].items()
    ]
    return pd.DataFrame(found, columns=list(COLUMNS))


def contrast_table(
    values: pd.DataFrame, models: Sequence[str], published: pd.DataFrame
) -> pd.DataFrame:
    """Make the table of all directions and parts of the split.

    Parameters
    ----------
    values
        `COLUMNS`, of all models and of `copy`.
    models
        In the order of the rows; `copy` follows.
    published
        As `read_published` gives it.

    Returns
    -------
    The columns of `mri2pet.evaluation.tables`; mean and sd are over people.
    """
    parts = []
    for dataset, own in values.groupby("dataset", sort=False):
        there = [model for model in models if (own["method"] == model).any()]
        lower = [name for name in ("MAE",) if (own["metric"] == name).any()]
        parts.append(table_over_people(own, str(dataset), there, published, lower))
    return pd.concat(parts, ignore_index=True)
