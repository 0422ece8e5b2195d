"""Strip the skull and scale the brain to 0..1 by robust percentiles inside its mask."""

from mri2pet.exclusion import run_stage
from mri2pet.imaging.intensity import PERCENTILES, normalise
from mri2pet.imaging.volume import array, like, load_volume, save_intensities
from mri2pet.provenance.record import recorded

source, made = snakemake.input, snakemake.output


def work():
    image, mask = load_volume(source.image), load_volume(source.mask)
    save_intensities(made.image, like(image, normalise(array(image), array(mask) > 0)))
    return {"SkullStripped": True, "Percentiles": list(PERCENTILES), "Range": [0, 1]}


with recorded(snakemake):
    run_stage(
        "normalise",
        work,
        sidecar=made.sidecar,
        outputs=[made.image],
        sources=[source.image, source.mask],
        upstream=[source.sidecar],
    )
