"""Carry the normalised brain and its mask into MNI152 in one interpolation, then to 64x64x64."""

from mri2pet.exclusion import run_stage
from mri2pet.imaging.resample import res2_grid, resample_brain, resize
from mri2pet.imaging.volume import load_transform, load_volume, save_volume
from mri2pet.provenance.record import recorded

source, made = snakemake.input, snakemake.output


def work():
    grid = res2_grid(load_volume(source.template))
    brain, mask = resample_brain(
        load_volume(source.image), load_volume(source.mask), load_transform(source.transform), grid
    )
    save_volume(made.res2, brain)
    save_volume(made.mask, mask)
    save_volume(made.res64, resize(brain))
    return {"SkullStripped": True, "Space": "MNI152NLin6Asym", "Resolution": "2 mm, 90x109x90"}


with recorded(snakemake):
    run_stage(
        "resample_mri",
        work,
        sidecar=made.sidecar,
        outputs=[made.res2, made.mask, made.res64],
        sources=[source.image, source.mask, source.transform],
        upstream=[source.sidecar],
    )
