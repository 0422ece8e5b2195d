"""Where a NIfTI's header puts its voxels: sform and qform, and how both come to mean one place.

The qform is a rotation and voxel sizes; it cannot hold a shear. nibabel takes the sform, ITK often
the qform, so that a shear makes two places of one header.
"""

import itertools
import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import nibabel as nib
import numpy as np

from mri2pet.errors import ScanError

log = logging.getLogger(__name__)

Array = np.ndarray

UNITS_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}  # NIfTI: unknown (taken as mm), m, mm, um
SIZE_TOLERANCE = 0.01  # of the voxel sizes that sform and pixdim give
TURN_DEG = 45.0  # sform and qform may differ by a rigid motion, but must name the same axes
TEMPLATES = (3, 4, 5)  # sform codes: Talairach, MNI152, another template
SCANNER = (1, 2)  # qform codes: the scanner's world, or aligned to it
SHEAR_MM = 0.1  # by which a shear may move a voxel: headers are rounded
EXACT_MM = 0.001
QUATERNION = 1e-3  # b^2 + c^2 + d^2 may be larger than 1 by rounding


def world_affine(image: Any, label: str) -> Array:
    """Return the affine (4, 4) from voxels to the RAS world in mm, without shear.

    Of sform and qform the sform is taken, as NIfTI has it, if both mean the same: one may be the
    other after a rigid motion, as alignment programs write it. An sform to a template stretches the
    head: beside a scanner's qform, that is taken.

    Raises
    ------
    ScanError
        The header has no orientation, one that cannot be inverted or is sheared, two that
        contradict each other, or a unit of length that does not exist.
    """
    header, affine = image.header, image.affine
    if "sform_code" in header:
        codes = int(header["sform_code"]), int(header["qform_code"])
        if not any(codes):
            raise ScanError(
                f"{label}: the header has no orientation (sform and qform are both unset)"
            )
        scale = _millimetres(int(header["xyzt_units"]), label)
        to_template = codes[0] in TEMPLATES and codes[1] in SCANNER
        by_sform = codes[0] > 0 and not to_template
        affine = header.get_sform() if by_sform else _qform(header, label)
        affine = np.diag([scale, scale, scale, 1.0]) @ affine
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise ScanError(f"{label}: the header's affine cannot be inverted")
    if "sform_code" in header and all(codes):
        _check_agreement(header, label, to_template)
    return straightened(affine, image.shape, label)


def straightened(affine: Array, shape: Sequence[int], label: str) -> Array:
    """Take a shear out of an affine (4, 4) where that moves no voxel by more than `SHEAR_MM`.

    Raises
    ------
    ScanError
        The shear is larger; its message begins with `label`.
    """
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    left, _, right = np.linalg.svd(affine[:3, :3] / sizes)
    middle = (np.array(_sides(shape)) - 1) / 2
    straight = affine.copy()
    straight[:3, :3] = left @ right * sizes
    straight[:3, 3] += (affine[:3, :3] - straight[:3, :3]) @ middle
    moved = apart(affine, straight, shape)
    if moved > SHEAR_MM:
        raise ScanError(
            f"{label}: the header's affine has a shear, which moves voxels by up to {moved:.1f} mm "
            "and which other programs ignore; resample the scan to a straight grid"
        )
    return affine if moved <= EXACT_MM / 2 else straight


def apart(one: Array, other: Array, shape: Sequence[int]) -> float:
    """Return how far two affines (4, 4) put a corner voxel of a volume apart at most, mm."""
    ends = np.array(list(itertools.product(*((0, size - 1) for size in _sides(shape)))))
    there = (one - other) @ np.c_[ends, np.ones(len(ends))].T
    return float(np.linalg.norm(there[:3], axis=0).max())


def _sides(shape: Sequence[int]) -> tuple[int, ...]:
    return (*shape, 1, 1, 1)[:3]


