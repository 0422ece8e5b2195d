#!/usr/bin/env bash
# SimpleITK 2.5.3 (ITK) and nibabel 5.4.2: one Analyze 7.5 volume (.hdr, .img), as OASIS-1 is given out, is read as two
#   brains that are mirror images of each other.
# Behaviour: nibabel takes x to go to the left, y to the front, z up; ITK x to the left, y to the back, z up, with a
#   warning that the format is deprecated. Neither looks at the header's `orient`, which says how slices were cut
#   (0 transverse, 1 coronal, 2 sagittal, 3 to 5 the same turned over), so that all six come out alike.
# Seen (2026-12-01): the determinant of the step from voxel to world is negative in nibabel and positive in ITK, whatever
#   `orient` is; stored values are the same.
# Why it matters: no rotation makes one of the other, so that a registration after the wrong reader ends with left and
#   right exchanged, and nothing in the NIfTI that comes out tells.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet SimpleITK==2.5.3 nibabel==5.4.2 numpy==2.4.6
cd "$work"
venv/bin/python - <<'END'
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk

ORIENT = 252  # place of the header's one byte that says how slices were cut
SHAPE, SIZES = (4, 5, 6), (2.0, 3.0, 4.0)
sitk.ProcessObject.SetGlobalWarningDisplay(False)
values = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
as_described = True
for orient in range(6):
    nib.save(nib.AnalyzeImage(values, np.diag([*SIZES, 1])), "volume.img")
    header = bytearray(Path("volume.hdr").read_bytes())
    header[ORIENT] = orient
    Path("volume.hdr").write_bytes(header)
    here = nib.load("volume.img")
    there = sitk.ReadImage("volume.hdr")
    same = np.array_equal(sitk.GetArrayFromImage(there).T, np.asarray(here.dataobj))
    lps = np.reshape(there.GetDirection(), (3, 3)) * there.GetSpacing()
    steps = here.affine[:3, :3], np.diag([-1, -1, 1]) @ lps
    axes = ["".join(nib.aff2axcodes(nib.affines.from_matvec(step))) for step in steps]
    signs = [np.sign(np.linalg.det(step)) for step in steps]
    print(f"orient {orient}: nibabel {axes[0]}, ITK {axes[1]}; values alike: {same}")
    as_described &= same and axes == ["LAS", "LPS"] and signs == [-1, 1]
sys.exit(None if as_described else "no longer as described")
END
