"""One small picture a stage: three planes of a volume, with contours over them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mri2pet.files import atomic
from mri2pet.imaging.volume import Array, Volume, array

COLOURS = ("#ff5a3c", "#41d3ff", "#ffd23c")
BACKGROUND = "#101014"
CUTS = (0.4, 0.62)  # where the planes cut, as parts of the extent of what is not zero
PIXELS = 128  # a plane's long side after thinning: a picture, not a measurement


def draw(
    path: str | Path,
    image: Volume,
    title: str,
    contours: Sequence[Array] = (),
    at: Array | None = None,
    ceiling: float | None = None,
    cmap: str = "gray",
) -> None:
    """Draw sagittal, coronal and axial planes as a PNG of about 900x200 to 900x380 pixels.

    Parameters
    ----------
    path
        PNG to write.
    image
        Volume in RAS order.
    title
        Stands above the planes.
    contours
        Boolean volumes of the image's shape whose outline is drawn.
    at
        World point (mm) through which one plane of each kind is laid, marked by a cross; without
        it, two planes of each kind at `CUTS` of the object's extent.
    ceiling
        Intensity shown white; by default the 99.5th percentile.
    cmap
        Matplotlib colour map.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    data = array(image)
    voxel = np.linalg.norm(image.affine[:3, :3], axis=0)
    top = float(np.percentile(data, 99.5)) if ceiling is None else ceiling
    planes = _planes(data, image.affine, at)
    figure = Figure(figsize=(9, 9 / len(planes) * 1.15 + 0.35), dpi=100, facecolor=BACKGROUND)
    canvas = FigureCanvasAgg(figure)
    figure.suptitle(title, color="w", fontsize=9, y=0.985)
    axes = figure.subplots(1, len(planes), squeeze=False)[0]
    for ax, (axis, index) in zip(axes, planes, strict=True):
        rows, columns = [voxel[a] for a in range(3) if a != axis][::-1]
        step = max(1, max(s for a, s in enumerate(data.shape) if a != axis) // PIXELS)
        style = {"origin": "lower", "aspect": rows / columns}
        plane = np.take(data, index, axis).T[::step, ::step]
        ax.imshow(plane, cmap=cmap, vmin=0, vmax=top or 1, **style)
        for colour, contour in zip(COLOURS, contours, strict=False):
            outline = np.take(contour, index, axis).T[::step, ::step]
            if outline.any() and not outline.all():
                ax.contour(outline, levels=[0.5], colors=colour, linewidths=0.7)
        if at is not None:
            cross = np.delete(np.linalg.inv(image.affine) @ [*at, 1], [axis, 3]) / step
            ax.axvline(cross[0], color=COLOURS[1], linewidth=0.5)
            ax.axhline(cross[1], color=COLOURS[1], linewidth=0.5)
        ax.axis("off")
    figure.subplots_adjust(0.005, 0.005, 0.995, 0.93, 0.02, 0.02)
    with atomic(path) as partial:
        canvas.print_png(str(partial), metadata={"Software": None})


def _planes(data: Array, affine: Array, at: Array | None) -> list[tuple[int, int]]:
    """Axis and index of each plane to draw."""
    if at is not None:
        voxel = np.round((np.linalg.inv(affine) @ [*at, 1])[:3]).astype(int)
        voxel = np.clip(voxel, 0, np.array(data.shape) - 1)
        return [(axis, int(voxel[axis])) for axis in range(3)]
    planes = []
    for axis in range(3):
        profile = data.max(axis=tuple(a for a in range(3) if a != axis))
        held = np.flatnonzero(profile > 0.1 * data.max())
        first, last = int(held[0]), int(held[-1])
        planes += [(axis, first + round(cut * (last - first))) for cut in CUTS]
    return planes
