"""Carry a patient's lesion mask from the T1's world through all transforms onto the study's grid.

Linear interpolation; a voxel is in if half of it is.
"""

from mri2pet.errors import ScanError
from mri2pet.exclusion import run_stage
from mri2pet.imaging.resample import spm_grid
from mri2pet.imaging.volume import array, like, load_scan, load_transform, save_volume
from mri2pet.imaging.warp import load_warp, resample_through
from mri2pet.provenance.record import recorded

source, made, params = snakemake.input, snakemake.output, snakemake.params


def work():
    grid = spm_grid(params.voxel_mm)
    matrix = load_transform(source.affine) @ load_transform(source.to_acpc)
    warp, mask = load_warp(source.warp), load_scan(source.lesion)
    whole = like(mask, (array(mask) > 0).astype(float))
    placed = array(resample_through(whole, matrix, warp, grid, order=1)) > 0.5
    if not placed.any():
        raise ScanError(f"{source.lesion}: nothing of the lesion lies in the field of view")
    save_volume(made.image, like(grid, placed))
    return {"Space": "MNI152NLin6Asym", "Voxels": int(placed.sum()), "VoxelMm": params.voxel_mm}


with recorded(snakemake):
    run_stage(
        "resample_lesion",
        work,
        sidecar=made.sidecar,
        outputs=[made.image],
        sources=[source.lesion, source.to_acpc, source.affine, source.warp],
        upstream=[source.sidecar],
    )
