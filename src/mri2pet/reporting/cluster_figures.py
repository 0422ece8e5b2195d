"""The clusters of the anomaly detectors over the MRI (Figure 3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mri2pet.reporting.brain_frames import Frames
from mri2pet.reporting.brain_views import (
    Brain,
    Window,
    centre_of,
    draw_brain,
    draw_glass,
    lay_over,
    outline,
    window_around,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#2f6db3", "#d1742c", "#3a8f5c", "#8757a5", "#8a8a2d")
COLOURS += ("#b3416b", "#4fa3a5", "#6b5b4b", "#30343a")  # as many as training sets there can be
# The paper's red and green: of the first rank, of the last one, and in glass.
FALSE, TRUE = ("#ff7a5c", "#8c1500", "#e8481c"), ("#6dff8d", "#00662b", "#2f9e54")
LESION = "#35c3ff"
SLICES, GLASS = "yz", "z"  # coronal and transverse
TALL = 1.5  # inches


@dataclass(frozen=True)
class Case:
    """One patient: title, MRI and lesion (X, Y, Z), and for each detector ranks and hits."""

    title: str
    mri: NDArray
    lesion: NDArray
    ranks: Sequence[NDArray]
    hits: Sequence[Sequence[int]]


@dataclass(frozen=True)
class _Found:
    """What one detector has found in one patient: ranks, and which voxels met the lesion."""

    case: Case
    ranks: NDArray
    met: NDArray

    def parts(self) -> list[tuple[NDArray, tuple[str, str, str]]]:
        """Return false and true voxels with their colours."""
        return [((self.ranks > 0) & ~self.met, FALSE), (self.met, TRUE)]


def clusters_figure(
    cases: Sequence[Case],
    detectors: Sequence[str],
    mask: NDArray,
    affine: NDArray,
    note: str = "",
) -> "Figure":
    """Draw clusters over the MRI and through glass: a row a detector, a column a patient.

    Slices go through the lesion, or where none is known through the first detector's first cluster.
    Green clusters meet the lesion, red ones do not; the brighter, the higher the rank. The lesion
    is outlined. The glass shows all clusters of the brain at once, seen from above.

    Parameters
    ----------
    cases
        At least one.
    detectors
        Labels, in the order of each case's `ranks`.
    mask, affine
        (X, Y, Z) bool; 4x4, voxel to world mm, in MNI space.
    note
        Small print below.
    """
    window = window_around(mask, affine)
    ratio = window.ratio(SLICES)
    glass = TALL * window.ratio(GLASS)  # inches
    title = "Clusters of each detector over the MRI, and all of them through glass"
    room = {"between": glass + 0.15, "right": glass + 0.1, "below": 0.3}
    size = (len(detectors), len(cases))
    frames = Frames(*size, ratio, TALL * ratio, title, note, **room)
    for column, case in enumerate(cases):
        through = _middle(case, affine)
        frames.head(column, case.title)
        for row, (ranks, hits) in enumerate(zip(case.ranks, case.hits, strict=True)):
            found = _Found(case, ranks, np.isin(ranks, list(hits)) & (ranks > 0))
            left, bottom = frames.corners[row][column]
            _draw_slices(frames.axes[row][column], found, window, through, named=row == 0)
            beside = frames.add(left + frames.wide, bottom, glass, TALL)
            _draw_glass(beside, found, affine, named=row == 0)
    for row, label in enumerate(detectors):
        frames.label(row, label, fontsize=9)
    return frames.figure


def _middle(case: Case, affine: NDArray) -> tuple[float, ...]:
    """World place that a case's slices go through."""
    shown = case.lesion if case.lesion.any() else case.ranks[0] == 1
    if shown.any():
        return centre_of(shown, affine)
    return tuple(affine[:3, :3] @ (np.array(case.mri.shape) / 2) + affine[:3, 3])


def _draw_slices(
    axis: "Axes", found: _Found, window: Window, through: Sequence[float], named: bool
) -> None:
    """Draw the slices of one detector and patient."""
    from matplotlib.colors import LinearSegmentedColormap

    grey = {"cmap": "gray", "vmin": 0.0, "vmax": 1.0}
    display = draw_brain(axis, Brain(found.case.mri, grey), window, through, SLICES, named)
    most = max(int(found.ranks.max()), 2)
    for chosen, (first, last, _) in found.parts():
        colours = LinearSegmentedColormap.from_list("ranks", [first, last])
        look = {"cmap": colours, "vmin": 1, "vmax": most, "transparency": 0.85}
        lay_over(display, window.image(np.where(chosen, found.ranks, 0)), **look)
    outline(display, window.image(found.case.lesion), LESION, 0.9)


def _draw_glass(axis: "Axes", found: _Found, affine: NDArray, named: bool) -> None:
    """Draw all clusters of one detector and patient."""
    from matplotlib.colors import ListedColormap

    whole = Window((slice(None),) * 3, affine, found.ranks.shape)
    display = draw_glass(axis, GLASS, named)
    for chosen, (_, _, colour) in found.parts():
        look = {"cmap": ListedColormap([colour]), "vmin": 0, "vmax": 1}
        lay_over(display, whole.image(chosen), **look)
    outline(display, whole.image(found.case.lesion), LESION, 0.9)
