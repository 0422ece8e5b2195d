"""Where each place of one T1 lies in another, by local optical flow, and the affine that fits it.

Lucas and Kanade (1981) in three dimensions, in windows of about a centimetre, on intensities that
are standardised locally (so that neither contrast nor shading matters). Every place of the brain
counts alike: the least-squares affine of the flow is an estimate of the least-squares affine of
the deformation between two heads, which an affine fitted to intensities is not: that one follows
the strongest edges. Voxels are weighted, which scikit-image's Lucas-Kanade
(`optical_flow_ilk`) cannot do: where two brain masks differ, their edges do not count.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine
from scipy import ndimage

from mri2pet.imaging.resample import isotropic, resample
from mri2pet.imaging.separable import blur
from mri2pet.imaging.volume import Array, Volume, array

NOISE = 1e-3  # added to local variances, of intensities 0..1
DAMPING = 0.01  # of the structure tensor, in units of its largest mean diagonal
LARGEST_STEP_MM = 2.0
LARGEST_DIFFERENCE = 1.5  # of standardised intensities; more is an outlier


@dataclass(frozen=True)
class Level:
    """One resolution of the flow."""

    voxel_mm: float
    iterations: int
    window_mm: float  # sd of the Gaussian window in which the flow is constant
    standard_mm: float = 15.0  # sd of the Gaussian in which intensities are standardised


def local_flow(fixed: Volume, weight: Volume, moving: Volume, start: Array, level: Level) -> Array:
    """Find how far each voxel of `fixed` is from its like in `moving`, beyond a first transform.

    Parameters
    ----------
    fixed, weight
        T1 and how much each voxel counts (0..1), on one grid of cubic voxels.
    moving
        T1, intensities on about the same scale (0..1).
    start
        4x4, points of `moving` to points of `fixed`.
    level
        Iterations and windows; the volumes are taken as they are.

    Returns
    -------
    array (3, X, Y, Z)
        Flow in voxels of `fixed`: voxel x lies, in `moving`, at `inverse(start)` of x + flow.
    """
    voxel = float(np.linalg.norm(fixed.affine[:3, 0]))
    window, standard = level.window_mm / voxel, level.standard_mm / voxel
    target, weights = array(fixed).astype(np.float32), array(weight).astype(np.float32)
    pull = (np.linalg.inv(moving.affine) @ np.linalg.inv(start) @ fixed.affine).astype(np.float32)
    grid = np.indices(target.shape, dtype=np.float32)
    near = _blur(weights, standard) + NOISE
    target = _standardised(target, weights, near, standard)
    source = array(moving).astype(np.float32)
    flow = np.zeros_like(grid)
    for _ in range(level.iterations):
        at = pull[:3, :3] @ (grid + flow).reshape(3, -1) + pull[:3, 3:]
        moved = ndimage.map_coordinates(source, at, order=1).reshape(target.shape)
        moved = _standardised(moved, weights, near, standard)
        step = _lucas_kanade(target, moved, weights, window)
        length = np.sqrt((step**2).sum(axis=0))
        flow += step * np.minimum(1, LARGEST_STEP_MM / voxel / np.maximum(length, 1e-9))
    return flow


def _lucas_kanade(target: Array, moved: Array, weights: Array, window: float) -> Array:
    """One step of the flow, (3, X, Y, Z): solve the weighted normal equations of each window."""
    x, y, z = np.gradient((target + moved) / 2)
    difference = np.clip(target - moved, -LARGEST_DIFFERENCE, LARGEST_DIFFERENCE)
    wx, wy, wz = weights * x, weights * y, weights * z
    products = [wx * x, wy * y, wz * z, wx * y, wx * z, wy * z]
    products += [wx * difference, wy * difference, wz * difference]
    xx, yy, zz, xy, xz, yz, *right = _blur(np.stack(products), window).astype(np.float64)
    damping = DAMPING * float(((xx + yy + zz) / 3).max()) + 1e-12
    return solve_symmetric(xx + damping, yy + damping, zz + damping, xy, xz, yz, right)


def solve_symmetric(
    xx: Array, yy: Array, zz: Array, xy: Array, xz: Array, yz: Array, right: Sequence[Array]
) -> Array:
    """Solve many symmetric 3x3 systems at once by Cramer's rule.

    Parameters
    ----------
    xx, yy, zz, xy, xz, yz
        (...) entries of the matrices, which are positive definite.
    right
        Three (...) right-hand sides.

    Returns
    -------
    array (3, ...)
        float32.
    """
    a, b, c = yy * zz - yz**2, xz * yz - xy * zz, xy * yz - xz * yy
    d, e, f = xx * zz - xz**2, xy * xz - xx * yz, xx * yy - xy**2
    u, v, w = right
    solved = np.stack([a * u + b * v + c * w, b * u + d * v + e * w, c * u + e * v + f * w])
    return (solved / (xx * a + xy * b + xz * c)).astype(np.float32)


def _standardised(data: Array, weights: Array, near: Array, sigma: float) -> Array:
    """Take away the weighted local mean and divide by the local standard deviation."""
    centred = data - _blur(data * weights, sigma) / near
    return centred / np.sqrt(_blur(centred**2 * weights, sigma) / near + NOISE)


def _blur(data: Array, sigma: float) -> Array:
    return blur(data, sigma, 2.5, "constant")


def affine_by_flow(
    fixed: Volume, weight: Volume, moving: Volume, start: Array, levels: Sequence[Level]
) -> Array:
    """Refine an affine: the least-squares affine of the local flow, level after level.

    Parameters
    ----------
    fixed, weight
        T1 (0..1) and where it counts, on one grid.
    moving
        T1 (0..1).
    start
        4x4, points of `moving` to points of `fixed`, right to about a centimetre.
    levels
        Coarse to fine.

    Returns
    -------
    Array
        4x4, points of `moving` to points of `fixed`.
    """
    affine = start
    for level in levels:
        target = isotropic(fixed, level.voxel_mm)
        weights = resample(weight, np.eye(4), target.affine, target.shape, order=1)
        source = isotropic(moving, level.voxel_mm)
        flow = local_flow(target, weights, source, affine, level)
        inside = array(weights) > 0.5
        voxels = np.argwhere(inside)
        points = apply_affine(target.affine, voxels)
        pulled = apply_affine(np.linalg.inv(affine) @ target.affine, voxels + flow[:, inside].T)
        affine = fit_affine(pulled, points)
    return affine


def points_by_flow(
    fixed: Volume, weight: Volume, moving: Volume, start: Array, points: Array, level: Level
) -> Array:
    """Carry (n, 3) points of `fixed` to `moving` through the local flow; see `local_flow`."""
    flow = local_flow(fixed, weight, moving, start, level)
    voxels = apply_affine(np.linalg.inv(fixed.affine), points)
    moved = [ndimage.map_coordinates(part, voxels.T, order=1, mode="nearest") for part in flow]
    return apply_affine(np.linalg.inv(start) @ fixed.affine, voxels + np.stack(moved, axis=1))


def fit_affine(source: Array, target: Array) -> Array:
    """Return the 4x4 affine that carries (n, 3) points to (n, 3) points with least squares."""
    homogeneous = np.column_stack([source, np.ones(len(source))])
    solution, *_ = np.linalg.lstsq(homogeneous, target, rcond=None)
    matrix = np.eye(4)
    matrix[:3] = solution.T
    return matrix
