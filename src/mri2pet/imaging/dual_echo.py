"""T2 and PD of one acquisition, brought to the grid of the networks (part X1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.affines import voxel_sizes

from mri2pet.errors import ScanError
from mri2pet.imaging.resample import resample
from mri2pet.imaging.volume import Array, Volume, array

ALIKE_MM = 0.1  # corners of two scans of one acquisition lie no further apart


@dataclass(frozen=True)
class ReducedGrid:
    """What the volumes are reduced to.

    Attributes
    ----------
    shape
        Voxels within a slice, left-right and front-back, and slices: 224, 224, 96 in the report.
    field_mm
        Side of the square within a slice that is kept, 240 mm for IXI's whole field of view.
    every
        One slice of so many is kept, 3 in the report: 32 of 96.
    """

    shape: tuple[int, int, int]
    field_mm: float
    every: int = 1

    @classmethod
    def from_config(cls, block: Mapping[str, Any]) -> "ReducedGrid":
        """Read `shape`, `field_mm` and `every` of the configuration."""
        x, y, z = block["shape"]
        return cls((x, y, z), float(block["field_mm"]), int(block["every"]))

    @property
    def kept(self) -> tuple[int, int, int]:
        """Shape of the volumes that the networks see."""
        return (*self.shape[:2], -(-self.shape[2] // self.every))


def check_alike(t2: Volume, pd: Volume) -> None:
    """Refuse a pair that is not of one acquisition: other grids, or another place in the world.

    Nothing aligns the two, since the echoes of one acquisition are aligned.

    Raises
    ------
    ScanError
        Naming the difference.
    """
    if t2.shape != pd.shape:
        raise ScanError(
            f"T2 has {t2.shape} voxels and PD {pd.shape}: not two echoes of one acquisition"
        )
    corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array(t2.shape) - 1)
    apart = nib.affines.apply_affine(t2.affine, corners) - nib.affines.apply_affine(
        pd.affine, corners
    )
    furthest = float(np.linalg.norm(apart, axis=1).max())
    if furthest > ALIKE_MM:
        raise ScanError(
            f"T2 and PD lie up to {furthest:.1f} mm apart by their headers: not two echoes of one "
            "acquisition"
        )


def reduce_volume(image: Volume, grid: ReducedGrid) -> Volume:
    """Bring a scan (RAS order) to the reduced grid, along its own axes.

    Within slices the middle `field_mm` of the field of view is resampled (linear, after a blur
    where voxels become wider). Of the slices the middle ones are kept as they are, and of those
    every so-many-th: nothing is interpolated between slices, which are thick and, once reduced,
    apart.

    Raises
    ------
    ScanError
        The scan has fewer slices than the grid.
    """
    slices, wanted = image.shape[2], grid.shape[2]
    if slices < wanted:
        raise ScanError(f"{slices} slices; {wanted} are needed (ixi.grid.shape)")
    size = voxel_sizes(image.affine)
    first = (slices - wanted) // 2
    width = np.array([grid.field_mm / side for side in grid.shape[:2]])
    step = np.diag([*(width / size[:2]), grid.every, 1.0])
    for axis in range(2):
        middle = (image.shape[axis] - 1) / 2
        step[axis, 3] = middle - step[axis, axis] * (grid.shape[axis] - 1) / 2
    step[2, 3] = first
    # one slice at a time, so that the blur does not cross slices: a slab of the kept ones alone
    kept = array(image)[:, :, first : first + wanted : grid.every]
    place = np.diag([1.0, 1.0, grid.every, 1.0])
    place[2, 3] = first
    slab = Volume(np.ascontiguousarray(kept), image.affine @ place)
    return resample(slab, np.eye(4), image.affine @ step, grid.kept, order=1)


def standardise(data: Array) -> tuple[Array, float, float]:
    """Give a volume a mean of zero and a standard deviation of one, over all its voxels.

    The report standardises "the patches of T2 and PD datasets". The volume is taken as a whole:
    single patches would lose what sets them apart, and could not be put together again.

    Returns
    -------
    data, mean, sd
        float32, and what was taken off and divided by.

    Raises
    ------
    ScanError
        All voxels are the same.
    """
    mean, sd = float(data.mean(dtype=np.float64)), float(data.std(dtype=np.float64))
    if not sd > 0:
        raise ScanError("every voxel of the reduced volume is the same")
    return ((data - mean) / sd).astype(np.float32), mean, sd


def prepare_pair(
    t2: Volume, pd: Volume, grid: ReducedGrid
) -> tuple[dict[str, Volume], dict[str, Any]]:
    """Check, reduce and standardise the T2 and the PD of one person.

    Parameters
    ----------
    t2, pd
        As `load_scan` gives them: RAS order.
    grid
        The target.

    Returns
    -------
    volumes : dict
        `t2` and `pd`, standardised.
    measures : dict
        For the sidecar: means and standard deviations, native voxel and shape.

    Raises
    ------
    ScanError
        The two are no pair, or do not fill the grid.
    """
    check_alike(t2, pd)
    volumes, measures = {}, {}
    for name, image in (("t2", t2), ("pd", pd)):
        reduced = reduce_volume(image, grid)
        data, mean, sd = standardise(array(reduced))
        volumes[name] = Volume(data, reduced.affine)
        measures |= {f"{name}Mean": round(mean, 4), f"{name}SD": round(sd, 4)}
    native: Sequence[float] = np.round(voxel_sizes(t2.affine), 4).tolist()
    return volumes, measures | {"NativeShape": list(t2.shape), "NativeVoxelMm": native}
