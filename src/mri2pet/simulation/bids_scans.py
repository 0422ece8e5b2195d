"""One simulated visit, from template to BIDS files and truth.

The voxels and the matrices are those that dcm2niix makes of the same visit's DICOM series: both
forms of the simulated dementia study give the workflow the same numbers.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from mri2pet.simulation.dicom_writer import (
    LPS,
    pet_image,
    position_text,
    slice_positions,
    voxel_text,
)
from mri2pet.simulation.mri import Scan
from mri2pet.simulation.nifti_writer import write_nifti
from mri2pet.simulation.people import Person, Visit
from mri2pet.simulation.scanner_settings import (
    BQML_PER_STORED,
    FDG,
    FRAME_SECONDS,
    T1W,
    frame_times,
)
from mri2pet.simulation.scanners import machine
from mri2pet.simulation.template import Template
from mri2pet.simulation.visit_scans import scan_visit, whole_folder


def simulate_bids_visit(
    template: Template,
    person: Person,
    visit: Visit,
    scanner: Mapping[str, Any],
    outputs: Mapping[str, str | Path],
    truth: str | Path,
) -> None:
    """Scan one person at one visit.

    Parameters
    ----------
    template
        The anatomy that everyone is made from.
    person, visit
        One of `plan_people`, and one of the visits.
    scanner
        As `scan_visit` takes it.
    outputs
        Path of each file of `bids_tables.scan_files`; sidecars are written beside the scans.
    truth
        Folder to make: that of the visit as `write_truth` writes it.
    """
    with whole_folder(truth) as folder:
        t1, pet = scan_visit(template, person, visit, scanner, folder)
        write_nifti(outputs["t1w"], as_converted(t1, upright=True), T1W | machine(scanner, "MR"))
        frames = scanner.get("pet_frames", 1)
        image = pet_image(visit, frames)
        if pet is not None and image is not None:
            sidecar = FDG | machine(scanner, "PT")
            sidecar |= {"TimeZero": f"{image.time:%H:%M:%S}"} | frame_times(frames)
            step = None if frames == 1 else FRAME_SECONDS
            found = as_converted(pet, upright=False)
            write_nifti(outputs["pet"], found, sidecar, BQML_PER_STORED, step)


def as_converted(scan: Scan, upright: bool) -> Scan:
    """Turn a raw volume to the order of axes and the matrix that dcm2niix gives it.

    dcm2niix turns the rows over, and the axes of a 3D acquisition to those of the world. It makes
    the matrix in float32 from the numbers that the DICOM headers spell out, and takes the slices'
    distance from the first two positions: other ways differ in the last bits.

    Parameters
    ----------
    scan
        int16 data (i, j, k) or (i, j, k, frame); the axes run along those of the world.
    upright
        Turn the axes to right, front, up: for a 3D acquisition.

    Returns
    -------
    Scan
        The same voxels; float32 matrix, voxel to RAS mm.
    """
    first, second = (
        np.array(position_text(place), np.float32) for place in slice_positions(scan)[:2]
    )
    sizes = np.array(voxel_text(scan), np.float32)
    sizes[2] = np.abs(second - first).max()
    axes = np.sign(scan.affine[:3, :3]) * LPS[:, None] + 0.0  # no zero is negative
    affine = np.eye(4, dtype=np.float32)
    affine[:3, :3] = axes.astype(np.float32) * sizes
    affine[:3, 3] = first
    affine[:2] *= -1  # from DICOM's world to NIfTI's
    data, affine = _reverse(scan.data, affine, 1)
    if upright:
        order, signs = nib.io_orientation(affine).T.astype(int)
        for axis in np.flatnonzero(signs < 0):
            data, affine = _reverse(data, affine, axis)
        places = np.argsort(order)
        data, affine = data.transpose(places), affine[:, [*places, 3]]
    return Scan(data, affine)


def _reverse(
    data: NDArray[np.generic], affine: NDArray[np.float32], axis: int
) -> tuple[NDArray[np.generic], NDArray[np.float32]]:
    """Count an axis from its other end; the world stays where it is."""
    affine = affine.copy()
    affine[:, 3] += affine[:, axis] * np.float32(data.shape[axis] - 1)
    affine[:, axis] = 0 - affine[:, axis]  # zeros stay positive, as dcm2niix leaves them
    return np.flip(data, axis), affine
