"""Correct the bias field of the T1 in AC-PC space with N4; writes the T1 and a picture of both."""

from mri2pet.exclusion import run_stage
from mri2pet.imaging.bias import n4
from mri2pet.imaging.qcplots import draw
from mri2pet.imaging.volume import load_volume, save_intensities
from mri2pet.provenance.record import recorded

source, made = snakemake.input, snakemake.output


def work():
    corrected, field = n4(load_volume(source.image), snakemake.params.shrink)
    save_intensities(made.image, corrected)
    low, high = float(field.min()), float(field.max())
    draw(made.picture, corrected, f"N4 (field {low:.2f} to {high:.2f})")
    return {"SkullStripped": False, "ShrinkFactor": snakemake.params.shrink, "Field": [low, high]}


with recorded(snakemake):
    run_stage(
        "n4",
        work,
        sidecar=made.sidecar,
        outputs=[made.image, made.picture],
        sources=[source.image],
        upstream=[source.sidecar],
    )
