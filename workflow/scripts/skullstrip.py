"""Mask the brain of the bias-corrected T1 with deepbet or ROBEX (config preproc.skullstrip).

A mask whose volume no brain has excludes the scan. Writes the mask and a picture with its outline.
"""

from mri2pet.exclusion import run_stage
from mri2pet.imaging.qcplots import draw
from mri2pet.imaging.skullstrip import brain_mask
from mri2pet.imaging.volume import like, load_volume, save_volume, voxel_volume_ml
from mri2pet.provenance.record import recorded

source, made, params = snakemake.input, snakemake.output, snakemake.params


def work():
    image = load_volume(source.image)
    mask = brain_mask(image, params.tool, tuple(params.limits_ml))
    save_volume(made.mask, like(image, mask))
    volume = float(mask.sum() * voxel_volume_ml(image))
    draw(made.picture, image, f"Brain mask by {params.tool}, {volume:.0f} ml", [mask])
    return {"Type": "Brain", "Tool": params.tool, "BrainVolumeMl": round(volume, 1)}


with recorded(snakemake):
    run_stage(
        "skullstrip",
        work,
        sidecar=made.sidecar,
        outputs=[made.mask, made.picture],
        sources=[source.image],
        upstream=[source.sidecar],
    )
