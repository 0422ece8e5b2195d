#!/usr/bin/env bash
# nilearn 0.13.1: NiftiLabelsMasker averages zeros into a region that the image's field of view cuts.
# Behaviour: with resampling_target="labels" the image is put on the atlas's grid, zeros fill what it does not cover,
#   and they count as voxels of the region. With "data", the default, the atlas is cut instead. Nothing is said.
# Seen (2026-11-29): an image of 5 everywhere that covers the upper half of two regions: with "data" both regions
#   are 5.0, with "labels" 2.5; no warning in either.
# Why it matters: the cerebellum and the vertex are often cut in PET. Such a region looks like low uptake, and as
#   a reference region it raises every ratio. Count the voxels of each region that the image covers.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet nilearn==0.13.1 nibabel==5.4.2 numpy==2.4.6
cd "$work"
venv/bin/python - <<'END'
import sys
import warnings

import nibabel as nib
import numpy as np
from nilearn.maskers import NiftiLabelsMasker

atlas = np.zeros((20, 20, 20), np.int16)
atlas[4:10, 4:16, 4:16] = 1
atlas[10:16, 4:16, 4:16] = 2
affine = np.diag([2.0, 2.0, 2.0, 1.0])
upper = affine.copy()
upper[2, 3] = 20  # the image begins in the middle of the atlas
labels = nib.Nifti1Image(atlas, affine)
image = nib.Nifti1Image(np.full((20, 20, 10), 5, np.float32), upper)

as_described = True
for target, wanted in (("data", 5.0), ("labels", 2.5)):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        means = NiftiLabelsMasker(labels, resampling_target=target).fit_transform(image)
    about = [str(warning.message) for warning in said]
    print(f'resampling_target="{target}": {np.ravel(means)}; warnings: {about or "none"}')
    as_described &= np.allclose(means, wanted, atol=1e-3)
    as_described &= not any("field of view" in text.lower() for text in about)
sys.exit(None if as_described else "no longer as described")
END
