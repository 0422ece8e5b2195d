"""Trilinear interpolation of many volumes at the same places, as one sparse matrix."""

import numpy as np
from scipy import sparse

Array = np.ndarray
Places = tuple[Array, sparse.csr_array]  # target's voxels, and what they are made of


def linear_weights(voxels: Array, source: tuple[int, ...], target: tuple[int, ...]) -> Places:
    """Return how voxels of a target grid are made of those of a source.

    What `scipy.ndimage.affine_transform` (order 1) finds anew for each volume.

    Parameters
    ----------
    voxels
        4x4, indices of the target to indices of the source.
    source, target
        (X, Y, Z) of the two grids.

    Returns
    -------
    rows, weights
        (n,) flat indices of the target's voxels whose centres lie in the source's, and (n, source
        voxels) float32 with eight weights a row. All else of the target is outside.
    """
    axes = [np.arange(count, dtype=np.float64) for count in target]
    at = [
        row[0] * axes[0][:, None, None] + row[1] * axes[1][:, None] + (row[2] * axes[2] + row[3])
        for row in voxels[:3]
    ]
    inside = np.ones(target, bool)
    for place, count in zip(at, source, strict=True):
        inside &= (place >= 0) & (place <= count - 1)
    rows = np.flatnonzero(inside)
    strides = source[1] * source[2], source[2], 1
    first, share = np.zeros(len(rows), np.int32), np.ones((len(rows), 1), np.float32)
    for place, count, stride in zip(at, source, strides, strict=True):
        held = place.ravel()[rows]
        low = np.minimum(held.astype(np.int32), max(count - 2, 0))
        part = (held - low).astype(np.float32)
        first += low * np.int32(stride)
        pair = np.stack([1 - part, part], axis=1)
        share = (share[:, :, None] * pair[:, None]).reshape(len(rows), 2 * share.shape[1])
    # The second of an axis with one voxel has no weight, wherever it is said to be.
    steps = np.indices((2, 2, 2)).reshape(3, 8)
    steps = (steps * (np.array(source) > 1)[:, None] * np.array(strides)[:, None]).sum(axis=0)
    corners = first[:, None] + steps.astype(np.int32)
    ends = np.arange(0, 8 * len(rows) + 1, 8, dtype=np.int32)
    shape = len(rows), int(np.prod(source))
    return rows, sparse.csr_array((share.ravel(), corners.ravel(), ends), shape=shape)
