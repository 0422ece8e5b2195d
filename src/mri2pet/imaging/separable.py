"""Blurs and resamplings along the axes of a grid, as one matrix an axis.

What `scipy.ndimage` computes voxel by voxel is linear along each axis. As a matrix a blur and the
interpolation after it are one step, which a product of matrices takes ten times faster.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

Array = np.ndarray


@lru_cache(maxsize=64)
def blur_matrix(count: int, sigma: float, truncate: float, mode: str = "constant") -> Array:
    """Return (count, count): the Gaussian of `scipy.ndimage.gaussian_filter1d` as a matrix.

    Parameters
    ----------
    count
        Voxels along the axis.
    sigma
        Standard deviation, voxels; zero for none.
    truncate
        The Gaussian ends at so many standard deviations, rounded to a voxel.
    mode
        What lies beyond the edge: `constant` for zeros, `reflect` for a mirror.
    """
    radius = int(truncate * sigma + 0.5)
    offsets = np.arange(-radius, radius + 1)
    kernel = np.exp(-0.5 * (offsets / max(sigma, 1e-12)) ** 2)
    kernel /= kernel.sum()
    source = np.arange(count)[:, None] + offsets
    if mode == "reflect":  # d c b a | a b c d | d c b a
        source = source % (2 * count)
        source = np.where(source < count, source, 2 * count - 1 - source)
    matrix = np.zeros((count, count))
    row, column = np.nonzero((source >= 0) & (source < count))
    np.add.at(matrix, (row, source[row, column]), kernel[column])
    matrix.flags.writeable = False  # the same one is given again
    return matrix


def linear_matrix(at: Array, count: int, nearest: bool = False) -> Array:
    """Return (n, count): linear interpolation of `count` voxels at n places.

    Parameters
    ----------
    at
        (n,) places, in voxels.
    nearest
        Beyond the outermost centres their values go on; without it there are zeros.
    """
    inside = np.clip(at, 0, count - 1)
    low = np.minimum(inside.astype(int), max(count - 2, 0))
    share = inside - low
    matrix = np.zeros((len(at), count))
    rows = np.arange(len(at))
    matrix[rows, low] = 1 - share
    matrix[rows, np.minimum(low + 1, count - 1)] += share
    return matrix if nearest else matrix * (np.abs(inside - at) < 1e-6)[:, None]


def along_axes(data: Array, matrices: Sequence[Array]) -> Array:
    """Multiply each of the last three axes of `data` by its matrix, (new, old); float32."""
    first, second, third = (matrix.astype(np.float32) for matrix in matrices)
    data = np.ascontiguousarray(data, np.float32) @ third.T  # the axis in which memory lies first
    data = second @ data
    shape = data.shape[:-3], data.shape[-2:]
    rows = data.reshape(*shape[0], data.shape[-3], -1)
    return (first @ rows).reshape(*shape[0], len(first), *shape[1])


def blur(data: Array, sigma: float | Sequence[float], truncate: float, mode: str) -> Array:
    """Blur the last three axes by a Gaussian; see `blur_matrix`. float32."""
    widths = np.broadcast_to(sigma, 3)
    sides = zip(data.shape[-3:], widths, strict=True)
    return along_axes(data, [blur_matrix(n, float(w), truncate, mode) for n, w in sides])
