"""The pose of a PET scan to a fraction of a millimetre: least squares against a picture of the MRI.

Mutual information asks for one relation between the intensities of two scans. There is none: the
same tissue takes up more tracer here than there, in disease above all, and that pulls the pose.
Here the relation is local. In each block of two centimetres the PET is a piecewise linear function
of the MRI's intensity, blurred to the PET's resolution. Its coefficients are fitted in every block
anew, the six parameters of the pose over all blocks together, by Gauss-Newton steps from which the
coefficients are projected out (variable projection, Golub and Pereyra 1973).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from nibabel.affines import apply_affine
from scipy import ndimage
from scipy.spatial.transform import Rotation

from mri2pet.imaging.linear_weights import Places, linear_weights
from mri2pet.imaging.resample import isotropic
from mri2pet.imaging.separable import blur
from mri2pet.imaging.volume import Array, Volume, array, crop, crop_to_object

KNOTS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the MRI's intensity; linear in between
FWHM_MM = (4.0, 6.0, 8.0)  # of the PET's resolution: the one that leaves least is taken
MRI_MM, PET_MM = 1.5, 2.5  # working voxels
MARGIN_MM = 6.0
BLOCK = 8  # voxels of the PET along each side
LEAST = 64.0  # voxels of brain in a block
CORE = 0.8  # share of brain around a voxel from where it counts, growing to 1
OUTLIER = 1.5  # sd of the residuals, beyond which they count less (Huber 1964)
RIDGE = 1e-3  # of the coefficients
STEPS = 20  # at most
STILL_MM = 0.02  # a smaller step is none
NEAR_MM = 2.0  # from a pose with a smaller step the PET's resolution is known
RADIUS_MM = 70.0  # of a brain: how far a turn moves its edge
FURTHEST_MM = 10.0  # that the edge may move in all


@dataclass(frozen=True)
class Fit:
    """A PET explained from its MRI at one pose."""

    residual: float  # root mean square, in units of the PET's own spread over the brain
    centre: Array  # (3,) of the brain, in the world of the PET
    find_step: Callable[[], Array]

    @cached_property
    def step(self) -> Array:
        """(6,): shift (mm) and turn (rad) about the centre that would lessen the residual.

        Found when it is asked for: of three resolutions of the PET only the best one's is needed.

        Raises
        ------
        numpy.linalg.LinAlgError
            Nothing tells one pose from another.
        """
        return self.find_step()


def refine_pose(pet: Volume, brain: Volume, start: Array) -> tuple[Array, dict[str, Any]]:
    """Refine the rigid pose of a PET scan against the brain of its MRI.

    Parameters
    ----------
    pet
        Native PET.
    brain
        Skull-stripped T1, 0..1 inside the brain and 0 outside (`intensity.normalise`).
    start
        4x4 rigid, points of the PET's world to points of the brain's, right to some mm.

    Returns
    -------
    pose, record
        4x4 rigid; for the sidecar: whether it was refined and, if not, why, so that `pose` is
        `start`; millimetres between the two at the brain's edge, steps, the residual before and
        after, and the PET's resolution as found.
    """
    fixed = crop_to_object(isotropic(brain, MRI_MM), MARGIN_MM)
    moving = _surroundings(isotropic(pet, PET_MM), fixed, start)
    poses, found, moved, record = [start], [], 0.0, {"Refined": False}
    try:
        parts = hats(fixed)
        models = {width: picture(parts, width, fixed.affine) for width in FWHM_MM}
        while True:
            places = placed(moving, fixed, poses[-1])
            found.append({width: explain(moving, models[width], places) for width in models})
            width = min(models, key=lambda width: found[-1][width].residual)
            fit = found[-1][width]
            if _edge_moves(fit.step) <= NEAR_MM:
                models = {width: models[width]}
            if _edge_moves(fit.step) <= STILL_MM or len(poses) > STEPS:
                break
            poses.append(poses[-1] @ _moved_by(fit))
            moved = _edge_moves(_pose_between(start, poses[-1], fit.centre))
            if not moved <= FURTHEST_MM:
                return start, record | {"Reason": f"moved by more than {FURTHEST_MM} mm"}
    except np.linalg.LinAlgError as error:
        return start, record | {"Reason": f"the PET does not fix the pose ({error})"}
    residuals = [fits[width].residual for fits in (found[0], found[-1])]
    record |= {"FWHM": width, "Steps": len(poses) - 1, "Residual": residuals}
    if len(poses) > STEPS:
        return start, record | {"Reason": f"not at rest after {STEPS} steps"}
    if residuals[1] > residuals[0]:
        return start, record | {"Reason": "the first pose leaves a smaller residual"}
    return poses[-1], record | {"Refined": True, "MovedMM": moved}


def hats(brain: Volume) -> Array:
    """Return functions (K, X, Y, Z) of the MRI's intensity, float32.

    They are linear hats, of which a voxel half of one tissue and half of the next has half of each;
    they add up to one in the brain and to nothing outside.

    Parameters
    ----------
    brain
        Skull-stripped T1, 0..1 inside the brain and 0 outside.
    """
    data = array(brain).astype(np.float32)
    inside = ndimage.binary_fill_holes(data > 0).astype(np.float32)
    parts = [np.interp(data, KNOTS, hat).astype(np.float32) * inside for hat in np.eye(len(KNOTS))]
    return np.stack(parts)


def picture(parts: Array, fwhm_mm: float, affine: Array) -> Volume:
    """Blur functions of the MRI's intensity to the PET's resolution.

    Parameters
    ----------
    parts
        (K, X, Y, Z), see `hats`.
    fwhm_mm
        Full width of the PET's point spread at half its height.
    affine
        4x4 of the parts' grid.

    Returns
    -------
    Volume
        (X, Y, Z, K) on that grid.
    """
    sigma = fwhm_mm / 2.355 / np.linalg.norm(affine[:3, :3], axis=0)
    blurred = np.moveaxis(blur(parts, sigma, 3, "reflect"), 0, -1)
    return Volume(np.ascontiguousarray(blurred), affine)


def placed(pet: Volume, grid: Volume, pose: Array) -> Places:
    """Return how voxels of a PET are made of those of the MRI's grid at one pose.

    Parameters
    ----------
    pet, grid
        The PET, cut to the surroundings of the brain, and any volume on the MRI's grid.
    pose
        4x4, points of the PET's world to points of the MRI's.
    """
    voxels = np.linalg.inv(grid.affine) @ pose @ pet.affine
    return linear_weights(voxels, grid.shape[:3], pet.shape)


def explain(pet: Volume, model: Volume, places: Places) -> Fit:
    """Explain a PET from the picture of its MRI at one pose, whence the step to a better one.

    Parameters
    ----------
    pet
        The PET, cut to the surroundings of the brain.
    model
        What `picture` returned.
    places
        What `placed` returned, for all resolutions of a PET alike.

    Raises
    ------
    numpy.linalg.LinAlgError
        The brain does not lie in the PET.
    """
    seen = _seen(model, places, pet.shape)
    everywhere = np.clip(1 - seen[-1] / (1 - CORE), 0, 1)
    if not everywhere.any():
        raise np.linalg.LinAlgError("no brain in it")
    weight, target, parts = _blocks(everywhere, everywhere, array(pet), seen)
    weight, target = weight[:, 0], target[:, 0]
    spread = target - np.average(target, weights=weight)
    residual = target - _fitted(parts, weight, target[:, None])[1][:, 0]
    scale = 1.4826 * np.median(np.abs(residual[weight > 0]))
    trust = weight * np.minimum(1, OUTLIER * scale / np.maximum(np.abs(residual), 1e-9))
    factors, fitted = _fitted(parts, trust, target[:, None])
    residual = target - fitted[:, 0]
    left = float(np.sqrt(np.sum(weight * residual**2) / np.sum(weight * spread**2)))
    centre = np.array(ndimage.center_of_mass(everywhere))
    place = Volume(everywhere, pet.affine)
    better = partial(_better, place, centre, seen, parts, trust, factors, residual)
    return Fit(left, apply_affine(pet.affine, centre), better)


def _better(
    weight: Volume,
    centre: Array,
    seen: Array,
    parts: Array,
    trust: Array,
    factors: Array,
    residual: Array,
) -> Array:
    """Return the step (6,) that lessens a residual most, the coefficients fitted anew.

    `weight` lies on the PET's grid, `centre` in its voxels, `seen` is (K + 1, X, Y, Z) there; the
    rest is in blocks, of `_blocks`.
    """
    to_world = weight.affine[:3, :3].astype(np.float32)
    slopes = np.stack(np.gradient(seen, axis=(1, 2, 3)), axis=1)
    slopes = np.einsum("ij,ki...->kj...", np.linalg.inv(to_world), slopes)
    arm = np.indices(weight.shape, dtype=np.float32)
    arm -= centre.astype(np.float32)[:, None, None, None]
    arm = np.einsum("ij,j...->i...", to_world, arm)
    slopes, arm = _blocks(array(weight), slopes, arm)
    shift = (factors @ slopes.reshape(*parts.shape[:2], -1)).reshape(len(parts), 3, -1)
    moved = np.concatenate([shift, np.cross(arm, shift, axis=1)], axis=1)
    moved = moved - _fitted(parts, trust, moved)[1]
    pull = moved * trust[:, None]
    return np.linalg.solve(
        np.einsum("bpn,bqn->pq", pull, moved, optimize=True).astype(np.float64),
        np.einsum("bpn,bn->p", pull, residual).astype(np.float64),
    )


def _seen(model: Volume, places: Places, shape: tuple[int, ...]) -> Array:
    """Parts of a picture, and last what is not brain, (K + 1, X, Y, Z) on the PET's grid."""
    parts, (rows, weights) = array(model), places
    seen = np.zeros((parts.shape[3] + 1, int(np.prod(shape))), np.float32)
    seen[:-1, rows] = (weights @ parts.reshape(-1, parts.shape[3])).T
    seen[-1] = 1 - seen[:-1].sum(axis=0)
    return seen.reshape(-1, *shape)


