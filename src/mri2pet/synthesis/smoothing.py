"""Gaussian smoothing of synthetic PET, and the search for its width (part A4)."""

import math
from collections.abc import Callable, Sequence

import numpy as np

Array = np.ndarray

FWHM_TO_SIGMA = 1 / math.sqrt(8 * math.log(2))
REACH = 4.0  # standard deviations that the filter takes in


def voxel_size(affine: Array) -> tuple[float, ...]:
    """Return the sides of a voxel in mm from an affine (4, 4)."""
    return tuple(float(side) for side in np.linalg.norm(np.asarray(affine)[:3, :3], axis=0))


def smooth(volume: Array, fwhm_mm: float, voxel_mm: Sequence[float], mask: Array) -> Array:
    """Smooth a volume inside a mask with a Gaussian.

    What lies outside is no image: each voxel becomes the weighted mean of the brain around it, so
    that the rim does not grow dark.

    Parameters
    ----------
    volume
        (X, Y, Z), zero outside the mask.
    fwhm_mm
        Full width at half maximum in mm; 0 leaves the volume as it is.
    voxel_mm
        Sides of a voxel in mm.
    mask
        (X, Y, Z) bool.

    Returns
    -------
    ndarray
        (X, Y, Z) float32, zero outside the mask.
    """
    if not fwhm_mm:
        return np.where(mask, volume, 0).astype(np.float32)
    sigma = [fwhm_mm * FWHM_TO_SIGMA / side for side in voxel_mm]
    inside = mask.astype(np.float64)
    total, weight = _blur(volume * inside, sigma), _blur(inside, sigma)
    result = np.zeros(mask.shape, np.float32)
    result[mask] = total[mask] / weight[mask]
    return result


def search_fwhm(
    synthetic: Array,
    real: Array,
    mask: Array,
    voxel_mm: Sequence[float],
    widths_mm: Sequence[float],
    score: Callable[[Array, Array, Array], float],
    seen: Array | None = None,
) -> tuple[float, dict[float, float]]:
    """Choose the width with which smoothed synthetic PET comes nearest to the real one.

    Parameters
    ----------
    synthetic, real
        (N, X, Y, Z) of people whom the generator was not trained on.
    mask, voxel_mm
        As for `smooth`.
    widths_mm
        Full widths at half maximum that are tried.
    score
        Of real, smoothed and mask; more is better.
    seen
        (N, X, Y, Z) bool, where the real ones are measured; None: everywhere.

    Returns
    -------
    best : float
        The width with the best mean score; the smallest of equals.
    scores : dict
        Width to mean score.
    """

    def scored(row: int, width: float) -> float:
        made, truth = smooth(synthetic[row], width, voxel_mm, mask), real[row]
        if seen is None:
            return score(truth, made, mask)
        return score(truth, np.where(seen[row], made, truth), mask & seen[row])

    scores = {
        float(width): float(np.mean([scored(row, width) for row in range(len(real))]))
        for width in sorted(widths_mm)
    }
    return max(scores, key=lambda width: scores[width]), scores


def _blur(volume: Array, sigma: Sequence[float]) -> Array:
    """Filter with a Gaussian, axis by axis, zero beyond the volume's edges.

    A filter along one axis is a product with a band matrix.
    """
    for axis, width in enumerate(sigma):
        places = np.arange(volume.shape[axis])
        offsets = places[:, None] - places
        band = np.exp(-0.5 * (offsets / width) ** 2) * (np.abs(offsets) <= REACH * width + 1)
        kernel = np.exp(-0.5 * (np.arange(-len(places), len(places) + 1) / width) ** 2)
        filtered = np.tensordot(band / kernel.sum(), volume, axes=(1, axis))
        volume = np.moveaxis(filtered, 0, axis)
    return volume
