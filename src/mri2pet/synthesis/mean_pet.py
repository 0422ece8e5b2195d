"""The simplest prediction: the mean of the training volumes."""

import numpy as np

from mri2pet.datasets.gaps import mean_of_seen
from mri2pet.errors import InputError

Array = np.ndarray


def mean_volume(volumes: Array, rows: Array, seen: Array | None = None) -> Array:
    """Return the mean of some rows of (N, X, Y, Z), reading one volume at a time.

    With `seen` (N, X, Y, Z), bool, a voxel's mean is of the rows that have measured it.
    """
    if not len(rows):
        raise InputError("no volume to take the mean of")
    if seen is not None:
        return mean_of_seen((volumes[row] for row in rows), (seen[row] for row in rows))
    total = np.zeros(volumes.shape[1:], np.float64)
    for row in rows:
        total += volumes[row]
    return (total / len(rows)).astype(np.float32)
