"""Carry the normalised brain through affine and warp onto the grid of the anomaly study.

That is SPM's bounding box in MNI152 (config gan_anomaly.voxel_mm); one interpolation.
"""

from mri2pet.exclusion import run_stage
from mri2pet.imaging.resample import spm_grid
from mri2pet.imaging.volume import load_transform, load_volume, save_volume
from mri2pet.imaging.warp import load_warp, resample_brain_through
from mri2pet.provenance.record import recorded

source, made, params = snakemake.input, snakemake.output, snakemake.params


def work():
    brain = resample_brain_through(
        load_volume(source.image),
        load_volume(source.mask),
        load_transform(source.affine),
        load_warp(source.warp),
        spm_grid(params.voxel_mm),
    )
    save_volume(made.image, brain)
    return {"SkullStripped": True, "Space": "MNI152NLin6Asym", "VoxelMm": params.voxel_mm}


with recorded(snakemake):
    run_stage(
        "resample_anomaly",
        work,
        sidecar=made.sidecar,
        outputs=[made.image],
        sources=[source.image, source.mask, source.affine, source.warp],
        upstream=[source.sidecar],
    )
