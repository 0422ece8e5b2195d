#!/usr/bin/env bash
# antspyx 0.6.1, nibabel 5.4.2, nilearn 0.13.1, surfa 0.6.3: "resampled to 3 mm" is three different grids.
# Behaviour: nibabel and nilearn keep the first voxel's centre and go on until the last centre is covered. ANTs keeps
#   it too, but rounds the number of voxels. surfa keeps the place of index n/2 (the middle to FreeSurfer).
# Seen (2026-11-29): 20 x 21 x 22 voxels of 2 mm, first at 0 mm, last at 38, 40, 42 mm. nibabel and nilearn: 14 x 15 x
#   15, first at 0. ANTs: 13 x 14 x 15, first at 0; its last voxel ends at 37.5 mm along x, the source's at 39 mm.
#   surfa: 14 x 14 x 15, first at -1, 0, -.5 mm. Each is right at its own places.
# Why it matters: two such files cannot be compared voxel by voxel, even where their shapes are alike; and ANTs's
#   may lose the edge of the head. Resample to the grid of a reference image, not to a voxel size.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet antspyx==0.6.1 nibabel==5.4.2 nilearn==0.13.1 surfa==0.6.3 numpy==2.4.6
cd "$work"
export ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS=1
venv/bin/python - <<'END'
import sys

import ants
import nibabel as nib
import numpy as np
import surfa
from nibabel.processing import resample_to_output
from nilearn.image import resample_img

SHAPE = (20, 21, 22)
affine = np.diag([2.0, 2.0, 2.0, 1.0])
x = np.indices(SHAPE)[0].astype(np.float32) * 2  # the value is the place in mm
source = nib.Nifti1Image(x, affine)
nib.save(source, "volume.nii")


def by_ants():
    coarse = ants.resample_image(ants.image_read("volume.nii"), (3, 3, 3), False, 0)  # 0: linear
    ants.image_write(coarse, "a.nii")
    return nib.load("a.nii")


def by_surfa():
    surfa.load_volume("volume.nii").resize([3, 3, 3]).save("s.nii")
    return nib.load("s.nii")


wanted = {
    "nibabel": ((14, 15, 15), (0, 0, 0)),
    "nilearn": ((14, 15, 15), (0, 0, 0)),
    "ants": ((13, 14, 15), (0, 0, 0)),
    "surfa": ((14, 14, 15), (-1, 0, -0.5)),
}
made = {
    "nibabel": resample_to_output(source, (3, 3, 3), order=1),
    "nilearn": resample_img(source, target_affine=np.diag([3.0, 3.0, 3.0])),
    "ants": by_ants(),
    "surfa": by_surfa(),
}
as_described = True
print("source: shape", SHAPE, "first voxel [0, 0, 0], last", [38, 40, 42], "mm")
for name, image in made.items():
    ends = np.array([(0, 0, 0), np.array(image.shape) - 1])
    first, last = nib.affines.apply_affine(image.affine, ends) + 0.0
    inner = image.get_fdata()[3:-3, 3:-3, 3:-3]
    places = first[0] + 3 * np.arange(3, image.shape[0] - 3)
    off = float(np.abs(inner - places[:, None, None]).max())
    print(f"{name}: shape {image.shape}, first voxel {first.tolist()}, last {last.tolist()} mm")
    print(f"  values {off:.3f} mm off their places")
    as_described &= image.shape == wanted[name][0] and off < 0.01
    as_described &= np.allclose(first, wanted[name][1], atol=1e-4)
sys.exit(None if as_described else "no longer as described")
END
