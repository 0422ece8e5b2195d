"""Brains in slices and as glass, drawn by nilearn: view and side are named, nothing is fetched.

nilearn takes seconds to import, so only what draws imports it.
"""

import functools
import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from mri2pet.reporting.figures import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from nibabel.nifti1 import Nifti1Image

VIEWS = {"x": "sagittal", "y": "coronal", "z": "axial"}
PLANES = "xyz"  # in nilearn's order
THROUGH_MM = (8.0, -20.0, 12.0)  # MNI152: beside the midline, thalamus and ventricles in view
MARGIN_MM = 6.0
DARK = {"gray", "magma", "viridis"}  # colour maps whose zero is dark
BACK_AND_FRONT = (("P", 0.1, "left"), ("A", 0.9, "right"))
SMALL = 7.5  # points
P, T = ParamSpec("P"), TypeVar("T")


def spared(draw: Callable[P, T]) -> Callable[P, T]:
    """Spare a function the search for garbage among all objects that were there before it.

    nilearn asks for such a search at every image; with a figure half drawn it takes ten times as
    long as drawing.
    """

    @functools.wraps(draw)
    def drawing(*args: P.args, **kwargs: P.kwargs) -> T:
        gc.freeze()
        try:
            return draw(*args, **kwargs)
        finally:
            gc.unfreeze()

    return drawing


@dataclass(frozen=True)
class Window:
    """The part of a grid that is drawn.

    Attributes
    ----------
    box
        Slices of the grid's three axes.
    affine
        4x4, voxel of the part to world in mm, without rotation.
    shape
        Voxels of the part.
    """

    box: tuple[slice, ...]
    affine: NDArray
    shape: tuple[int, ...]

    def image(self, volume: NDArray) -> "Nifti1Image":
        """Return the part of a volume (X, Y, Z, axes to the right, front and top) for nilearn."""
        import nibabel as nib

        return nib.Nifti1Image(np.asarray(volume[self.box], np.float32), self.affine)

    def inside(self, through: Sequence[float]) -> tuple[float, ...]:
        """Return the point of the part that is nearest to one in the world, mm.

        In whole millimetres where they lie in the same voxel: nilearn writes no others.
        """
        first, step = self.affine[:3, 3], np.diag(self.affine)[:3]
        ends = self.ends()
        point = np.clip(through, *ends)
        whole = np.clip(np.rint(point), *ends)
        same = np.rint((whole - first) / step) == np.rint((point - first) / step)
        return tuple(map(float, np.where(same, whole, point)))

    def ends(self) -> tuple[NDArray, NDArray]:
        """Return the lowest and the highest centre of a voxel, world mm, (3,) each."""
        first = self.affine[:3, 3]
        last = first + np.diag(self.affine)[:3] * np.subtract(self.shape, 1)
        return np.minimum(first, last), np.maximum(first, last)

    def extent(self, plane: str) -> tuple[float, float, float, float]:
        """Return left, right, lower and upper end of a plane (`x`, `y` or `z`), world mm."""
        low, high = self.ends()
        across, up = ("xyz".index(axis) for axis in "xyz" if axis != plane)
        return tuple(map(float, (low[across], high[across], low[up], high[up])))

    def ratio(self, planes: str = PLANES) -> float:
        """Return width by height of some planes side by side."""
        ends = [self.extent(plane) for plane in planes]
        return sum(end[1] - end[0] for end in ends) / max(end[3] - end[2] for end in ends)


def window_around(mask: NDArray, affine: NDArray) -> Window:
    """Return the part of a grid that holds a mask (X, Y, Z, boolean) and a rim of `MARGIN_MM`."""
    rim = np.ceil(MARGIN_MM / np.abs(np.diag(affine)[:3])).astype(int)
    voxels = np.argwhere(mask)
    first = np.maximum(voxels.min(0) - rim, 0)
    end = np.minimum(voxels.max(0) + 1 + rim, mask.shape)
    moved = np.array(affine, float)
    moved[:3, 3] = affine[:3, :3] @ first + affine[:3, 3]
    box = tuple(slice(int(start), int(stop)) for start, stop in zip(first, end, strict=True))
    return Window(box, moved, tuple(map(int, end - first)))


def centre_of(region: NDArray, affine: NDArray) -> tuple[float, ...]:
    """Return the voxel of a region (X, Y, Z, boolean) nearest to its centre of mass, world mm."""
    voxels = np.argwhere(region)
    nearest = voxels[((voxels - voxels.mean(0)) ** 2).sum(1).argmin()]
    return tuple(map(float, affine[:3, :3] @ nearest + affine[:3, 3]))


@spared
def template_on(
    template: str | Path, mask: str | Path, affine: NDArray, shape: Sequence[int]
) -> NDArray[np.float32]:
    """Bring the brain of a template to a grid.

    Parameters
    ----------
    template, mask
        NIfTI of one grid: the image, its brain.
    affine, shape
        4x4, voxel to world in mm, and voxels of the grid asked for.

    Returns
    -------
    (X, Y, Z); zero outside the brain.
    """
    from nilearn.image import resample_img
    from nilearn.masking import apply_mask, unmask

    brain = unmask(apply_mask(str(template), str(mask)), str(mask))
    how = {"interpolation": "linear", "force_resample": True, "copy_header": True}
    return np.asarray(resample_img(brain, affine, tuple(shape), **how).dataobj, np.float32)


