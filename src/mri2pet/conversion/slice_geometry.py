"""Where the slices of a DICOM series lie, and one affine that says so for all of them.

dcm2niix takes the distance of the first two slices for all, and writes no shear. Its affine is
held against the position and orientation of every slice, and corrected where it differs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mri2pet.conversion.series_slices import Slice, stacks
from mri2pet.errors import ScanError

WITHIN_MM = 0.1  # each corner of each slice from where the affine puts it
ROUNDING_MM = 0.01  # an affine that differs less from the slices' is left as it is
FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])  # LPS (DICOM) <-> RAS (NIfTI)


@dataclass(frozen=True)
class Turn:
    """How a converted volume stores a series: its axes along columns, rows and levels, or against.

    `matrix` (4, 4) carries indices of the volume to those of the series: column, row, level.
    """

    matrix: np.ndarray

    def undo(self, data: np.ndarray) -> np.ndarray:
        """View a volume (X, Y, Z) with the series' axes: column, row, level from the lowest."""
        signs = self.matrix[:3, :3]
        turned = data.transpose(np.abs(signs).argmax(axis=1))
        return turned[tuple(slice(None, None, int(side)) for side in signs.sum(axis=1))]


def stack_affine(slices: Sequence[Slice], folder: Path) -> np.ndarray:
    """Build the affine of a series from the places of all its slices.

    Parameters
    ----------
    slices
        Of one checked series; all time frames.
    folder
        What error messages call the series.

    Returns
    -------
    array (4, 4)
        Column, row and level to the RAS world, mm; no shear. Levels are as far apart as the first
        and the last say, divided by the number of gaps.

    Raises
    ------
    ScanError
        No affine without shear has every corner of every slice within `WITHIN_MM` of its place.
    """
    levels = stacks(slices)
    axes = np.mean([_axes(entry) for entry in slices], axis=0)
    left, _, right = np.linalg.svd(axes, full_matrices=False)
    across, down = left @ right  # the nearest pair at a right angle
    normal = np.cross(across, down)
    ends = [np.mean([entry.position for entry in levels[end]], axis=0) for end in (0, -1)]
    gap = (ends[1] - ends[0]) @ normal / (len(levels) - 1)
    rows, columns = np.median([entry.spacing or (1, 1) for entry in slices], axis=0)
    affine = np.eye(4)
    affine[:3, :3] = np.stack([across * columns, down * rows, normal * gap], axis=1)
    off = _offsets(slices, affine)
    affine[:3, 3] = (off.max(axis=(0, 1)) + off.min(axis=(0, 1))) / 2
    distance = np.linalg.norm(off - affine[:3, 3], axis=2).max(axis=1)
    if distance.max() > WITHIN_MM:
        sideways = ends[1] - ends[0] - (ends[1] - ends[0]) @ normal * normal
        slid = float(np.linalg.norm(sideways))
        if slid > WITHIN_MM:
            raise ScanError(
                f"the slices are slanted in {folder}: from the first to the last they slide "
                f"{slid:.2f} mm sideways; resample the scan to a straight grid, or leave it out"
            )
        distance = np.linalg.norm(off - np.median(off, axis=(0, 1)), axis=2).max(axis=1)
        worst = slices[int(distance.argmax())]
        raise ScanError(
            f"slices are not equally spaced and parallel in {folder}: {worst.path.name} is "
            f"{distance.max():.2f} mm from where most of the others put it"
        )
    return FLIP @ affine


def furthest(affine: np.ndarray, slices: Sequence[Slice]) -> float:
    """Return how far a corner of a slice is at most from where an affine puts it, mm.

    `affine` (4, 4) maps column, row and level to the RAS world.
    """
    return float(np.linalg.norm(_offsets(slices, FLIP @ affine, whole=True), axis=2).max())


def hold_affine(
    affine: np.ndarray, shape: Sequence[int], slices: Sequence[Slice], folder: Path
) -> tuple[np.ndarray, Turn | None]:
    """Hold a converted volume's affine against the places of its slices.

    Parameters
    ----------
    affine
        4x4, voxels to the RAS world in mm, as the converter wrote it.
    shape
        Of the volume.
    slices, folder
        As `stack_affine`.

    Returns
    -------
    affine : array (4, 4)
        The given one where it is right within `ROUNDING_MM`, else the right one; that of the
        series itself where there is no turn.
    turn : Turn or None
        How the volume stores the series; None if it does not hold its slices.

    Raises
    ------
    ScanError
        As `stack_affine`, or the header has no pixel spacing.
    """
    if any(entry.spacing is None for entry in slices):
        raise ScanError(f"{folder}: no pixel spacing in the DICOM header")
    series = stack_affine(slices, folder)
    sizes = np.array([slices[0].size[1], slices[0].size[0], len(stacks(slices))])
    turn = _turn(np.linalg.solve(series[:3, :3], affine[:3, :3]), sizes)
    if turn is None or tuple(np.abs(turn[:3, :3]).T @ sizes) != tuple(shape[:3]):
        return series, None
    right = series @ turn
    ends = np.stack(np.meshgrid(*((0, size - 1) for size in shape[:3])), -1).reshape(-1, 3)
    apart = (affine - right) @ np.c_[ends, np.ones(len(ends))].T
    close = np.linalg.norm(apart[:3], axis=0).max() <= ROUNDING_MM
    if close and furthest(affine @ np.linalg.inv(turn), slices) <= WITHIN_MM:
        right = affine
    return right, Turn(turn)


def _turn(between: np.ndarray, sizes: np.ndarray) -> np.ndarray | None:
    """Round a matrix (3, 3) to one of axes swapped and flipped; None if it is far from any."""
    signs = np.rint(between)
    if not (np.abs(signs).sum(0) == 1).all() or not (np.abs(signs).sum(1) == 1).all():
        return None
    turn = np.eye(4)
    turn[:3, :3] = signs
    turn[:3, 3] = np.where(signs.sum(axis=1) < 0, sizes - 1, 0)
    return turn


def _axes(entry: Slice) -> np.ndarray:
    """Direction cosines (2, 3) of a slice, each of length one."""
    axes = np.reshape(entry.orientation, (2, 3))
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)


def _offsets(slices: Sequence[Slice], affine: np.ndarray, whole: bool = False) -> np.ndarray:
    """Return each corner's place less the affine's (n, 4, 3), LPS mm; without its shift or whole.

    The corners' places follow from the slice's own position, orientation and pixel spacing.
    """
    level = {entry: k for k, entries in enumerate(stacks(slices)) for entry in entries}
    off = np.empty((len(slices), 4, 3))
    for place, entry in enumerate(slices):
        row, column = (max(size - 1, 0) for size in entry.size)
        corners = np.array([[0, 0], [column, 0], [0, row], [column, row]], float)
        down, across = entry.spacing or (1, 1)
        there = np.array(entry.position) + corners * (across, down) @ _axes(entry)
        told = np.c_[corners, np.full(4, level[entry])] @ affine[:3, :3].T
        off[place] = there - told - (affine[:3, 3] if whole else 0)
    return off
