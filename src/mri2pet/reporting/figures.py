"""The figure of training, and what all figures share; without a display."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mri2pet.errors import InputError
from mri2pet.files import atomic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, GREY = "#1d2733", "#66727f"
NOT_LOSSES = {"epoch", "step", "steps", "fold", "seconds", "learning_rate"}


def empty_figure(title: str, note: str = "") -> "Figure":
    """Draw a title and a note alone, where there is nothing to show."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 1.5), layout="constrained")
    heading(figure, title, note)
    return figure


def scale_of(axis: "Axes", scale: Mapping[str, Any], text: str = "", **how: Any) -> None:
    """Draw a scale of colours.

    Parameters
    ----------
    axis
        That it fills.
    scale
        `cmap`, `vmin`, `vmax`.
    text
        Beside it.
    how
        For `Figure.colorbar`, beside lying down.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    colours = ScalarMappable(Normalize(scale["vmin"], scale["vmax"]), scale["cmap"])
    bar = axis.figure.colorbar(colours, cax=axis, **({"orientation": "horizontal"} | how))
    bar.set_label(text, fontsize=8.5, color=INK)
    bar.ax.tick_params(labelsize=7.5, color=GREY, labelcolor=INK)
    bar.outline.set_visible(False)


def curves_figure(histories: Mapping[int, pd.DataFrame], label: str, note: str = "") -> "Figure":
    """Draw a model's losses over the epochs: a panel a loss, a line a fold.

    Parameters
    ----------
    histories
        Fold to its history: `epoch` and a column a loss; where an epoch has several rows (steps),
        their mean is drawn.
    label, note
        Name of the model; small print below.
    """
    from matplotlib.figure import Figure

    means = {
        fold: table.groupby("epoch").mean(numeric_only=True) for fold, table in histories.items()
    }
    losses = [
        name for name in next(iter(means.values())) if name not in NOT_LOSSES
    ]  # fmt: skip
    if not losses:
        raise InputError(f"{label}: the training history has no column of a loss")
    columns = min(4, len(losses))
    rows = -(-len(losses) // columns)
    figure = Figure(figsize=(0.6 + 3.3 * columns, 0.9 + 2.4 * rows), layout="constrained")
    heading(figure, f"{label}: training", note)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes[len(losses) :]:
        axis.set_visible(False)
    for axis, loss in zip(axes, losses, strict=False):
        for fold, table in means.items():
            alone = "o" if len(table) == 1 else ""  # a line of one point is not seen
            axis.plot(table.index, table[loss], lw=1.4, marker=alone, label=f"fold {fold}")
        plot_axis(axis, loss.replace("_", " "))
        axis.set_xlabel("epoch", fontsize=9, color=GREY)
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes[0].legend(fontsize=8, frameon=False)
    return figure


def heading(
    figure: "Figure",
    title: str,
    note: str = "",
    high: float | None = None,
    low: float | None = None,
) -> None:
    """Write the title above and the note below a figure.

    Parameters
    ----------
    figure, title, note
        Where and what.
    high, low
        Upper edge of the title and lower edge of the note, in heights of the figure; by default
        where the figure's layout puts them.
    """
    look = {"color": INK, "x": 0.01, "ha": "left", "weight": "bold"}
    figure.suptitle(title, fontsize=13, **look, **({} if high is None else {"y": high}))
    if note:
        place = {} if low is None else {"y": low}
        figure.supxlabel(note, fontsize=8.5, color=GREY, x=0.01, ha="left", **place)


def two_lines(text: str) -> str:
    """Break a long label before a bracket, or at the space nearest to its middle."""
    spaces = [place for place, letter in enumerate(text) if letter == " "]
    if len(text) < 13 or not spaces:
        return text
    middle = min(spaces, key=lambda place: (text[place + 1] != "(", abs(place - len(text) / 2)))
    return f"{text[:middle]}\n{text[middle + 1 :]}"


def plot_axis(axis: "Axes", title: str = "") -> None:
    """Give an axis of a plot its plain look: no box, quiet ticks, horizontal grid."""
    if title:
        axis.set_title(title, fontsize=10, color=INK, loc="left")
    axis.tick_params(labelsize=8.5, color=GREY, labelcolor=INK)
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color("#c5ccd3")
    axis.grid(axis="y", color="#e6eaee", lw=0.8)
    axis.set_axisbelow(True)


def save(figure: "Figure", path: str | Path) -> None:
    """Write a figure as PNG, the same bytes for the same figure."""
    with atomic(path) as partial:
        figure.savefig(partial, dpi=130, facecolor="white", metadata={"Software": None})
