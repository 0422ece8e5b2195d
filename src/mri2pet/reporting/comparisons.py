"""Figures that set methods side by side: ablations as bars, diagnoses as confusion matrices."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.errors import InputError
from mri2pet.evaluation.classification import METRICS
from mri2pet.reporting.figures import GREY, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DATASETS = ("Paired", "Complete")
BASE, OTHERS = "#34465a", ("#4f8ac9", "#e2a42b", "#7fb69a", "#b5749b", "#9aa5b1")
PER_ROW = 5  # confusion matrices
LOWEST = {"MCC": -1.0}  # of the other metrics 0; the highest is 1


def ablation_figure(
    table: pd.DataFrame, labels: Mapping[str, str], title: str, note: str = ""
) -> "Figure":
    """Draw a bar a variant, grouped by metric, Paired beside Complete (GLA-GAN, Fig. 8 and 9).

    Whiskers reach one sd up and down, but not beyond what a metric can be.

    Parameters
    ----------
    table
        Long: dataset method metric mean sd. A metric that no fold gave has no bar.
    labels
        Method to label, the base model first.
    title, note
        Above the figure; small print below it.
    """
    from matplotlib.figure import Figure

    if lost := [method for method in labels if method not in set(table["method"])]:
        raise InputError(f"{title}: the table has no row of {', '.join(lost)}")
    figure = Figure(figsize=(13.5, 4.4), layout="constrained")
    _frame(figure, title, note)
    axes = figure.subplots(1, len(DATASETS), sharey=True)
    colours = dict(zip(labels, (BASE, *OTHERS * len(labels)), strict=False))
    values = table[table["metric"].isin(METRICS)].set_index(["dataset", "method", "metric"])
    low, high = _whiskers(values)
    bottom = min(0.0, float(low.min()))
    for axis, dataset in zip(axes, DATASETS, strict=True):
        width = 0.8 / len(labels)
        places = np.arange(len(METRICS))
        for number, (method, label) in enumerate(labels.items()):
            rows = [(dataset, method, metric) for metric in METRICS]
            mean = values.loc[rows, "mean"]
            axis.bar(
                places + (number - (len(labels) - 1) / 2) * width,
                mean,
                0.92 * width,
                color=colours[method],
                label=label + (" (base)" if number == 0 else ""),
                yerr=[mean - low[rows], high[rows] - mean],
                error_kw={"ecolor": "#8a949e", "elinewidth": 1.0, "capsize": 2},
            )
        axis.set_title(dataset, fontsize=11, color=INK, loc="left")
        axis.set_xticks(places, [metric[:1].upper() + metric[1:] for metric in METRICS])
        axis.tick_params(labelsize=9, color=GREY, labelcolor=INK)
        axis.tick_params(axis="x", length=0)
        axis.set_ylim(np.floor(5 * bottom) / 5, 1.04)
        axis.spines[["top", "right"]].set_visible(False)
        axis.spines[["left", "bottom"]].set_color("#c5ccd3")
        axis.grid(axis="y", color="#e6eaee", lw=0.8)
        axis.set_axisbelow(True)
        if bottom < 0:
            axis.axhline(0, color="#c5ccd3", lw=0.8)
    axes[0].set_ylabel("mean over folds, whiskers: sd", fontsize=9, color=GREY)
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(
        handles, names, loc="outside upper right", ncols=len(labels), fontsize=9.5, frameon=False
    )
    return figure


def _whiskers(values: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Lower and upper end of the whiskers of rows indexed by dataset, method and metric."""
    floor = values.index.get_level_values("metric").map(lambda metric: LOWEST.get(metric, 0.0))
    sd = values["sd"].fillna(0)
    low = (values["mean"] - sd).clip(lower=pd.Series(floor, index=values.index, dtype=float))
    return low, (values["mean"] + sd).clip(upper=1.0)


def confusion_figure(
    counts: Mapping[str, Mapping[str, NDArray[np.int64]]],
    groups: Sequence[str],
    title: str,
    note: str = "",
) -> "Figure":
    """Draw confusion matrices, each row a share of its true group; a block of rows a dataset.

    Parameters
    ----------
    counts
        Dataset to method's label to (groups, groups) visits, true groups in rows.
    groups
        Names of rows and columns.
    title, note
        Above the figure; small print below it.
    """
    from matplotlib.figure import Figure

    columns = min(PER_ROW, max(map(len, counts.values())))
    heights = [-(-len(methods) // columns) for methods in counts.values()]
    figure = Figure(figsize=(2.35 * columns + 0.6, 1.1 + 2.55 * sum(heights)), layout="constrained")
    _frame(figure, title, note)
    blocks = figure.subfigures(len(counts), 1, height_ratios=heights, squeeze=False)[:, 0]
    for block, rows, (dataset, methods) in zip(blocks, heights, counts.items(), strict=True):
        block.suptitle(dataset, fontsize=11, color=INK, x=0.01, ha="left", weight="bold")
        axes = block.subplots(rows, columns, squeeze=False).ravel()
        for axis in axes[len(methods) :]:
            axis.set_visible(False)
        for number, (label, matrix) in enumerate(methods.items()):
            _matrix(axes[number], matrix, groups)
            axes[number].set_title(label, fontsize=9.5, color=INK)
            if number % columns == 0:
                axes[number].set_ylabel("true group", fontsize=8.5, color=GREY)
            if number + columns >= len(methods):
                axes[number].set_xlabel("predicted", fontsize=8.5, color=GREY)
    return figure


def _matrix(axis: "Axes", counts: NDArray[np.int64], groups: Sequence[str]) -> None:
    """Draw one matrix with percents and counts written into its cells."""
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(*counts.shape):
        axis.text(
            column,
            row,
            f"{100 * shares[row, column]:.0f}%\n({counts[row, column]})",
            ha="center",
            va="center",
            fontsize=8,
            color="white" if shares[row, column] > 0.55 else INK,
        )
    places = range(len(groups))
    axis.set_xticks(places, groups)
    axis.set_yticks(places, groups)
    axis.tick_params(labelsize=8.5, length=0, labelcolor=INK)
    axis.spines[:].set_visible(False)


def _frame(figure: "Figure", title: str, note: str) -> None:
    """Write the title above and the note below a figure."""
    figure.suptitle(title, fontsize=13, color=INK, x=0.01, ha="left", weight="bold")
    if note:
        figure.supxlabel(note, fontsize=8.5, color=GREY, x=0.01, ha="left")
