"""How far transforms and masks lie from a known truth: millimetres, degrees, overlap."""

import numpy as np
from nibabel.affines import apply_affine

from mri2pet.imaging.volume import Array


def pose_angles(rotation: Array) -> tuple[float, float, float]:
    """Roll, yaw and pitch of a rotation, in degrees.

    Turns about the y axis (roll), the z axis (yaw) and the x axis (pitch), of the decomposition
    R = Ry(roll) Rz(yaw) Rx(pitch).
    """
    yaw = np.arcsin(np.clip(rotation[1, 0], -1, 1))
    pitch = np.arctan2(-rotation[1, 2], rotation[1, 1])
    roll = np.arctan2(-rotation[2, 0], rotation[0, 0])
    return tuple(float(np.degrees(a)) for a in (roll, yaw, pitch))


def acpc_errors(matrix: Array, ac: Array, pc: Array, sagittal: Array) -> dict[str, float]:
    """Errors of an AC-PC transform against true landmarks.

    Parameters
    ----------
    matrix
        4x4, native points to AC-PC space.
    ac, pc, sagittal
        True native points (mm): the commissures, and one of the mid-sagittal plane above AC.

    Returns
    -------
    dict
        `ac_mm`: distance of the true AC from the origin; `pc_mm`: distance of the true PC from
        where a perfect transform puts it; `roll_deg`, `yaw_deg`, `pitch_deg`: the turn that is
        left between the true axes and the found ones.
    """
    ac_at, pc_at, up_at = apply_affine(matrix, np.stack([ac, pc, sagittal]))
    y = (ac_at - pc_at) / np.linalg.norm(ac_at - pc_at)
    z = up_at - ac_at
    z = z - (z @ y) * y
    z /= np.linalg.norm(z)
    roll, yaw, pitch = pose_angles(np.stack([np.cross(y, z), y, z], axis=1))
    ideal = np.array([0.0, -np.linalg.norm(ac_at - pc_at), 0.0])
    return {
        "ac_mm": float(np.linalg.norm(ac_at)),
        "pc_mm": float(np.linalg.norm(pc_at - ideal)),
        "roll_deg": roll,
        "yaw_deg": yaw,
        "pitch_deg": pitch,
    }


def mean_displacement(found: Array, true: Array, points: Array) -> float:
    """Mean distance (mm) between where two 4x4 transforms carry (n, 3) points."""
    gap = apply_affine(found, points) - apply_affine(true, points)
    return float(np.linalg.norm(gap, axis=1).mean())


def region_means(data: Array, labels: Array, count: int) -> Array:
    """Mean of `data` in each region 1..count, nan for a region with no voxel; shape (count,)."""
    flat = labels.ravel().astype(np.int64)
    sizes = np.bincount(flat, minlength=count + 1)[1 : count + 1]
    sums = np.bincount(flat, weights=data.ravel(), minlength=count + 1)[1 : count + 1]
    return np.divide(sums, sizes, out=np.full(count, np.nan), where=sizes > 0)
