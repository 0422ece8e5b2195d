#!/usr/bin/env bash
# antspyx 0.6.1 (ITK) and nibabel 5.4.2: where sform and qform differ, the two read one file in two places.
# Behaviour: nibabel reads the sform if its code is not 0. ITK reads the sform if its code is 1 and it has no shear,
#   else the qform, without a word. The qform cannot hold a shear: nibabel writes the nearest rotation there.
# Seen (2026-11-29): a volume of 100 x 100 x 100 voxels of 2 mm; distance of its last voxel between the two:
#   both forms alike: 0 mm; qform (code 1) 10 mm from a sform of code 1: 0 mm; of code 4 (MNI): 10 mm;
#   one affine with a shear of 1% saved as both forms: 1.4 mm, of 5%: 6.9 mm.
# Why it matters: a pipeline of both (nilearn, then ANTs) silently works in two spaces. Make both forms alike, and
#   resample a sheared volume to a straight grid before other programs see it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet antspyx==0.6.1 nibabel==5.4.2 numpy==2.4.6
cd "$work"
export ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS=1
venv/bin/python - <<'END'
import sys

import ants
import nibabel as nib
import numpy as np

SHAPE = (100, 100, 100)
straight = np.diag([2.0, 2.0, 2.0, 1.0])
shifted = straight.copy()
shifted[0, 3] = 10


def sheared(shear):
    """Return the affine whose x grows with y too, by `shear` mm a mm."""
    affine = straight.copy()
    affine[0, 1] = 2 * shear
    return affine


def apart(sform, code, qform):
    """Return mm between the last voxel of nibabel and that of ITK (LPS turned to RAS)."""
    image = nib.Nifti1Image(np.zeros(SHAPE, np.uint8), None)
    image.set_qform(qform, 1)
    image.set_sform(sform, code)
    nib.save(image, "volume.nii")
    last = np.array(SHAPE) - 1
    here = nib.affines.apply_affine(nib.load("volume.nii").affine, last)
    read = ants.image_read("volume.nii")
    there = read.direction @ (last * read.spacing) + read.origin
    return float(np.linalg.norm(here - there * (-1, -1, 1)))


as_described = True
for name, sform, code, qform, wanted in (
    ("both forms alike", straight, 1, straight, 0.0),
    ("qform 10 mm off a sform of code 1", straight, 1, shifted, 0.0),
    ("qform 10 mm off a sform of code 4", straight, 4, shifted, 10.0),
    ("both forms of an affine with a shear of 1%", sheared(0.01), 1, sheared(0.01), 1.4),
    ("both forms of an affine with a shear of 5%", sheared(0.05), 1, sheared(0.05), 6.9),
):
    found = apart(sform, code, qform)
    print(f"{name}: {found:.2f} mm apart")
    as_described &= abs(found - wanted) < 0.06
sys.exit(None if as_described else "no longer as described")
END
