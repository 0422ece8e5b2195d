"""The figure of injected lesions: how often they are found over their depth."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from mri2pet.anomaly.detection_tables import SENSITIVITY
from mri2pet.reporting.cluster_figures import COLOURS
from mri2pet.reporting.figures import GREY, heading, plot_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def injection_figure(
    table: pd.DataFrame, labels: Mapping[str, str], lesions: Mapping[str, str], note: str = ""
) -> "Figure":
    """Draw sensitivity over depth: a panel a lesion, a line a detector with its intervals.

    Parameters
    ----------
    table
        As `anomaly.injection_tables.injection_table` makes it.
    labels, lesions
        Detector to label, and lesion to label, in the order of the legend and the panels.
    note
        Small print below.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.1 * len(lesions) + 0.6, 3.6), layout="constrained")
    heading(figure, "Lesions put into the PET of held-out controls", note)
    axes = figure.subplots(1, len(lesions), sharey=True, squeeze=False)[0]
    drawn = table[table["metric"] == SENSITIVITY]
    for axis, (lesion, title) in zip(axes, lesions.items(), strict=True):
        for colour, (name, label) in zip(COLOURS, labels.items(), strict=False):
            own = drawn[(drawn["method"] == name) & (drawn["lesion"] == lesion)]
            own = own.sort_values("depth").astype({"mean": float, "low": float, "high": float})
            there, chance = own[own["depth"] > 0], own.loc[own["depth"] == 0, "mean"]
            axis.plot(100 * there["depth"], there["mean"], "o-", ms=4, color=colour, label=label)
            axis.vlines(100 * there["depth"], there["low"], there["high"], color=colour, lw=1.2)
            for level in chance:
                axis.axhline(level, color=colour, ls=":", lw=1.2)
        axis.set_xlabel("uptake lost, percent", fontsize=9.5, color=GREY)
        axis.set_ylim(-0.02, 1.05)
        plot_axis(axis, title)
    people = int(drawn["n"].max()) if len(drawn) else 0
    axes[0].set_ylabel(f"found, of {people} controls", fontsize=9.5, color=GREY)
    axes[-1].legend(fontsize=8, frameon=False, loc="lower right")
    return figure
