#!/usr/bin/env bash
# nibabel 5.4.2: one affine written as sform and as qform lies up to .36 mm apart if its turn is near a half turn.
# Behaviour: NIfTI stores three of a quaternion's four parts as float32; the first is the root of what is left to
#   one. nibabel takes that part for zero below about .0006, so small turns beside a half turn get lost in the qform.
# Seen (2026-11-29): 256 x 256 x 180 voxels of 1 mm, turned by .001 (.06 degrees) about x, y and z; largest distance
#   of a corner between sform and qform: stored as RAS 0.00 mm, as LAS 0.31 mm, as LPS 0.36 mm. By .005: 0.01 mm.
# Why it matters: scans come from DICOM as LPS or LAS. If they are nearly straight, programs that read the qform and
#   those that read the sform differ by a third of a voxel, too little to see. Voxels stored along RAS avoid it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet nibabel==5.4.2 numpy==2.4.6
cd "$work"
venv/bin/python - <<'END'
import sys
from itertools import product

import nibabel as nib
import numpy as np

SHAPE = (256, 256, 180)
corners = np.array(list(product(*((0, count - 1) for count in SHAPE))))


def apart(flips, angle):
    """Return the largest distance (mm) of a corner between the two forms, as read back."""
    affine = np.eye(4)
    affine[:3, :3] = nib.eulerangles.euler2mat(angle, angle, angle) @ np.diag(flips)
    image = nib.Nifti1Image(np.zeros((2, 2, 2), np.uint8), affine)
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    nib.save(image, "volume.nii")
    read = nib.load("volume.nii")
    places = [
        nib.affines.apply_affine(form, corners) for form in (read.get_sform(), read.get_qform())
    ]
    return float(np.linalg.norm(places[0] - places[1], axis=1).max())


as_described = True
for axes, flips, wanted in (
    ("RAS", (1, 1, 1), (0.0, 0.0, 0.0)),
    ("LAS", (-1, 1, 1), (0.094, 0.312, 0.007)),
    ("LPS", (-1, -1, 1), (0.108, 0.361, 0.008)),
):
    for angle, distance in zip((0.0003, 0.001, 0.005), wanted, strict=True):
        found = apart(flips, angle)
        print(f"{axes}, turned by {angle} about each axis: sform and qform {found:.3f} mm apart")
        as_described &= abs(found - distance) < 0.005
sys.exit(None if as_described else "no longer as described")
END
