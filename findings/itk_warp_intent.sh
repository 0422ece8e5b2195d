#!/usr/bin/env bash
# antspyx 0.6.1 (ITK): the intent code of a NIfTI warp decides the sign of its displacements, or drops them.
# Behaviour: vectors of intent 1007 ("vector") are taken for LPS, those of 1006 ("displacement") for RAS. A file of
#   code 0 ("none") is applied as if nothing moved. nibabel writes 0 unless told otherwise. Nothing is said about it.
# Seen (2026-11-29): the same field of +4 mm along x in three files, and a point at voxel 10 of 2 mm voxels:
#   code 1007 moves it to voxel 12, code 1006 to voxel 8, code 0 leaves it at voxel 10.
# Why it matters: a warp saved by hand from an array is easily mirrored, which doubles the misplacement, or is not
#   applied at all, which looks like a small deformation. Set the code, and check where one known point goes.
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

affine = np.diag([2.0, 2.0, 2.0, 1.0])
point = np.zeros((20, 20, 20), np.float32)
point[10, 10, 10] = 1
nib.save(nib.Nifti1Image(point, affine), "point.nii")
field = np.zeros((20, 20, 20, 1, 3), np.float32)
field[..., 0] = 4

seen = {}
for code in (1007, 1006, 0):
    warp = nib.Nifti1Image(field, affine)
    warp.header["intent_code"] = code
    nib.save(warp, "warp.nii")
    image = ants.image_read("point.nii")
    moved = ants.apply_transforms(image, image, ["warp.nii"], interpolator="nearestNeighbor")
    (place,) = np.argwhere(moved.numpy() > 0)
    seen[code] = place.tolist()
    print(f"intent code {code}: the point of voxel [10, 10, 10] lies at {seen[code]}")
as_described = seen == {1007: [12, 10, 10], 1006: [8, 10, 10], 0: [10, 10, 10]}
sys.exit(None if as_described else "no longer as described")
END