def _fitted(parts: Array, weight: Array, values: Array) -> tuple[Array, Array]:
    """Fit (b, R, n) values by (b, K, n) parts: coefficients (b, R, K) and what they make."""
    weighted = parts * weight[:, None]
    normal = (weighted @ parts.transpose(0, 2, 1)).astype(np.float64)
    size = np.trace(normal, axis1=1, axis2=2)[:, None, None] / normal.shape[1]
    normal += RIDGE * size * np.eye(normal.shape[1])
    solved = np.linalg.solve(normal, (weighted @ values.transpose(0, 2, 1)).astype(np.float64))
    factors = solved.transpose(0, 2, 1).astype(np.float32)
    return factors, factors @ parts


def _blocks(weight: Array, *volumes: Array) -> list[Array]:
    """Cut volumes (..., X, Y, Z) into the blocks that hold brain: (blocks, rows, BLOCK**3) each.

    `weight` (X, Y, Z) tells where there is brain.
    """

    def cut(volume: Array) -> Array:
        rows = volume.reshape(-1, *volume.shape[-3:])
        rows = np.pad(rows, [(0, 0), *((0, -size % BLOCK) for size in rows.shape[1:])])
        x, y, z = (size // BLOCK for size in rows.shape[1:])
        rows = rows.reshape(-1, x, BLOCK, y, BLOCK, z, BLOCK)
        return rows.transpose(1, 3, 5, 0, 2, 4, 6)

    held = cut(weight).sum(axis=(3, 4, 5, 6)) >= LEAST
    if not held.any():
        raise np.linalg.LinAlgError("no block holds brain")
    blocks = [cut(volume)[held] for volume in volumes]
    return [block.reshape(*block.shape[:2], -1) for block in blocks]


def _surroundings(pet: Volume, brain: Volume, pose: Array) -> Volume:
    """Cut the box of the MRI's volume, as it lies in the PET by a first pose, out of the PET."""
    corners = np.indices((2, 2, 2)).reshape(3, -1).T * (np.array(brain.shape) - 1)
    at = apply_affine(np.linalg.inv(pose @ pet.affine) @ brain.affine, corners)
    low = np.clip(np.floor(at.min(axis=0)).astype(int), 0, np.array(pet.shape) - 2)
    high = np.clip(np.ceil(at.max(axis=0)).astype(int) + 1, low + 2, pet.shape)
    return crop(pet, tuple(slice(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True)))


def _moved_by(fit: Fit) -> Array:
    """Return the 4x4 of a step: a turn about the centre (rotation vector), then a shift."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(fit.step[3:]).as_matrix()
    matrix[:3, 3] = fit.centre + fit.step[:3] - matrix[:3, :3] @ fit.centre
    return matrix


def _pose_between(first: Array, second: Array, centre: Array) -> Array:
    """Step (6,) from one pose to another, about a point of the PET's world."""
    matrix = np.linalg.inv(first) @ second
    turn = Rotation.from_matrix(matrix[:3, :3]).as_rotvec()
    return np.r_[apply_affine(matrix, centre) - centre, turn]


def _edge_moves(step: Array) -> float:
    """How far (mm) a step carries the edge of a brain, at most."""
    return float(np.linalg.norm(step[:3]) + RADIUS_MM * np.linalg.norm(step[3:]))
