"""Carry the raw PET into MNI152 in one interpolation, scale its uptake, then to 64x64x64.

Uptake is divided by the mean of the reference region (config preproc.pet_reference) and by a fixed
ceiling (preproc.pet_ceiling), clipped to 0..1 and masked by the template's brain.
"""

from mri2pet.exclusion import run_stage
from mri2pet.imaging.intensity import reference_region, scale_uptake
from mri2pet.imaging.qc import pet_measures, verdict
from mri2pet.imaging.resample import on_grid, res2_grid, resample, resize
from mri2pet.imaging.volume import array, like, load_scan, load_transform, load_volume, save_volume
from mri2pet.provenance.record import recorded

source, made, params = snakemake.input, snakemake.output, snakemake.params


def work():
    grid = res2_grid(load_volume(source.brain))
    brain = array(grid) > 0
    matrix = load_transform(source.affine) @ load_transform(source.rigid)
    pet = array(resample(load_scan(source.pet), matrix, grid.affine, grid.shape))
    region = reference_region(params.reference, on_grid(load_volume(source.atlas), grid), brain)
    scaled, measures = scale_uptake(pet, region, brain, params.ceiling)
    mri = array(load_volume(source.image))
    measures |= pet_measures(scaled, mri, brain)
    verdict(measures, params.limits)
    save_volume(made.res2, like(grid, scaled))
    save_volume(made.res64, resize(like(grid, scaled)))
    return {
        "Space": "MNI152NLin6Asym",
        "Reference": params.reference,
        "Ceiling": params.ceiling,
        "Units": "uptake / (mean of the reference region * ceiling), clipped to 0..1",
        "Measures": measures,
    }


with recorded(snakemake):
    run_stage(
        "resample_pet",
        work,
        sidecar=made.sidecar,
        outputs=[made.res2, made.res64],
        sources=[source.pet, source.rigid, source.affine],
        upstream=[source.rigid_sidecar, source.affine_sidecar, source.image_sidecar],
    )
