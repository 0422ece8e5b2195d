"""Carry the raw PET into MNI152 in one interpolation, scale its uptake, then to 64x64x64.

Uptake is divided by the mean of the reference region (config preproc.pet_reference) and by a fixed
ceiling (preproc.pet_ceiling), clipped to 0..1 and masked by the template's brain. What the PET has
not measured of the brain is zero, counts nowhere, and is told by the mask `seen`.
"""

from nibabel.affines import voxel_sizes

from mri2pet.cohorts.tracers import is_fdg
from mri2pet.exclusion import run_stage
from mri2pet.imaging.field_of_view import field_of_view, resize_seen
from mri2pet.imaging.intensity import reference_region, scale_uptake
from mri2pet.imaging.qc import limits_of, pet_measures, verdict
from mri2pet.imaging.resample import on_grid, res2_grid, resample, resize
from mri2pet.imaging.volume import array, like, load_scan, load_transform, load_volume, save_volume
from mri2pet.provenance.record import recorded

source, made, params = snakemake.input, snakemake.output, snakemake.params


def work():
    grid = res2_grid(load_volume(source.brain))
    brain = array(grid) > 0
    matrix = load_transform(source.affine) @ load_transform(source.rigid)
    field = field_of_view(load_scan(source.pet), matrix, grid, brain)
    region = reference_region(params.reference, on_grid(load_volume(source.atlas), grid), brain)
    shares = {"brain_seen": field.share(brain), "reference_seen": field.share(region & brain)}
    limits = limits_of(params.limits, is_fdg(params.tracer))
    verdict(shares, limits)
    pet = array(resample(field.pet, matrix, grid.affine, grid.shape))
    seen = brain & field.seen
    scaled, measures = scale_uptake(pet, region, seen, params.ceiling)
    mri = array(load_volume(source.image))
    measures |= shares | pet_measures(scaled, mri, seen, voxel_sizes(grid.affine))
    verdict(measures, limits)
    save_volume(made.seen, resize_seen(like(grid, field.seen)))
    save_volume(made.res2, like(grid, scaled))
    save_volume(made.res64, resize(like(grid, scaled)))
    return {
        "Space": "MNI152NLin6Asym",
        "Reference": params.reference,
        "Ceiling": params.ceiling,
        "Units": "uptake / (mean of the reference region * ceiling), clipped to 0..1",
        "Measures": measures,
        "Limits": limits,
    }


with recorded(snakemake):
    run_stage(
        "resample_pet",
        work,
        sidecar=made.sidecar,
        outputs=[made.res2, made.res64, made.seen],
        sources=[source.pet, source.rigid, source.affine],
        upstream=[source.rigid_sidecar, source.affine_sidecar, source.image_sidecar],
    )