@dataclass(frozen=True)
class Brain:
    """A volume as it is drawn.

    Attributes
    ----------
    volume
        (X, Y, Z).
    scale
        `cmap`, `vmin`, `vmax`.
    over
        What it lies over, on the same grid, in grey; the ground if None.
    clear
        What is smaller, and zero in any case, is not drawn.
    opacity
        Of the volume over it.
    """

    volume: NDArray
    scale: Mapping[str, Any]
    over: NDArray | None = None
    clear: float = 1e-6
    opacity: float | None = None


@spared
def draw_brain(
    axis: "Axes",
    brain: Brain,
    window: Window,
    through: Sequence[float] = THROUGH_MM,
    planes: str = PLANES,
    named: bool = False,
) -> Any:
    """Draw some planes of a brain side by side, with position and sides marked.

    Neurological view: the patient's left on the left; in a sagittal plane the front on the right.

    Parameters
    ----------
    axis
        Whose place is taken.
    brain, window
        What is drawn, and which part of it.
    through
        The point that the planes go through, world mm; the nearest inside the part.
    planes
        Of `x`, `y`, `z`, in this order.
    named
        Whether the names of the views stand above.

    Returns
    -------
    nilearn's display, for overlays and contours.
    """
    from nilearn.plotting import plot_anat, plot_img, plot_stat_map

    point = dict(zip("xyz", window.inside(through), strict=True))
    how = {
        "display_mode": "ortho" if planes == PLANES else planes,
        "cut_coords": tuple(point[plane] for plane in planes),
        "axes": axis,
        "colorbar": False,
        "annotate": False,
        "draw_cross": False,
        "black_bg": brain.scale["cmap"] in DARK,
        **brain.scale,
    }
    volume = window.image(brain.volume)
    if brain.over is None:
        threshold = brain.clear if holds(volume, brain.clear) else None
        display = plot_img(volume, threshold=threshold, **how)
    elif holds(volume, brain.clear):
        how |= {"threshold": brain.clear, "transparency": brain.opacity}
        display = plot_stat_map(volume, bg_img=window.image(brain.over), **how)
    else:
        how |= {"cmap": "gray", "vmin": None, "vmax": None, "threshold": 1e-6}
        display = plot_anat(window.image(brain.over), **how)
    for plane in display.axes.values():  # else what is clear at the rim changes the scale
        plane.add_object_bounds(window.extent(plane.direction))
    mark(display, named)
    return display


def holds(image: "Nifti1Image", least: float) -> bool:
    """Tell whether any value of an image is larger: of one without, nilearn complains."""
    return bool((np.abs(np.asarray(image.dataobj)) > least).any())


@spared
def lay_over(display: Any, image: "Nifti1Image", **look: Any) -> None:
    """Lay an image (zero where nothing is) over a display; `look` is nilearn's."""
    if holds(image, 0.5):
        display.add_overlay(image, threshold=0.5, **look)


@spared
def outline(display: Any, image: "Nifti1Image", colour: str, width: float) -> None:
    """Draw the outline of a region (zero and one) that every plane of a display goes through."""
    if holds(image, 0.5):
        display.add_contours(image, levels=[0.5], colors=[colour], linewidths=width)


@spared
def draw_glass(axis: "Axes", planes: str = PLANES, named: bool = False) -> Any:
    """Draw a brain of glass, in which overlays show their highest value on each line of sight.

    Parameters
    ----------
    axis
        Whose place is taken.
    planes, named
        As for `draw_brain`.

    Returns
    -------
    nilearn's display, for overlays and contours in MNI space.
    """
    from nilearn.plotting import plot_glass_brain

    mode = "ortho" if planes == PLANES else planes
    how = {"colorbar": False, "annotate": False, "alpha": 0.5, "threshold": None}
    display = plot_glass_brain(None, display_mode=mode, axes=axis, **how)
    mark(display, named, positions=False)
    return display


def mark(display: Any, named: bool = False, positions: bool = True) -> None:
    """Mark the sides of each plane, and where it lies; with `named`, write the views above."""
    display.annotate(size=SMALL, positions=positions)
    ink, ground = ("white", "black") if display.black_bg else ("black", "white")
    for plane in display.axes.values():
        if plane.direction == "x":  # of whose sides nilearn says nothing
            for letter, place, side in BACK_AND_FRONT:
                box = {"boxstyle": "square,pad=0", "ec": ground, "fc": ground}
                look = {"ha": side, "va": "top", "size": SMALL, "color": ink, "bbox": box}
                plane.ax.text(place, 0.95, letter, transform=plane.ax.transAxes, **look)
        if named:
            place = plane.ax.get_axes_locator()(plane.ax, None)
            middle, top = (place.x0 + place.x1) / 2, place.y1
            look = {"ha": "center", "va": "bottom", "fontsize": 8.5, "color": GREY}
            plane.ax.figure.text(middle, top, VIEWS[plane.direction], **look)
