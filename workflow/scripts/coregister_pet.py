"""Register the raw PET rigidly to the visit's MRI.

Writes the transform of points from the PET's world to AC-PC space, and a picture of the PET in
AC-PC space under the outline of the MRI's brain mask.
"""

from mri2pet.exclusion import run_stage
from mri2pet.imaging.qcplots import draw
from mri2pet.imaging.register import pet_to_mri
from mri2pet.imaging.resample import isotropic, resample
from mri2pet.imaging.volume import array, load_scan, load_volume, save_transform
from mri2pet.provenance.record import recorded

source, made = snakemake.input, snakemake.output


def work():
    pet, brain = load_scan(source.pet), load_volume(source.image)
    matrix, refinement = pet_to_mri(pet, brain)
    save_transform(made.transform, matrix)
    mri = isotropic(brain, 2.0)
    moved = resample(pet, matrix, mri.affine, mri.shape, order=1)
    outline = [array(mri) > 0.1, array(mri) > 0.6]
    draw(made.picture, moved, "PET in AC-PC space, outlines of the MRI", outline, cmap="heat")
    return {"From": "PET", "To": "AC-PC", "DegreesOfFreedom": 6, "Refinement": refinement}


with recorded(snakemake):
    run_stage(
        "coregister_pet",
        work,
        sidecar=made.sidecar,
        outputs=[made.transform, made.picture],
        sources=[source.pet, source.image],
        upstream=[source.pet_sidecar, source.sidecar],
    )
