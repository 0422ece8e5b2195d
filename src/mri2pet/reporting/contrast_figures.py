"""Figures of the IXI report: validation over the epochs, squared errors, gradient differences."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.errors import InputError
from mri2pet.evaluation.image_metrics import shown, unit_of
from mri2pet.reporting.figures import (
    GREY,
    INK,
    PLANES,
    brain_window,
    colour_bar,
    heading,
    plot_axis,
    show_plane,
    two_lines,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BACKGROUND = -0.3  # standardised intensity: less is air
TOP = 99.5  # percentile of errors that has the last colour


def ordinary_person(values: pd.DataFrame, models: Sequence[str], dataset: str) -> str:
    """Return the person with the median error of one dataset (`T2-PD test`).

    Mean absolute errors are averaged over the models; the lower median of an even number is
    taken, the first by name of equals.
    """
    chosen = values[
        (values["metric"] == "MAE") & (values["dataset"] == dataset) & values["method"].isin(models)
    ]
    if chosen.empty:
        raise InputError(f"{dataset}: nobody was measured, there is no case to draw")
    errors = chosen.groupby("subject")["value"].mean().reset_index()
    ordered = errors.sort_values(["value", "subject"])
    return str(ordered["subject"].iloc[(len(ordered) - 1) // 2])


def validation_figure(
    histories: Mapping[str, pd.DataFrame], copied: Mapping[str, float], title: str, note: str = ""
) -> "Figure":
    """Draw the metrics on the validation people, a line a model, a dot at the epoch kept.

    Parameters
    ----------
    histories
        Label to history with `validation_psnr` and its like (`image_metrics.shown`).
    copied
        What the source images score in place of synthesised ones, by metric: a dashed line.
    title, note
        Above; small print below.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4.2), layout="constrained")
    heading(figure, title, note)
    metrics = shown("ixi")
    panels = figure.subplots(1, len(metrics))
    for axis, metric in zip(panels, metrics, strict=True):
        for label, history in histories.items():
            values = history[f"validation_{metric.lower()}"]
            (line,) = axis.plot(history["epoch"], values, lw=1.6, label=label)
            best = history["validation_psnr"].idxmax()
            axis.plot(history["epoch"][best], values[best], "o", ms=5, color=line.get_color())
        if metric in copied:
            axis.axhline(copied[metric], ls="--", lw=1, color=GREY, label="source copied")
        plot_axis(axis, f"{metric}, {unit_of(metric, 'standardised')}")
        axis.set_xlabel("epoch", fontsize=9, color=GREY)
        axis.xaxis.get_major_locator().set_params(integer=True)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside right center", fontsize=8.5, frameon=False)
    return figure


def edges(volume: NDArray) -> NDArray:
    """Magnitude of the gradient within slices, per voxel, (X, Y, Z)."""
    across, along = np.gradient(np.asarray(volume, np.float64), axis=(0, 1))
    return np.hypot(across, along)


def errors_figure(
    source: NDArray,
    target: NDArray,
    made: Mapping[str, NDArray],
    affine: NDArray,
    title: str,
    note: str = "",
) -> "Figure":
    """Draw a person's source and target, and of each model volume, squared error and edges.

    Each row in three planes: synthesised volume; squared error; absolute difference of the
    gradients' magnitudes. One scale serves all squared errors, and one all differences.

    Parameters
    ----------
    source, target
        (X, Y, Z) standardised, RAS.
    made
        Label to volume.
    affine
        4x4 of the volumes; the figure lies along their own axes.
    title, note
        Above the figure; small print below.
    """
    from matplotlib.figure import Figure

    steps = np.linalg.norm(affine[:3, :3], axis=0)
    grid = np.diag([*steps, 1.0])
    grid[:3, 3] = -steps * (np.array(target.shape) - 1) / 2
    window = brain_window(target > BACKGROUND, grid)
    real_edges = edges(target)
    squares = {label: np.square(volume - target) for label, volume in made.items()}
    differences = {label: np.abs(edges(volume) - real_edges) for label, volume in made.items()}
    tops = [
        max(float(np.percentile(np.stack(list(maps.values())), TOP)), 1e-6)
        for maps in (squares, differences)
    ]
    low, high = np.percentile(target, [0.5, 99.8])
    grey = {"cmap": "gray", "vmin": float(low), "vmax": float(high)}
    own = {"cmap": "gray"} | dict(
        zip(("vmin", "vmax"), map(float, np.percentile(source, [0.5, 99.8])), strict=True)
    )
    scales = [{"cmap": name, "vmin": 0, "vmax": top} for name, top in
              zip(("magma", "viridis"), tops, strict=True)]  # fmt: skip
    figure = Figure(figsize=(14, 2.4 + 1.6 * len(made)), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.03, wspace=0, hspace=0)
    heading(figure, title, note)
    axes = figure.subplots(1 + len(made), 9, squeeze=False)
    shown: dict[int, object] = {}
    for column, name in enumerate(PLANES):
        three = axes[0, 3 * column : 3 * column + 3]
        for axis, volume, scale, text in (
            (three[0], source, own, "source"),
            (three[1], target, grey, f"{name}\ntarget"),
            (three[2], real_edges, scales[1] | {"vmax": 3 * tops[1]}, "its gradient"),
        ):
            show_plane(axis, volume, name, grid, window, **scale)
            axis.set_title(text, fontsize=9, color=INK)
    for row, (label, volume) in enumerate(made.items(), start=1):
        for column, name in enumerate(PLANES):
            maps = ((volume, grey), (squares[label], scales[0]), (differences[label], scales[1]))
            for part, (data, scale) in enumerate(maps):
                axis = axes[row, 3 * column + part]
                shown[part] = show_plane(axis, data, name, grid, window, **scale)
                if row == 1:
                    heads = ("synthesised", "squared error", "gradient difference")
                    axis.set_title(heads[part], fontsize=9, color=INK)
        text = f"{two_lines(label)}\nMSE {squares[label].mean():.3f}"
        axes[row, 0].set_ylabel(text, fontsize=9.5, color=INK, weight="bold")
    bars = (
        ("squared error", shown[1], axes[:, :5]),
        ("gradient difference", shown[2], axes[:, 5:]),
    )
    for text, image, beside in bars:
        colour_bar(figure, image, beside, text)
    return figure
