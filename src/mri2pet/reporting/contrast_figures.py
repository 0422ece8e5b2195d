"""Figures of the IXI report: validation over the epochs, squared errors, gradient differences."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.errors import InputError
from mri2pet.evaluation.image_metrics import shown, unit_of
from mri2pet.reporting.brain_frames import Frames
from mri2pet.reporting.brain_views import THROUGH_MM, Brain, draw_brain, window_around
from mri2pet.reporting.figures import GREY, heading, plot_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BACKGROUND = -0.3  # standardised intensity: less is air
MIDDLE = THROUGH_MM  # mm from the middle of the scan
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

    Each row, in three planes each: synthesised volume; squared error; absolute difference of the
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
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    grid = np.diag([*steps, 1.0])
    grid[:3, 3] = -steps * (np.array(target.shape) - 1) / 2
    real_edges = edges(target)
    squares = {label: np.square(volume - target) for label, volume in made.items()}
    differences = {label: np.abs(edges(volume) - real_edges) for label, volume in made.items()}
    squared, differing = (
        {"cmap": name, "vmin": 0.0, "vmax": _top(maps.values())}
        for name, maps in (("magma", squares), ("viridis", differences))
    )
    grey, own = _grey(target), _grey(source)
    steep = differing | {"vmax": 3 * differing["vmax"]}
    window = window_around(target > BACKGROUND, grid)
    frames = Frames(1 + len(made), 3, window.ratio(), 4.3, title, note, above=0.22)
    first = (("source", source, own), ("target", target, grey), ("its gradient", real_edges, steep))
    for column, (text, volume, scale) in enumerate(first):
        draw_brain(frames.axes[0][column], Brain(volume, scale), window, MIDDLE, named=True)
        frames.head(column, text)
    heads = ("synthesised", "squared error", "gradient difference")
    for row, (label, volume) in enumerate(made.items(), start=1):
        maps = ((volume, grey), (squares[label], squared), (differences[label], differing))
        for column, (data, scale) in enumerate(maps):
            draw_brain(frames.axes[row][column], Brain(data, scale), window, MIDDLE)
            if row == 1:
                frames.head(column, heads[column], row, 0.1)
        frames.label(row, f"{label} MSE {squares[label].mean():.3f}")
    frames.scale(1, 1, squared, "squared error")
    frames.scale(2, 2, differing, "gradient difference")
    return frames.figure


def _top(maps: Iterable[NDArray]) -> float:
    """Return the value of the last colour."""
    return max(float(np.percentile(np.stack(list(maps)), TOP)), 1e-6)


def _grey(volume: NDArray) -> dict[str, object]:
    """Return a grey scale of a volume's own."""
    low, high = map(float, np.percentile(volume, [0.5, 99.8]))
    return {"cmap": "gray", "vmin": low, "vmax": high}
