"""Tables of a study that is split once: directions and parts of the split, over people (X7, X8)."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from mri2pet.config.repeats import first_and_number
from mri2pet.evaluation.image_tables import pool, table_over_people
from mri2pet.evaluation.tissues import COPY, WORDS, direction


def by_direction(
    paths: Iterable[str | Path], directions: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Read the metrics of models and of copied sources, a row a person and metric.

    Parameters
    ----------
    paths
        `.../{method}/fold-0.tsv`; the method `copy_t2_pd` is a T2 in place of a PD, and
        `<model>__2` a further training of a model.
    directions
        Source and target of each model.

    Returns
    -------
    DataFrame
        dataset method subject split metric unit value; the dataset is direction and part of the
        split (`T2-PD test`), the method of all copies `copy`.
    """
    copies = {copy_name(*ways): ways for ways in directions.values()}
    values = pool(paths)
    ways = {**directions, **copies}
    where = values["method"].map(lambda name: direction(*ways[first_and_number(name)[0]]))
    method = values["method"].where(~values["method"].isin(list(copies)), COPY)
    return values.assign(dataset=where + " " + values["split"].map(WORDS), method=method)


def copy_name(source: str, target: str) -> str:
    """Name what a copied source scores, among the models of `results/ixi/metrics`."""
    return f"{COPY}_{source}_{target}"


def contrast_table(
    values: pd.DataFrame, models: Sequence[str], published: pd.DataFrame
) -> pd.DataFrame:
    """Make the table of all directions and parts of the split.

    Parameters
    ----------
    values
        As `by_direction` or `tissues.compare_tissues` give them, of all models and of `copy`.
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
        parts.append(table_over_people(own, str(dataset), there, published))
    return pd.concat(parts, ignore_index=True)
