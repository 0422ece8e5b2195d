"""The clusters of the anomaly detectors over the MRI (Figure 3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mri2pet.reporting.figures import INK, brain_window, heading, plane

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#2f6db3", "#d1742c", "#3a8f5c", "#8757a5", "#8a8a2d")
COLOURS += ("#b3416b", "#4fa3a5", "#6b5b4b", "#30343a")  # as many as training sets there can be
FALSE, TRUE = "autumn_r", "summer_r"  # of the ranks: the paper's red and green, brightest first
LESION = "#35c3ff"


@dataclass(frozen=True)
class Case:
    """One patient: title, MRI and lesion (X, Y, Z), and for each detector ranks and hits."""

    title: str
    mri: NDArray
    lesion: NDArray
    ranks: Sequence[NDArray]
    hits: Sequence[Sequence[int]]


def clusters_figure(
    cases: Sequence[Case],
    detectors: Sequence[str],
    mask: NDArray,
    affine: NDArray,
    note: str = "",
) -> "Figure":
    """Draw clusters over the MRI: a row a patient, a transverse and a coronal slice a detector.

    Slices go through the lesion, or where none is known through the first detector's first cluster.
    Green clusters meet the lesion, red ones do not; the brighter, the higher the rank. The lesion
    is outlined.

    Parameters
    ----------
    cases
        At least one.
    detectors
        Labels, in the order of each case's `ranks`.
    mask, affine
        (X, Y, Z) bool; 4x4, voxel to world mm.
    note
        Small print below.
    """
    from matplotlib.figure import Figure

    window = brain_window(mask, affine)
    columns = 2 * len(detectors)
    figure = Figure(figsize=(1.0 + 1.75 * columns, 1.0 + 1.9 * len(cases)), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.02, wspace=0, hspace=0)
    heading(figure, "Clusters of each detector over the MRI", note)
    axes = figure.subplots(len(cases), columns, squeeze=False)
    for row, case in enumerate(cases):
        through = _middle(case, affine)
        for number, (ranks, hits) in enumerate(zip(case.ranks, case.hits, strict=True)):
            for column, name in enumerate(("axial", "coronal")):
                axis = axes[row, 2 * number + column]
                _show(axis, case, ranks, hits, name, affine, through, window)
                if row == 0 and column == 0:
                    axis.set_title(detectors[number], fontsize=9.5, color=INK, loc="left")
        axes[row, 0].set_ylabel(case.title, fontsize=9.5, color=INK, weight="bold")
    return figure


def _middle(case: Case, affine: NDArray) -> tuple[float, ...]:
    """World place that a case's slices go through."""
    voxels = np.argwhere(case.lesion if case.lesion.any() else case.ranks[0] == 1)
    if not len(voxels):
        voxels = np.array([np.array(case.mri.shape) / 2])
    return tuple(affine[:3, :3] @ np.median(voxels, axis=0) + affine[:3, 3])


def _show(
    axis: object,
    case: Case,
    ranks: NDArray,
    hits: Sequence[int],
    name: str,
    affine: NDArray,
    through: Sequence[float],
    window: tuple[NDArray, float],
) -> None:
    """Show one slice with its clusters."""
    centre, half = window
    across, up = (0, 1) if name == "axial" else (0, 2)
    grey, extent, _ = plane(case.mri, name, affine, through)
    place = {"origin": "lower", "extent": extent, "interpolation": "nearest"}
    axis.imshow(grey, cmap="gray", vmin=0, vmax=1, **place)
    numbers, _, _ = plane(ranks, name, affine, through)
    most = max(int(ranks.max()), 2)
    met = np.isin(numbers, list(hits)) & (numbers > 0)
    for chosen, colours in ((met, TRUE), ((numbers > 0) & ~met, FALSE)):
        shown = np.ma.masked_where(~chosen, numbers)
        axis.imshow(shown, cmap=colours, vmin=1, vmax=most, alpha=0.85, **place)
    lesion, _, _ = plane(case.lesion.astype(float), name, affine, through)
    if lesion.any():
        at = {"origin": "lower", "extent": extent}
        axis.contour(lesion, levels=[0.5], colors=LESION, linewidths=0.9, **at)
    axis.set_xlim(centre[across] - half, centre[across] + half)
    axis.set_ylim(centre[up] - half, centre[up] + half)
    axis.set(xticks=[], yticks=[], facecolor="black")
    for place_across, side in ((0.03, "L"), (0.97, "R")):
        alignment = {"ha": "left" if side == "L" else "right", "transform": axis.transAxes}
        axis.text(place_across, 0.03, side, fontsize=7, color="white", **alignment)
