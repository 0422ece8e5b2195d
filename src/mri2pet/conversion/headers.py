"""What a NIfTI's header and sidecar must say for its voxels to be taken as what they seem.

A header can contradict itself, or the table that names the scan; software that reads on picks one
side in silence, and left becomes right or a head shrinks. Such a scan is refused. What the header
says of the place of its voxels is read in `imaging.forms`.
"""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from mri2pet.cohorts.tracers import FDG, read_tracer, told_tracer
from mri2pet.conversion.pet_agent import check_tracer
from mri2pet.errors import ScanError

MAX_VOXELS = 1 << 29  # of one volume: 800 a side
GZIP_RATIO = 1040  # deflate cannot do better than 1032
SATURATED = 0.05  # of the voxels above zero
WRAPPED = 20000  # int16 that reach both ends are unsigned values stored as signed
MODALITIES = {"MRI": ("MR", "MRI", "PETMR", "MRPET"), "PET": ("PT", "PET", "PETMR", "PETCT")}


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


def check_sidecar(
    told: dict[str, Any], modality: str, label: str, tracer: str | None = None
) -> None:
    """Refuse a scan whose own sidecar says that it is of another modality or tracer.

    Parameters
    ----------
    told
        The scan's sidecar.
    modality
        `MRI` or `PET`.
    label
        What error messages call the scan.
    tracer
        BIDS label of the tracer asked for; None for FDG.

    Raises
    ------
    ScanError
        Its message begins with `label`.
    """
    kind = told.get("Modality")
    if isinstance(kind, str) and re.sub(r"[^A-Z]", "", kind.upper()) not in MODALITIES[modality]:
        raise ScanError(f"{label}: is of modality {kind[:16]!r}, not {MODALITIES[modality][0]}")
    if modality != "PET":
        return
    if (tracer or FDG) == FDG:
        check_tracer(told, label)
        return
    asked, found = read_tracer(tracer), told_tracer(told)
    if found is not None and asked is not None and not found.matches(asked):
        name = str(told.get("TracerName") or told.get("Radiopharmaceutical") or "")
        raise ScanError(f"{label}: tracer: {name[:32]!r} is not {asked.name}")
