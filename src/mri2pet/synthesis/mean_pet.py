"""The simplest prediction: the mean of the training volumes."""

import numpy as np

from mri2pet.errors import InputError

Array = np.ndarray


def mean_volume(volumes: Array, rows: Array) -> Array:
    """Return the mean of some rows of (N, X, Y, Z), reading one volume at a time."""
    if not len(rows):
        raise InputError("no volume to take the mean of")
    total = np.zeros(volumes.shape[1:], np.float64)
    for row in rows:
        total += volumes[row]
    return (total / len(rows)).astype(np.float32)
