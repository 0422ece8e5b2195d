"""What a NIfTI's header and sidecar must say for its voxels to be taken as what they seem.

A header can contradict itself, or the table that names the scan; software that reads on picks one
side in silence, and left becomes right or a head shrinks. Such a scan is refused.
"""

import logging
import math
from pathlib import Path
from typing import Any

import numpy as np

from mri2pet.cohort.tracer import check_tracer
from mri2pet.errors import ScanError

log = logging.getLogger(__name__)

MAX_VOXELS = 1 << 29  # of one volume: 800 a side
GZIP_RATIO = 1040  # deflate cannot do better than 1032
UNITS_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}  # NIfTI: unknown (taken as mm), m, mm, um
SIZE_TOLERANCE = 0.01  # of the voxel sizes that sform and pixdim give
TURN_DEG = 45.0  # sform and qform may differ by a rigid motion, but must name the same axes
SATURATED = 0.05  # of the voxels above zero
WRAPPED = 20000  # int16 that reach both ends are unsigned values stored as signed
MODALITIES = {"MRI": ("MR", "MRI"), "PET": ("PT", "PET")}


def check_size(image: Any, path: Path, label: str) -> None:
    """Compare the bytes that a header announces with the file's, before memory is asked for.

    Raises
    ------
    ScanError
        The file cannot hold them, or one volume has more voxels than any head scan.
    """
    voxels = math.prod(int(size) for size in image.shape[:3])
    if voxels > MAX_VOXELS:
        raise ScanError(f"{label}: shape {image.shape} is not a head scan's")
    itemsize = image.get_data_dtype().itemsize
    announced = itemsize * math.prod(int(size) for size in image.shape)
    there = path.stat().st_size - (0 if path.name.lower().endswith(".gz") else image.dataobj.offset)
    if announced > there * (GZIP_RATIO if path.name.lower().endswith(".gz") else 1):
        raise ScanError(
            f"{label}: cannot be read to its end (the header announces {announced} bytes of "
            f"voxels, the file has {there}); download it again"
        )


def world_affine(image: Any, label: str) -> np.ndarray:
    """Return the affine from voxels to the RAS world in mm (4, 4).

    Of sform and qform the sform is taken, as NIfTI has it, if both mean the same: one may be the
    other after a rigid motion, as alignment programs write it.

    Raises
    ------
    ScanError
        The header has no orientation, one that cannot be inverted, two that contradict each
        other, or a unit of length that does not exist.
    """
    header, affine = image.header, image.affine
    if "sform_code" in header:
        codes = int(header["sform_code"]), int(header["qform_code"])
        if not any(codes):
            raise ScanError(
                f"{label}: the header has no orientation (sform and qform are both unset)"
            )
        scale = _millimetres(int(header["xyzt_units"]), label)
        affine = np.diag([scale, scale, scale, 1.0]) @ affine
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise ScanError(f"{label}: the header's affine cannot be inverted")
    if "sform_code" in header and all(codes):
        _check_agreement(header, label)
    return affine


def _millimetres(code: int, label: str) -> float:
    try:
        return UNITS_MM[code & 7]
    except KeyError:
        raise ScanError(f"{label}: the header's xyzt_units {code} name no unit of length") from None


def _check_agreement(header: Any, label: str) -> None:
    """Refuse sform and qform that differ in handedness, axes or voxel size."""
    from nibabel.orientations import aff2axcodes

    try:
        one, other = header.get_sform(), header.get_qform()
    except ValueError as error:
        raise ScanError(f"{label}: the header's qform is no rotation ({error})") from error
    codes = " and ".join("".join(map(str, aff2axcodes(form))) for form in (one, other))
    told = "correct the header from the original scan, or leave the scan out"
    if np.linalg.det(one[:3, :3]) * np.linalg.det(other[:3, :3]) <= 0:
        raise ScanError(f"{label}: sform and qform disagree on left and right ({codes}); {told}")
    sizes = [np.linalg.norm(form[:3, :3], axis=0) for form in (one, other)]
    if np.abs(sizes[0] / sizes[1] - 1).max() > SIZE_TOLERANCE:
        listed = " and ".join(str(np.round(size, 3).tolist()) for size in sizes)
        raise ScanError(f"{label}: sform and pixdim disagree on the voxel size ({listed}); {told}")
    between = np.linalg.solve(one[:3, :3] / sizes[0], other[:3, :3] / sizes[1])
    turn = math.degrees(math.acos(np.clip((np.trace(between) - 1) / 2, -1, 1)))
    if turn > TURN_DEG:
        raise ScanError(
            f"{label}: sform and qform are turned by {turn:.0f} degrees to each other ({codes}); "
            f"{told}"
        )
    if turn > 0.1 or np.abs(one[:3, 3] - other[:3, 3]).max() > 0.1:
        log.info("%s: sform and qform differ by a rigid motion; the sform is taken", label)


def check_intensities(data: np.ndarray, label: str) -> None:
    """Refuse values that no scanner means: nothing above zero on average, saturated or wrapped.

    Raises
    ------
    ScanError
        Its message begins with `label`.
    """
    if data.dtype == np.int16 and data.min() < -WRAPPED and data.max() > WRAPPED:
        raise ScanError(
            f"{label}: values from {data.min()} to {data.max()}: unsigned values were stored as "
            "signed ones; convert the scan again"
        )
    if data.mean(dtype=np.float64) <= 0:
        raise ScanError(f"{label}: the mean is not above zero: negative or shifted intensities")
    top = data.max()
    share = np.count_nonzero(data == top) / np.count_nonzero(data > 0)
    if share > SATURATED:
        raise ScanError(
            f"{label}: {share:.0%} of the voxels above zero have the largest value, {top:g}: "
            "saturated, or a mask"
        )


def check_sidecar(told: dict[str, Any], modality: str, label: str) -> None:
    """Refuse a scan whose own sidecar says that it is of another modality or tracer.

    Raises
    ------
    ScanError
        Its message begins with `label`.
    """
    kind = told.get("Modality")
    if isinstance(kind, str) and kind.upper() not in MODALITIES[modality]:
        raise ScanError(f"{label}: is of modality {kind[:16]!r}, not {MODALITIES[modality][0]}")
    if modality == "PET":
        check_tracer(told, label)
