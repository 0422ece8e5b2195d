"""Simulated scans as NIfTI files with their BIDS sidecars."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib

from mri2pet.files import atomic, write_json
from mri2pet.simulation.mri import Scan


def write_nifti(
    path: str | Path,
    scan: Scan,
    sidecar: Mapping[str, Any] | None = None,
    slope: float = 1.0,
    frame_seconds: float | None = None,
) -> None:
    """Write a scan in its own order of axes, whole or not at all.

    Parameters
    ----------
    path
        Ends in `.nii.gz`; the sidecar is written beside it, with the ending `.json`.
    scan
        The stored values, 3D or with frames as the fourth axis.
    sidecar
        What it says; None for no sidecar.
    slope
        Of the stored values, for the header.
    frame_seconds
        Step of the fourth axis.
    """
    image = nib.Nifti1Image(scan.data, scan.affine)
    image.set_qform(scan.affine, code="scanner")
    image.set_sform(scan.affine, code="scanner")
    image.header.set_slope_inter(slope, 0)
    image.header.set_xyzt_units("mm", "sec")
    if frame_seconds is not None:
        image.header["pixdim"][4] = frame_seconds
    with atomic(path) as partial:
        nib.save(image, partial)
    if sidecar is not None:
        write_json(str(path).removesuffix(".nii.gz") + ".json", dict(sidecar))
