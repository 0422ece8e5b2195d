"""From MNI152 back onto the grid of the T1 that a synthetic PET was made of."""

from collections.abc import Sequence

import numpy as np
from nibabel.orientations import inv_ornt_aff, io_orientation, ornt_transform
from scipy import ndimage

from mri2pet.imaging.resample import needed_part, resample, without_finer_detail
from mri2pet.imaging.volume import Array, Volume, array
from mri2pet.imaging.warp import Warp

ENOUGH_MM = 0.01  # a node of an inverted field that moves less has found its place
STEPS = 50  # of its search, at most


def inverted(warp: Warp) -> Warp:
    """Invert a field: the point x + d(x) becomes x again.

    Each node's displacement is found by fixed-point iteration (Chen 2008, "A simple fixed-point
    approach to invert a deformation field"). Between nodes it is trilinear, as the field itself.
    """
    nodes = np.indices(warp.displacement.shape[1:], dtype=float).reshape(3, -1)
    points = warp.affine[:3, :3] @ nodes + warp.affine[:3, 3:]
    found, moving = points.copy(), np.arange(points.shape[1])
    for _ in range(STEPS):
        step = points[:, moving] - warp.carry(found[:, moving])
        found[:, moving] += step
        moving = moving[np.abs(step).max(axis=0) > ENOUGH_MM]
        if not moving.size:
            break
    back = (found - points).reshape(warp.displacement.shape).astype(np.float32)
    return Warp(back, warp.affine)


def on_t1(
    volumes: Sequence[Volume],
    to_template: Array,
    warp: Warp | None,
    affine: Array,
    shape: Sequence[int],
) -> list[Volume]:
    """Carry volumes in MNI152 onto the grid of a T1, in one linear interpolation each.

    Parameters
    ----------
    volumes
        In MNI152, all on one grid.
    to_template
        4x4, points of the T1's world to MNI152 by all affine steps, mm.
    warp
        Of the space, where it has one; None for an affine space.
    affine, shape
        4x4 and (3,), the grid of the T1; any order of axes.

    Returns
    -------
    list of Volume
        float32 on that grid, zero outside the field of view of the volumes.
    """
    # In RAS order, whatever the T1's is: the same voxels by whatever way it came.
    order = io_orientation(affine)
    ras = tuple(int(shape[axis]) for axis in np.argsort(order[:, 0]))
    ras_affine = affine @ inv_ornt_aff(order, shape)
    if warp is None:
        back = np.linalg.inv(to_template)
        placed = [resample(volume, back, ras_affine, ras, order=1) for volume in volumes]
    else:
        placed = _through(volumes, to_template, inverted(warp), ras_affine, ras)
    turn = ornt_transform(io_orientation(ras_affine), order)
    return [volume.as_reoriented(turn) for volume in placed]


def _through(
    volumes: Sequence[Volume], to_template: Array, back: Warp, affine: Array, shape: tuple[int, ...]
) -> list[Volume]:
    """Carry volumes through an affine and the inverse of their field."""
    first = volumes[0]
    to_mni, to_voxel = to_template @ affine, np.linalg.inv(first.affine)
    parts = [needed_part(array(v), to_voxel @ to_mni, 1, _corners(v.shape)) for v in volumes]
    parts = [(without_finer_detail(data, to_voxel @ to_mni), start) for data, start in parts]
    made = [np.zeros(shape, np.float32) for _ in volumes]
    reach = float(np.abs(back.displacement).max()) + 1.0
    low, high = _box(volumes)
    for plane in range(shape[2]):  # a plane at a time: the points of a whole head are many
        index = np.indices(shape[:2], dtype=float).reshape(2, -1)
        points = to_mni[:3, :2] @ index + (to_mni[:3, 2] * plane + to_mni[:3, 3])[:, None]
        near = ((points > low - reach) & (points < high + reach)).all(axis=0)
        if not near.any():
            continue
        at = to_voxel[:3, :3] @ back.carry(points[:, near]) + to_voxel[:3, 3:]
        for (data, start), result in zip(parts, made, strict=True):
            values = np.zeros(near.size, np.float32)
            values[near] = ndimage.map_coordinates(data, at - start[:, None], order=1)
            result[:, :, plane] = values.reshape(shape[:2])
    return [Volume(result, affine) for result in made]


def _corners(shape: Sequence[int]) -> Array:
    """Return the corners (8, 3) of a grid, in voxels."""
    return np.indices((2, 2, 2)).reshape(3, -1).T * (np.array(shape) - 1)


def _box(volumes: Sequence[Volume]) -> tuple[Array, Array]:
    """Return the least and greatest coordinates (3, 1) of what is not zero, world mm."""
    held = np.argwhere(np.any([array(volume) != 0 for volume in volumes], axis=0))
    ends = np.stack([held.min(axis=0) - 1, held.max(axis=0) + 1]) if len(held) else np.zeros((2, 3))
    corners = np.indices((2, 2, 2)).reshape(3, -1).T
    places = np.where(corners, ends[1], ends[0])
    world = places @ volumes[0].affine[:3, :3].T + volumes[0].affine[:3, 3]
    return world.min(axis=0)[:, None], world.max(axis=0)[:, None]