def with_forms(image: Any, label: str) -> Any:
    """Return an image whose header's sform and qform both mean the place of its affine.

    Near a half turn a qform's float32 and its readers lose up to .4 mm (far voxels): such a volume,
    say one stored from right to left and a little oblique, is stored along RAS axes instead.

    Raises
    ------
    ScanError
        The affine has a shear; its message begins with `label`.
    """
    image = _coded(image, straightened(image.affine, image.shape, label))
    if apart(image.header.get_qform(), image.affine, image.shape) > EXACT_MM:
        turned = nib.as_closest_canonical(image)
        image = _coded(turned, turned.affine)
    return image


def _coded(image: Any, affine: Array) -> Any:
    image.set_qform(affine, code="aligned")
    image.set_sform(affine, code="aligned")
    return image


@contextmanager
def lenient_quaternions() -> Iterator[None]:
    """Let nibabel load qforms whose quaternion is a little longer than one, by rounding."""
    kinds = (nib.Nifti1Header, nib.Nifti2Header)
    before = [kind.quaternion_threshold for kind in kinds]
    try:
        for kind in kinds:
            kind.quaternion_threshold = QUATERNION
        yield
    finally:
        for kind, value in zip(kinds, before, strict=True):
            kind.quaternion_threshold = value


def _millimetres(code: int, label: str) -> float:
    try:
        return UNITS_MM[code & 7]
    except KeyError:
        raise ScanError(f"{label}: the header's xyzt_units {code} name no unit of length") from None


def _qform(header: Any, label: str) -> Array:
    """Build the qform's affine (4, 4); nibabel takes small first parts of a quaternion for zero."""
    parts = np.array([header[f"quatern_{part}"] for part in "bcd"], np.float64)
    square = 1 - parts @ parts
    if not square > -QUATERNION:
        raise ScanError(
            f"{label}: the header's qform is no rotation (its quaternion's length is "
            f"{np.linalg.norm(parts):.3g})"
        )
    if square < 0:
        parts /= np.linalg.norm(parts)
    affine = np.eye(4)
    turn = nib.quaternions.quat2mat([math.sqrt(max(square, 0)), *parts])
    sizes = header["pixdim"][1:4] * (1, 1, -1 if header["pixdim"][0] < 0 else 1)
    affine[:3, :3] = turn * sizes
    affine[:3, 3] = [header[f"qoffset_{axis}"] for axis in "xyz"]
    return affine


def _check_agreement(header: Any, label: str, to_template: bool) -> None:
    """Refuse sform and qform that differ in handedness, axes or (not to a template) voxel size."""
    one, other = header.get_sform(), _qform(header, label)
    codes = " and ".join("".join(map(str, nib.aff2axcodes(form))) for form in (one, other))
    told = "correct the header from the original scan, or leave the scan out"
    if np.linalg.det(one[:3, :3]) * np.linalg.det(other[:3, :3]) <= 0:
        raise ScanError(f"{label}: sform and qform disagree on left and right ({codes}); {told}")
    sizes = [np.linalg.norm(form[:3, :3], axis=0) for form in (one, other)]
    if not to_template and np.abs(sizes[0] / sizes[1] - 1).max() > SIZE_TOLERANCE:
        listed = " and ".join(str(np.round(size, 3).tolist()) for size in sizes)
        raise ScanError(f"{label}: sform and pixdim disagree on the voxel size ({listed}); {told}")
    between = np.linalg.solve(one[:3, :3] / sizes[0], other[:3, :3] / sizes[1])
    turn = math.degrees(math.acos(np.clip((np.trace(between) - 1) / 2, -1, 1)))
    if turn > TURN_DEG:
        raise ScanError(
            f"{label}: sform and qform are turned by {turn:.0f} degrees to each other ({codes}); "
            f"{told}"
        )
    if to_template:
        log.info("%s: the sform leads to a template; the scanner's qform is taken", label)
    elif turn > 0.1 or np.abs(one[:3, 3] - other[:3, 3]).max() > 0.1:
        log.info("%s: sform and qform differ by a rigid motion; the sform is taken", label)
