"""Carry the normalised brain through affine and warp in one interpolation.

To MNI152 at 1.5 mm, then resized to the networks' grid (config dual_glow.grid) over the same field
of view.
"""

from mri2pet.exclusion import run_stage
from mri2pet.imaging.resample import res15_grid, resize
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
        res15_grid(load_volume(source.template)),
    )
    save_volume(made.res15, brain)
    save_volume(made.model, resize(brain, tuple(params.grid)))
    return {"SkullStripped": True, "Space": "MNI152NLin6Asym", "Resolution": "1.5 mm, 121x145x121"}


with recorded(snakemake):
    run_stage(
        "resample_nonlinear",
        work,
        sidecar=made.sidecar,
        outputs=[made.res15, made.model],
        sources=[source.image, source.mask, source.affine, source.warp],
        upstream=[source.sidecar],
    )
