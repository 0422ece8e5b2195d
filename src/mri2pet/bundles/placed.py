"""From MNI152 back onto the grid of the T1 that a synthetic PET was made of."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from mri2pet.imaging.resample import needed_part, resample, without_finer_detail
from mri2pet.imaging.volume import Array, Volume, array
from mri2pet.imaging.warp import Warp

ENOUGH_MM = 0.01  # no node of an inverted field is farther from the truth
STEPS = 50  # of its search, at most


def inverted(warp: Warp) -> Warp:
    """Invert a field: the point x + d(x) becomes x again.

    Each node's displacement is found by fixed-point iteration (Chen 2008, "A simple fixed-point
    approach to invert a deformation field"). Between nodes it is trilinear, as the field itself.
    """
    nodes = np.indices(warp.displacement.shape[1:], dtype=float).reshape(3, -1)
    points = warp.affine[:3, :3] @ nodes + warp.affine[:3, 3:]
    found = points.copy()
    for _ in range(STEPS):
        step = points - warp.carry(found)
        found += step
        if np.abs(step).max() < ENOUGH_MM:
            break
    back = (found - points).reshape(warp.displacement.shape).astype(np.float32)
    return Warp(back, warp.affine)


def on_t1(
    pet: Volume,
    to_template: Array,
    warp: Warp | None,
    affine: Array,
    shape: Sequence[int],
) -> Volume:
    """Carry a volume in MNI152 onto the grid of a T1 in one linear interpolation.

    Parameters
    ----------
    pet
        In MNI152.
    to_template
        4x4, points of the T1's world to MNI152 by all affine steps, mm.
    warp
        Of the space, where it has one; None for an affine space.
    affine, shape
        4x4 and (3,), the grid of the T1; any order of axes.

    Returns
    -------
    Volume
        float32 on that grid, zero outside the field of view of `pet`.
    """
    shape = tuple(int(side) for side in shape)
    if warp is None:
        return resample(pet, np.linalg.inv(to_template), affine, shape, order=1)
    back = inverted(warp)
    voxels = np.linalg.inv(pet.affine) @ to_template @ affine
    data, first = needed_part(array(pet), voxels, 1, _corners(pet.shape))
    data = without_finer_detail(data, voxels)
    result = np.zeros(shape, np.float32)
    reach = float(np.abs(back.displacement).max()) + 1.0
    to_mni, to_pet = to_template @ affine, np.linalg.inv(pet.affine)
    low, high = _box(pet)
    for plane in range(shape[2]):  # a plane at a time: the points of a whole head are many
        index = np.indices(shape[:2], dtype=float).reshape(2, -1)
        points = to_mni[:3, :2] @ index + (to_mni[:3, 2] * plane + to_mni[:3, 3])[:, None]
        near = ((points > low - reach) & (points < high + reach)).all(axis=0)
        if not near.any():
            continue
        at = to_pet[:3, :3] @ back.carry(points[:, near]) + to_pet[:3, 3:]
        values = np.zeros(near.size, np.float32)
        values[near] = ndimage.map_coordinates(data, at - first[:, None], order=1)
        result[:, :, plane] = values.reshape(shape[:2])
    return Volume(result, affine)


def _corners(shape: Sequence[int]) -> Array:
    """Return the corners (8, 3) of a grid, in voxels."""
    return np.indices((2, 2, 2)).reshape(3, -1).T * (np.array(shape) - 1)


def _box(volume: Volume) -> tuple[Array, Array]:
    """Return the least and greatest coordinates (3, 1) of what is not zero, world mm."""
    held = np.argwhere(array(volume) != 0)
    ends = np.stack([held.min(axis=0) - 1, held.max(axis=0) + 1]) if len(held) else np.zeros((2, 3))
    corners = np.indices((2, 2, 2)).reshape(3, -1).T
    places = np.where(corners, ends[1], ends[0])
    world = places @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    return world.min(axis=0)[:, None], world.max(axis=0)[:, None]
