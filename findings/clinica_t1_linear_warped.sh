#!/usr/bin/env bash
# Clinica 0.12.0 with ANTsPy 0.6.1: `t1-linear --use-antspy` writes a warped image, and beside it an affine that is not its own.
# Behaviour: `run_ants_registration` of `t1_linear/anat_linear_utils.py` names the kind of registration by a keyword that
#   ANTsPy takes without a word and does not know (type_of_transformation; ANTsPy's is type_of_transform). So ANTsPy's
#   default runs, an affine and SyN; what SyN made is kept as the linearly registered image, the affine as its matrix.
# Seen (2026-11-30): two balls of 48^3 voxels with a hollow in different places. The image written differs from the moving
#   image carried by the matrix written beside it by 0.038 (of 0..1) on average, r .98; with the keyword that ANTsPy
#   knows by 0.000, r 1.00.
# Why it matters: what the pipeline calls linear has part of a brain's own shape taken out, and what is carried by the
#   matrix (a PET, labels) does not lie on the image. Without --use-antspy ANTs' own program is called, with an affine.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet antspyx==0.6.1 numpy==2.4.6 packaging==25.0
"$work/venv/bin/pip" install --quiet --no-deps clinica==0.12.0 # one file of it is used, which imports nothing else
cd "$work"
ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS=1 venv/bin/python - <<'END'
import importlib.util
import sys
from pathlib import Path

import ants
import numpy as np

folder = Path(importlib.util.find_spec("clinica").origin).parent
spec = importlib.util.spec_from_file_location("utils", folder / "pipelines/t1_linear/anat_linear_utils.py")
clinica = importlib.util.module_from_spec(spec)
spec.loader.exec_module(clinica)


def head(hollow_mm):
    """A ball of radius 16 with a ball of radius 7 in it that is dark."""
    place = np.indices((48, 48, 48)) - 23.5
    inside = np.sqrt((place**2).sum(axis=0)) < 16
    dark = np.sqrt(((place - np.array([hollow_mm, 0, 0])[:, None, None, None]) ** 2).sum(axis=0)) < 7
    image = ants.from_numpy((inside * 1.0 - 0.7 * (inside & dark)).astype(np.float32))
    return ants.smooth_image(image, 1.0)


fixed, moving = head(-3.0), head(3.0)
ants.image_write(fixed, "fixed.nii.gz")
ants.image_write(moving, "moving.nii.gz")
written, matrix = clinica.run_ants_registration(
    Path("fixed.nii.gz"), Path("moving.nii.gz"), random_seed=0, output_dir=Path.cwd()
)
named = ants.registration(fixed, moving, type_of_transform="antsRegistrationSyN[a]", random_seed=0)


def apart(image, transform):
    """Compare an image with the moving one through the matrix that goes with it."""
    carried = ants.apply_transforms(fixed, moving, [str(transform)]).numpy()
    inside = fixed.numpy() > 0.1
    return float(np.abs(image.numpy() - carried)[inside].mean()), float(
        np.corrcoef(image.numpy()[inside], carried[inside])[0, 1]
    )


found = apart(ants.image_read(str(written)), matrix)
right = apart(named["warpedmovout"], named["fwdtransforms"][-1])
print(f"Clinica's image against its own matrix: mean difference {found[0]:.3f}, correlation {found[1]:.2f}")
print(f"with type_of_transform: mean difference {right[0]:.3f}, correlation {right[1]:.2f}")
sys.exit(None if found[0] > 0.03 and right[0] < 0.005 else "no longer as described")
END
