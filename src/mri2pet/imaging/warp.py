"""A displacement field beside an affine, and one interpolation through both.

The field belongs to MNI152: its point x is the point x + d(x) of the affinely registered brain. So
with the affine A (points of AC-PC space to MNI152) the MRI's value at x stands at
inverse(A) (x + d(x)). Files are as ITK keeps them (displacements in LPS mm), so that ANTs reads
them; in memory all is RAS.
"""

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

from mri2pet.errors import InputError
from mri2pet.imaging.resample import needed_part, without_finer_detail
from mri2pet.imaging.volume import Array, Volume, array, load_volume, save_volume

LPS_INTENT = 1007  # NIfTI's "vector"
LPS = np.array([-1.0, -1.0, 1.0], np.float32)  # signs of a displacement, RAS <-> LPS


@dataclass(frozen=True)
class Warp:
    """Displacements at the nodes of a grid, trilinear between them and zero outside.

    `displacement` is (3, X, Y, Z), float32, RAS world mm; `affine` maps the nodes' indices to
    points of MNI152.
    """

    displacement: Array
    affine: Array

    def carry(self, points: Array) -> Array:
        """Carry points (3, n) of MNI152 to x + d(x)."""
        to_nodes = np.linalg.inv(self.affine)
        nodes = to_nodes[:3, :3] @ points + to_nodes[:3, 3:]
        parts = [ndimage.map_coordinates(part, nodes, order=1) for part in self.displacement]
        return points + np.stack(parts)

    def jacobian(self) -> Array:
        """Return the Jacobian determinant of x + d(x) at the nodes; zero or less is a fold."""
        rows = np.array([np.gradient(part.astype(np.float64)) for part in self.displacement])
        along_world = np.moveaxis(rows, (0, 1), (-2, -1)) @ np.linalg.inv(self.affine[:3, :3])
        return np.linalg.det(along_world + np.eye(3))


def save_warp(path: str | Path, warp: Warp) -> None:
    """Write a field as an ITK displacement field (NIfTI vectors, LPS), the same bytes always.

    Its intent is 1007, by which ANTs takes it for LPS; a file of intent 0 ANTs does not apply.
    """
    vectors = np.moveaxis(warp.displacement, 0, -1)[:, :, :, None] * LPS
    image = Volume(vectors.astype(np.float32), warp.affine)
    image.header.set_intent(LPS_INTENT)
    save_volume(path, image)


def load_warp(path: str | Path) -> Warp:
    """Read a field that `save_warp` or ANTs wrote.

    Raises
    ------
    InputError
        The file cannot be read, is no displacement field, or its intent code does not say that
        the displacements are LPS.
    """
    image = load_volume(path)
    vectors = array(image)
    if vectors.ndim != 5 or vectors.shape[3:] != (1, 3):
        raise InputError(f"{path}: expected a displacement field, found shape {vectors.shape}")
    intent = int(nib.load(path).header["intent_code"])
    if intent != LPS_INTENT:
        raise InputError(
            f"{path}: its intent code is {intent}, not {LPS_INTENT} (displacements in LPS mm). "
            "ANTs takes 1006 for RAS and does not apply a file of code 0: write it again with code "
            f"{LPS_INTENT}"
        )
    return Warp(np.moveaxis(vectors[:, :, :, 0] * LPS, -1, 0), image.affine)


def resample_through(
    image: Volume,
    to_target: Array,
    warp: Warp,
    grid: Volume,
    order: int = 3,
    where: Array | None = None,
) -> Volume:
    """Carry a volume through an affine and a field onto a grid in one interpolation.

    With a field of zeros this is `imaging.resample.resample`; what is finer than the grid is
    smoothed away as there, by the affine's scale.

    Parameters
    ----------
    image
        Source, in its native voxels.
    to_target
        4x4, points of the image's world to MNI152, the product of all that comes before the field.
    warp
        The field.
    grid
        Its affine and shape are the target's.
    order
        0 nearest (labels), 1 linear, 3 cubic B-spline; the result is clipped to the source's range.
    where
        Boolean, of the grid's shape: voxels to compute; the others are zero.

    Returns
    -------
    Volume
        float32 on the grid, zero outside the source's field of view.
    """
    pull = np.linalg.inv(image.affine) @ np.linalg.inv(to_target)
    data = array(image)
    low, high = min(float(data.min()), 0.0), max(float(data.max()), 0.0)
    chosen = np.ones(grid.shape, bool) if where is None else where
    voxels = np.stack(np.nonzero(chosen)).astype(np.float64)
    points = warp.carry(grid.affine[:3, :3] @ voxels + grid.affine[:3, 3:])
    at = pull[:3, :3] @ points + pull[:3, 3:]
    if not at.size:
        return Volume(np.zeros(grid.shape, np.float32), grid.affine)
    data, first = needed_part(data, pull @ grid.affine, order, at.T)
    at -= first[:, None]
    if order:
        data = without_finer_detail(data, pull @ grid.affine)
    result = np.zeros(grid.shape, np.float32)
    result[chosen] = np.clip(ndimage.map_coordinates(data, at, order=order), low, high)
    return Volume(result, grid.affine)


def resample_brain_through(
    brain: Volume, mask: Volume, to_template: Array, warp: Warp, grid: Volume
) -> Volume:
    """Carry a normalised brain (0..1) through affine and field, zero outside its own mask.

    As `imaging.resample.resample_brain`: cubic B-splines, the mask linearly and cut at one half.
    """
    inside = array(resample_through(mask, to_template, warp, grid, order=1)) > 0.5
    data = array(resample_through(brain, to_template, warp, grid, where=inside))
    return Volume(np.clip(data, 0, 1), grid.affine)
