"""Holding a converted volume against the DICOM series that it was made from.

Every slice must lie where the series says, and have the values that the series stores. What
differs is corrected in the converted file, from the series; what cannot be is refused.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mri2pet.conversion.held_values import rewrite_values, values_right
from mri2pet.conversion.series_slices import Slice, stacks
from mri2pet.conversion.slice_geometry import hold_affine
from mri2pet.conversion.stored_values import counts_factor
from mri2pet.conversion.transfer_syntax import damage_told, read_dicom

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
        `MRI`, whose values may be the stored ones in another unit, or `PET`.
    folder
        What error messages call the series.

    Returns
    -------
    dict
        What the sidecar must say besides: `CorrectedToSource`, a list of `affine` and `values`,
        where these were corrected, and `Units` where these are others now.

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
    told: dict[str, Any] = {}
    if modality == "PET":
        with damage_told(slices[0].path):
            unit = counts_factor(folder, read_dicom(slices[0].path, stop_before_pixels=True))[1]
        told |= {"Units": unit} if unit else {}
    right = values_right(image, slices, turn, modality, folder)
    corrected = ["affine"] * (affine is not image.affine) + ["values"] * (not right)
    if not right:
        rewrite_values(volume, slices, turn, modality, folder)
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
