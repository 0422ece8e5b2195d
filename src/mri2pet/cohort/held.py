"""Holding a converted volume against the DICOM series that it was made from.

Every slice must lie where the series says. What differs is
corrected in the converted file, from the series; what cannot be is refused.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mri2pet.cohort.geometry import hold_affine
from mri2pet.cohort.slices import Slice, stacks
from mri2pet.errors import ScanError

log = logging.getLogger(__name__)


def hold_to_series(
    volume: Path, slices: Sequence[Slice], modality: str, folder: Path
) -> dict[str, Any]:
    """Compare a converted NIfTI with its series, slice by slice, and correct it in place.

    Parameters
    ----------
    volume
        NIfTI, not compressed, as dcm2niix made it of the series.
    slices
        Of `checked_slices`.
    modality
        `MRI` or `PET`.
    folder
        What error messages call the series.

    Returns
    -------
    dict
        What the sidecar must say besides: `CorrectedToSource`, a list with `affine`
        where that was corrected.

    Raises
    ------
    ScanError
        The slices lie on no straight stack, or what differs cannot be read from the series.
    """
    import nibabel as nib

    image = nib.load(volume)
    affine, turn = hold_affine(image.affine, image.shape, slices, folder)
    frames = len(stacks(slices)[0])
    if turn is not None and int(np.prod(image.shape[3:])) != frames:
        turn = None
    if turn is None:
        raise ScanError(f"{folder}: the converted volume, {image.shape}, does not hold its slices")
    told: dict[str, Any] = {}
    corrected = ["affine"] * (affine is not image.affine)
    if corrected:
        _write_affine(volume, affine)
        log.warning("%s: %s corrected to the DICOM series", folder, " and ".join(corrected))
        told["CorrectedToSource"] = corrected
    return told


def _write_affine(volume: Path, affine: np.ndarray) -> None:
    """Set sform and qform of a plain NIfTI file; its voxels stay as they are."""
    import nibabel as nib

    with volume.open("r+b") as handle:
        header = nib.Nifti1Header.from_fileobj(handle)
        header.set_qform(affine, code="scanner")
        header.set_sform(affine, code="scanner")
        header.set_xyzt_units("mm", "sec")
        handle.seek(0)
        header.write_to(handle)
