"""Carry the raw PET through rigid, affine and warp onto the anomaly study's grid, scaled to 0..1.

One interpolation; each image is scaled by itself (no uptake is 0, a high percentile inside the
template's brain is 1) and masked by the template's brain. What the PET has not measured of the
brain is zero, counts nowhere, and is told by the mask `seen`.
"""

import numpy as np
from nibabel.affines import voxel_sizes

from mri2pet.cohorts.tracers import is_fdg
from mri2pet.exclusion import run_stage
from mri2pet.imaging.field_of_view import field_of_view
from mri2pet.imaging.intensity import scale_image
from mri2pet.imaging.qc import limits_of, pet_measures, verdict
from mri2pet.imaging.resample import resample
from mri2pet.imaging.volume import array, like, load_scan, load_transform, load_volume, save_volume
from mri2pet.imaging.warp import load_warp, resample_through
from mri2pet.provenance.record import recorded

source, made, params = snakemake.input, snakemake.output, snakemake.params


def work():
    mri = load_volume(source.image)
    template = resample(load_volume(source.brain), np.eye(4), mri.affine, mri.shape, order=1)
    brain = array(template) > 0.5
    matrix = load_transform(source.affine) @ load_transform(source.rigid)
    warp = load_warp(source.warp)
    field = field_of_view(load_scan(source.pet), matrix, mri, brain, warp)
    share = {"brain_seen": field.share(brain)}
    limits = limits_of(params.limits, is_fdg(params.tracer))
    verdict(share, limits)
    pet = resample_through(field.pet, matrix, warp, mri, where=brain)
    seen = brain & field.seen
    scaled, measures = scale_image(array(pet), seen)
    measures |= share | pet_measures(scaled, array(mri), seen, voxel_sizes(mri.affine))
    verdict(measures, limits)
    save_volume(made.seen, like(mri, field.seen))
    save_volume(made.image, like(mri, scaled))
    return {
        "Space": "MNI152NLin6Asym",
        "Units": "uptake over its 99.5th percentile inside the brain, clipped to 0..1",
        "Measures": measures,
        "Limits": limits,
    }


with recorded(snakemake):
    run_stage(
        "resample_pet_anomaly",
        work,
        sidecar=made.sidecar,
        outputs=[made.image, made.seen],
        sources=[source.pet, source.rigid, source.affine, source.warp],
        upstream=[source.rigid_sidecar, source.sidecar],
    )
