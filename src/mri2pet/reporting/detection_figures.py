"""Curves of the anomaly detectors beside chance (Figure 4), and free-response curves."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from mri2pet.anomaly.detection import CHANCE, SCORE, SHUFFLED
from mri2pet.reporting.figures import GREY, heading, plot_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OWN, OTHER = "#2f6db3", "#d1742c"
STYLES = {  # of a ranking: label, and how it is drawn
    SCORE: ("clusters as ranked", {"color": OWN, "marker": "o", "ms": 3.5}),
    CHANCE: ("chance: lesions moved over held-out controls", {"color": OTHER, "ls": "--"}),
    SHUFFLED: ("the same clusters in random order", {"color": GREY, "ls": ":", "lw": 1.2}),
}


def detection_figure(curve: pd.DataFrame, labels: Mapping[str, str], note: str = "") -> "Figure":
    """Draw sensitivity over clusters a patient: a panel a detector, chance and intervals in each.

    Parameters
    ----------
    curve
        `anomaly.detection.CURVE_COLUMNS`.
    labels
        Detector to label, in the order of the panels.
    note
        Small print below.
    """
    patients = int(curve["patients"].max()) if len(curve) else 0
    title = f"Lesions found among the first clusters of a patient ({patients} patients)"
    figure, axes = _panels(len(labels), title, note)
    for axis, (name, label) in zip(axes, labels.items(), strict=False):
        for ranking, (text, how) in STYLES.items():
            own = curve[(curve["detector"] == name) & (curve["ranking"] == ranking)]
            own = own.sort_values("clusters")
            _line(axis, own, "clusters", text, how, band=ranking != SHUFFLED)
        _dress(axis, label, "clusters looked at in a patient")
        axis.xaxis.get_major_locator().set_params(integer=True)
    _legend(figure, axes)
    return figure


def free_response_figure(free: pd.DataFrame, labels: Mapping[str, str], note: str = "") -> "Figure":
    """Draw sensitivity over false clusters a held-out control: a panel a detector.

    Parameters
    ----------
    free
        `anomaly.free_response.COLUMNS`.
    labels
        Detector to label, in the order of the panels.
    note
        Small print below.
    """
    patients, controls = (
        int(free[name].max()) if len(free) else 0 for name in ("patients", "controls")
    )
    title = f"Lesions found over false clusters ({patients} patients, {controls} controls)"
    figure, axes = _panels(len(labels), title, note)
    for axis, (name, label) in zip(axes, labels.items(), strict=False):
        for ranking in (SCORE, CHANCE):
            text, how = STYLES[ranking]
            own = free[(free["detector"] == name) & (free["ranking"] == ranking)]
            how = {key: value for key, value in how.items() if key not in ("marker", "ms")}
            how |= {"drawstyle": "steps-post"}
            _line(axis, own.sort_values("false_clusters"), "false_clusters", text, how, band=True)
        _dress(axis, label, "false clusters a control")
        axis.set_xlim(0, 1.02 * max(float(free["false_clusters"].max()), 0.1))
    _legend(figure, axes)
    return figure


def _panels(count: int, title: str, note: str) -> tuple["Figure", list["Axes"]]:
    """Make a figure with a panel for each detector."""
    from matplotlib.figure import Figure

    columns = min(3, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(0.6 + 3.5 * columns, 1.5 + 2.6 * rows), layout="constrained")
    heading(figure, title, note)
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel().tolist()
    for axis in axes[count:]:
        axis.set_visible(False)
    return figure, axes[:count]


def _line(
    axis: "Axes", own: pd.DataFrame, along: str, label: str, how: Mapping, band: bool
) -> None:
    axis.plot(own[along], own["sensitivity"], label=label, **how)
    if band and own[["low", "high"]].notna().all(axis=None):
        step = "post" if "drawstyle" in how else None
        ends = (own[along], own["low"], own["high"])
        axis.fill_between(*ends, color=how["color"], alpha=0.13, lw=0, step=step)


def _dress(axis: "Axes", label: str, along: str) -> None:
    plot_axis(axis, label)
    axis.set_xlabel(along, fontsize=9, color=GREY)
    axis.set_ylim(-0.03, 1.03)
    if axis.get_subplotspec().is_first_col():
        axis.set_ylabel("share of patients found", fontsize=9, color=GREY)


def _legend(figure: "Figure", axes: list["Axes"]) -> None:
    """Explain the lines once, below the panels."""
    handles, texts = axes[0].get_legend_handles_labels()
    texts = [*texts, "shaded: 95% intervals over people"]
    from matplotlib.patches import Patch

    handles = [*handles, Patch(color=OWN, alpha=0.13, lw=0)]
    figure.legend(handles, texts, loc="outside lower center", ncols=2, fontsize=8.5, frameon=False)
