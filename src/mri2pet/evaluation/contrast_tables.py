"""Tables of the IXI report: synthesised against real volumes, person by person (X7, X8)."""

from collections.abc import Sequence

import pandas as pd
from numpy.typing import NDArray

from mri2pet.evaluation.image_tables import table_over_people
from mri2pet.evaluation.tissues import COLUMNS, WORDS
from mri2pet.evaluation.volume_metrics import METRICS, UNITS


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
    The columns of `mri2pet.evaluation.image_tables`; mean and sd are over people.
    """
    parts = []
    for dataset, own in values.groupby("dataset", sort=False):
        there = [model for model in models if (own["method"] == model).any()]
        lower = [name for name in ("MAE",) if (own["metric"] == name).any()]
        parts.append(table_over_people(own, str(dataset), there, published, lower))
    return pd.concat(parts, ignore_index=True)
