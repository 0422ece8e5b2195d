"""Sections of the report beyond Tables I to III: ablations and further diagnoses."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mri2pet.evaluation import gap
from mri2pet.evaluation.image_metrics import metric_of
from mri2pet.files import read_tsv
from mri2pet.reporting.captions import (
    ABLATION_TABLE,
    ABLATIONS,
    CROSS_FITTED,
    HARMONISED,
    THREE_WAY,
)
from mri2pet.reporting.html import Picture, Section
from mri2pet.reporting.pictures import data_uri
from mri2pet.reporting.views import TableView, table_view


def ablation_section(
    figure: str, table: str | Path, picture: str | Path, labels: Mapping[str, str]
) -> Section:
    """Show one ablation: its figure, and its numbers on Paired and on Complete.

    Parameters
    ----------
    figure
        `losses` or `patches`.
    table, picture
        The long table of all datasets; the PNG.
    labels
        Method to label.
    """
    title, caption = ABLATIONS[figure]
    shown = Picture(title, caption, data_uri(picture))
    views = _by_dataset(f"ablation-{figure}", title, ABLATION_TABLE, read_tsv(table), labels)
    return Section(
        f"ablation-{figure}", f"Ablation: {title[:1].lower()}{title[1:]}", [shown], views
    )


def three_way_section(table: str | Path, picture: str | Path, labels: Mapping[str, str]) -> Section:
    """Show the three-way diagnosis: confusion matrices, and numbers on Paired and on Complete."""
    title, caption, matrices = THREE_WAY
    shown = Picture("Confusion matrices", matrices, data_uri(picture))
    views = _by_dataset("three-way", title, caption, read_tsv(table), labels)
    return Section("three-way", title, [shown], views)


def cross_fitted_section(table: str | Path, labels: Mapping[str, str]) -> Section:
    """Show the diagnosis learnt from synthetic PET, on Paired and on Complete."""
    title, caption = CROSS_FITTED
    views = _by_dataset("cross-fitted", title, caption, read_tsv(table), labels)
    return Section("cross-fitted", f"GLA-GAN: {title[:1].lower()}{title[1:]}", [], views)


def harmonised_section(table: str | Path, labels: Mapping[str, str]) -> Section:
    """Show the diagnosis by harmonised features, on Paired and on Complete."""
    title, caption = HARMONISED
    views = _by_dataset("harmonised", title, caption, read_tsv(table), labels)
    return Section("harmonised", f"GLA-GAN: {title[:1].lower()}{title[1:]}", [], views)


def part_views(
    anchor: str, title: str, caption: str, table: pd.DataFrame, labels: Mapping[str, str]
) -> list[TableView]:
    """One view a dataset of a table, in its order; the first has the title as it is."""
    first, made = table["dataset"].iloc[0], []
    for dataset, rows in table.groupby("dataset", sort=False):
        what = str(dataset).removeprefix(f"{first}, ")
        named = (f"{anchor}-{_as_anchor(what)}", f"{title}: {what}") if made else (anchor, title)
        made.append(table_view(*named, caption, rows, labels))
    return made


def _by_dataset(
    anchor: str, title: str, caption: str, table: pd.DataFrame, labels: Mapping[str, str]
) -> list[TableView]:
    """One view a dataset, and one of its image quality if that is there, in the table's order."""
    views = []
    for (dataset, quality), rows in table.groupby(
        [
            "dataset",
            table["metric"].map(lambda name: metric_of(name) or name == gap.METRIC).astype(bool),
        ],
        sort=False,
    ):
        what = f"{dataset}, image quality" if quality else dataset
        views.append(
            table_view(f"{anchor}-{_as_anchor(what)}", f"{title}: {what}", caption, rows, labels)
        )
    return views


def _as_anchor(words: str) -> str:
    return words.lower().replace(", ", "-").replace(" ", "-")
