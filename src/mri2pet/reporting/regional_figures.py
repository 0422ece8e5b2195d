"""The figure of regional contrast: what synthetic PET keeps of a disease, region by region."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mri2pet.evaluation.image_tables import REFERENCES
from mri2pet.evaluation.regional_bias import CONTRAST, CORRELATION, REAL, SLOPE
from mri2pet.reporting.figures import GREY, INK, heading, plot_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PER_ROW = 4


def contrast_figure(
    table: pd.DataFrame, labels: Mapping[str, str], groups: Sequence[Sequence[str]], note: str = ""
) -> "Figure":
    """Draw each region's contrast in synthetic PET over that in real PET, a panel a method.

    Parameters
    ----------
    table
        As `evaluation.regional_bias.bias_table` makes it.
    labels
        Method to label.
    groups
        The positive and the negative groups.
    note
        Small print below.
    """
    from matplotlib.figure import Figure

    chosen = table[table["metric"] == CONTRAST]
    values = chosen.pivot(index="region", columns="method", values="mean")
    methods = [method for method in chosen["method"].unique() if method != REAL]
    columns = min(PER_ROW, max(1, len(methods)))
    rows = -(-len(methods) // columns) or 1
    figure = Figure(figsize=(3.1 * columns + 0.6, 3.2 * rows + 0.9), layout="constrained")
    sides = " less ".join(", ".join(side) for side in groups)
    if not methods:
        note = f"{note + '; ' if note else ''}nobody of one of the groups was held out"
    heading(figure, f"Contrast of regions, {sides}", note)
    if not methods:
        return figure
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    kept = table[table["metric"].isin([SLOPE, CORRELATION])].set_index(["method", "metric"])["mean"]
    ends = np.array([values[REAL].min(), values[REAL].max()])
    lowest, highest = np.nanmin(values), np.nanmax(values)
    margin = 0.05 * (highest - lowest) or 0.01
    for axis, method in zip(axes, methods, strict=False):
        real, made = values[REAL], values[method]
        axis.axline((0, 0), slope=1, color=GREY, ls="--", lw=1)
        axis.plot(real, made, "o", ms=3.5, alpha=0.7, color="#4f8ac9", mew=0)
        slope, correlation = kept[method, SLOPE], kept[method, CORRELATION]
        both = real.notna() & made.notna()
        axis.plot(ends, made[both].mean() + slope * (ends - real[both].mean()), color=INK, lw=1.4)
        plot_axis(axis, {**REFERENCES, **labels}.get(method, method))
        axis.text(
            0.03,
            0.97,
            f"slope {slope:.2f}, r {correlation:.2f}",
            transform=axis.transAxes,
            fontsize=8.5,
            color=INK,
            va="top",
        )
    # one scale across and up, so that a flat cloud is seen as such
    axes[0].set(xlim=(lowest - margin, highest + margin), ylim=(lowest - margin, highest + margin))
    for place, axis in enumerate(axes):
        axis.set_visible(place < len(methods))
        if place + columns >= len(methods):
            axis.set_xlabel("in real PET", fontsize=9, color=GREY)
            axis.tick_params(labelbottom=True)
        if place % columns == 0:
            axis.set_ylabel("in synthetic PET", fontsize=9, color=GREY)
    return figure
