"""Figures of synthetic PET and of training, and what all figures share; without a display."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.errors import InputError
from mri2pet.files import atomic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

PLANES = ("axial", "coronal", "sagittal")
PLANE_AXIS = {"sagittal": 0, "coronal": 1, "axial": 2}  # the axis that a plane cuts
THROUGH_MM = (8.0, -20.0, 12.0)  # MNI152: beside the midline, thalamus and ventricles in view
INK, GREY = "#1d2733", "#66727f"
DARK = {"gray", "magma", "viridis"}  # colour maps whose zero is dark
NOT_LOSSES = {"epoch", "step", "steps", "fold", "seconds", "learning_rate"}


def plane(
    volume: NDArray, name: str, affine: NDArray, through: Sequence[float] = THROUGH_MM
) -> tuple[NDArray, tuple[float, float, float, float], float]:
    """Cut a plane through a point for `imshow(..., origin="lower", extent=...)`.

    Parameters
    ----------
    volume
        (X, Y, Z), axes to the right, the front and the top (RAS).
    name
        `axial`, `coronal` or `sagittal`.
    affine
        4x4, voxel to world in mm, without rotation.
    through
        The point, world mm.

    Returns
    -------
    The slice (rows upwards, columns to the right: neurological, the patient's left on the left; in
    a sagittal slice the front is on the right), its extent in world mm (left, right, bottom, top)
    and the world coordinate of the slice in mm.
    """
    axis = PLANE_AXIS[name]
    voxel = np.linalg.inv(affine) @ [*through, 1.0]
    index = int(np.clip(np.rint(voxel[axis]), 0, volume.shape[axis] - 1))
    extent = [
        affine[other, other] * edge + affine[other, 3]
        for other in range(3)
        if other != axis
        for edge in (-0.5, volume.shape[other] - 0.5)
    ]
    at = affine[axis, axis] * index + affine[axis, 3]
    return np.take(volume, index, axis=axis).T, tuple(map(float, extent)), float(at)


def synthesis_figure(
    real: NDArray,
    synthetic: Mapping[str, NDArray],
    mask: NDArray,
    affine: NDArray,
    title: str,
    note: str = "",
) -> "Figure":
    """Draw real PET, synthetic PET and error map in three planes, a row a model (Fig. 4 and 7).

    One colour scale serves all PET and one all errors, so that rows compare.

    Parameters
    ----------
    real
        (X, Y, Z) PET, 0..1, RAS.
    synthetic
        Label to PET (X, Y, Z) of each model.
    mask
        (X, Y, Z) boolean; errors are those inside it, the ones that the metrics count.
    affine
        4x4, voxel to world in mm.
    title, note
        Above the figure; small print below it.
    """
    from matplotlib.figure import Figure

    errors = {
        label: np.where(mask, volume.astype(float) - real, 0.0)
        for label, volume in synthetic.items()
    }
    inside = np.concatenate([np.abs(error[mask]) for error in errors.values()])
    limit = max(float(np.percentile(inside, 99.5)), 1e-3)
    top = max(float(np.percentile(real[mask], 99.9)), 1e-3)

    window = brain_window(mask, affine)
    figure = Figure(figsize=(14, 1.9 + 1.5 * len(synthetic)), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.03, wspace=0, hspace=0)
    heading(figure, title, note)
    axes = figure.subplots(len(synthetic), 9, squeeze=False)
    for row, (label, volume) in enumerate(synthetic.items()):
        for column, name in enumerate(PLANES):
            three = axes[row, 3 * column : 3 * column + 3]
            for axis, shown in zip(three[:2], (real, volume), strict=True):
                pet = show_plane(axis, shown, name, affine, window, cmap="magma", vmin=0, vmax=top)
            scale = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
            error = show_plane(three[2], errors[label], name, affine, window, **scale)
            if row == 0:
                letter, at = "xyz"[PLANE_AXIS[name]], plane(real, name, affine)[2]
                heads = ("real", f"{name}, {letter} = {at:.0f} mm\nsynthetic", "error")
                for axis, text in zip(three, heads, strict=True):
                    axis.set_title(text, fontsize=9, color=INK)
        axes[row, 0].set_ylabel(two_lines(label), fontsize=10, color=INK, weight="bold")
    bars = (("PET intensity", pet, axes[:, :5]), ("synthetic minus real", error, axes[:, 5:]))
    for text, image, beside in bars:
        colour_bar(figure, image, beside, text)
    return figure


def empty_figure(title: str, note: str = "") -> "Figure":
    """Draw a title and a note alone, where there is nothing to show."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 1.5), layout="constrained")
    heading(figure, title, note)
    return figure


def colour_bar(
    figure: "Figure | SubFigure", image: Any, beside: Any, text: str = "", size: int = 8, **how: Any
) -> None:
    """Draw the scale of a picture, by default below its axes.

    Parameters
    ----------
    figure, image, beside
        Where it is drawn; what `imshow` returned; the axes that it takes room from.
    text, size
        Beside the scale; points of its numbers.
    how
        For `Figure.colorbar`, in place of the defaults.
    """
    how = {"location": "bottom", "aspect": 40, "shrink": 0.5, "pad": 0.02} | how
    bar = figure.colorbar(image, ax=beside, **how)
    bar.set_label(text, fontsize=9, color=INK)
    bar.ax.tick_params(labelsize=size, color=GREY, labelcolor=INK)
    bar.outline.set_visible(False)


def brain_window(mask: NDArray, affine: NDArray) -> tuple[NDArray, float]:
    """Centre (3,) and half width in mm of a cube around the mask: one scale for all panels."""
    corners = np.argwhere(mask)
    corners = np.stack([corners.min(0), corners.max(0)]) @ affine[:3, :3].T + affine[:3, 3]
    return corners.mean(0), float(np.abs(np.diff(corners, axis=0)).max() / 2 + 6)


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


def heading(figure: "Figure", title: str, note: str = "") -> None:
    """Write the title above and the note below a figure."""
    figure.suptitle(title, fontsize=13, color=INK, x=0.01, ha="left", weight="bold")
    if note:
        figure.supxlabel(note, fontsize=8.5, color=GREY, x=0.01, ha="left")


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


def show_plane(
    axis: "Axes",
    volume: NDArray,
    name: str,
    affine: NDArray,
    window: tuple[NDArray, float],
    **scale: object,
) -> object:
    """Show one plane with its sides marked; return the image, for a colour bar.

    Parameters
    ----------
    axis, volume, name, affine
        Where; what and how, as for `plane`.
    window
        Centre and half width in mm of what is seen (`brain_window`).
    scale
        `cmap`, `vmin` and `vmax` of `imshow`.
    """
    picture, extent, _ = plane(volume, name, affine)
    centre, half = window
    image = axis.imshow(picture, origin="lower", extent=extent, interpolation="nearest", **scale)
    across, up = (i for i in range(3) if PLANE_AXIS[name] != i)
    axis.set_xlim(centre[across] - half, centre[across] + half)
    axis.set_ylim(centre[up] - half, centre[up] + half)
    dark = scale["cmap"] in DARK
    axis.set(xticks=[], yticks=[], facecolor=image.cmap(0) if dark else "#f7f7f7")
    axis.spines[:].set_visible(False)
    for place, side in zip((0.03, 0.97), "PA" if name == "sagittal" else "LR", strict=True):
        axis.text(
            place,
            0.03,
            side,
            transform=axis.transAxes,
            fontsize=7,
            color="white" if dark else GREY,
            ha="left" if place < 0.5 else "right",
        )
    return image
