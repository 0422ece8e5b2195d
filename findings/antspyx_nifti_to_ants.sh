#!/usr/bin/env bash
# antspyx 0.6.1, nibabel 5.4.2: `ants.nifti_to_ants`, which makes an ANTs image of a nibabel one, cannot run with any numpy and
#   nibabel of today; with the two names that it misses put back, it turns the head by half a turn.
# Behaviour: it calls `get_data` of nibabel (an error since 5.0) and `np.float` (gone since numpy 1.24). Then it takes the qform
#   alone, which nibabel gives in RAS, for ANTs' own LPS: x and y of every place have the other sign. A file whose sform alone
#   is set is put at the origin.
# Seen (2026-12-01): ExpiredDeprecationError. With both names put back, the first voxel of a volume whose affine has its first voxel at
#   (-10, -20, 30) mm lies at (10, 20, 30); 44.7 mm off; with the sform alone, at (0, 0, 0).
# Why it matters: who mends the two names gets images that look right beside each other and lie elsewhere than their files.
#   Save with nibabel and read with `ants.image_read`.
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

affine = np.diag([1.0, 2.0, 3.0, 1.0])
affine[:3, 3] = FIRST = (-10, -20, 30)
values = np.zeros((5, 6, 7), np.float32)


class WithGetData(nib.Nifti1Image):
    """An image that has its old method."""

    def get_data(self):
        """Return the values."""
        return np.asarray(self.dataobj)


def place(image):
    """Return where the first voxel of an ANTs image lies, LPS turned to RAS."""
    return np.array(image.origin) * (-1, -1, 1)


both = WithGetData(values, affine)
both.set_qform(affine, 1)
sform = WithGetData(values, None)
sform.set_sform(affine, 1)
sform.set_qform(None, 0)
try:
    ants.nifti_to_ants(nib.Nifti1Image(values, affine))
    raised = False
except Exception as error:
    print(f"as installed: {type(error).__name__}: {str(error).splitlines()[0]}")
    raised = True
np.float = float
found, alone = (place(ants.nifti_to_ants(image)) for image in (both, sform))
nib.save(nib.Nifti1Image(values, affine), "volume.nii")
read = place(ants.image_read("volume.nii"))
print(f"names put back, both forms: {found}, {np.linalg.norm(found - FIRST):.1f} mm off")
print(f"names put back, sform alone: {alone}")
print(f"saved and read: {read}")
turned = np.allclose(found, (10, 20, 30))
as_described = raised and turned and np.allclose(alone, 0) and np.allclose(read, FIRST)
sys.exit(None if as_described else "no longer as described")
END
