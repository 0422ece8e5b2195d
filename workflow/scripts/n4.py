"""Correct the bias field of the T1 in AC-PC space with N4; writes the T1 and a picture of both.

The field is estimated where the brain lies by the first affine to the template.
"""

from mri2pet.exclusion import run_stage
from mri2pet.imaging.bias import n4
from mri2pet.imaging.qcplots import draw
from mri2pet.imaging.volume import load_transform, load_volume, save_intensities
from mri2pet.provenance.record import recorded

source, made = snakemake.input, snakemake.output


def work():
    image, brain = load_volume(source.image), load_volume(source.brain)
    corrected, field = n4(image, snakemake.params.shrink, brain, load_transform(source.initial))
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
        sources=[source.image, source.initial, source.brain],
        upstream=[source.sidecar],
    )
