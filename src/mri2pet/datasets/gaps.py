"""Where a visit's PET has not measured the brain: the array `seen`, and what stands in its gaps."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from mri2pet.errors import InputError

Array = np.ndarray


def read_seen(path: str | Path | None, rows: Iterable[int] | None = None) -> Array | None:
    """Open the array that tells what each visit's PET has measured.

    Parameters
    ----------
    path
        The dataset's `seen.npy`; nothing for a dataset that has none.
    rows
        Visits that are of concern; all if None.

    Returns
    -------
    (N, X, Y, Z) bool, mapped into memory; None where all of these visits is measured, so that
    nothing has to be done.
    """
    if not path:
        return None
    seen = np.load(path, mmap_mode="r")
    chosen = range(len(seen)) if rows is None else rows
    return None if all(seen[row].all() for row in chosen) else seen


def measured(mask: Array, seen: Array | None, row: int) -> Array:
    """Return the part of a mask (X, Y, Z) that a visit's PET has measured; all without `seen`."""
    return mask if seen is None else mask & seen[row]


def mean_of_seen(volumes: Iterable[Array], seen: Iterable[Array]) -> Array:
    """Return the mean over volumes, voxel by voxel, of those that have measured the voxel.

    A voxel that none has measured is given the value of the nearest one that has a mean.

    Parameters
    ----------
    volumes, seen
        As many (..., X, Y, Z) each: values, and bool.

    Returns
    -------
    (..., X, Y, Z) float32.

    Raises
    ------
    InputError
        There is no volume, or nothing in any is measured.
    """
    total = count = None
    for volume, own in zip(volumes, seen, strict=True):
        if total is None:
            total, count = np.zeros(volume.shape, np.float64), np.zeros(volume.shape, np.int64)
        total += np.where(own, volume, 0)
        count += own
    if total is None or not count.any():
        raise InputError("no volume to take the mean of")
    mean = (total / np.maximum(count, 1)).astype(np.float32)
    if not count.all():
        from scipy import ndimage

        nearest = ndimage.distance_transform_edt(
            count == 0, return_distances=False, return_indices=True
        )
        mean = mean[tuple(nearest)]
    return mean


def filled(volumes: Sequence[Array], seen: Sequence[Array], mean: Array) -> Array:
    """Return volumes (N, ..., X, Y, Z), float32, with a mean in place of what is not measured."""
    rows = [np.where(own, volume, mean) for volume, own in zip(volumes, seen, strict=True)]
    return np.stack(rows).astype(np.float32, copy=False)
