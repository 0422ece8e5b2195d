"""Register the normalised brain to MNI152 with twelve degrees of freedom.

Writes the transform of points from AC-PC space to MNI152, and a picture of the brain in MNI152
under the outline of the template's brain.
"""

import numpy as np

from mri2pet.exclusion import run_stage
from mri2pet.imaging.qcplots import draw
from mri2pet.imaging.register import brain_to_template
from mri2pet.imaging.resample import res2_grid, resample
from mri2pet.imaging.volume import array, load_transform, load_volume, save_transform
from mri2pet.provenance.record import recorded

source, made = snakemake.input, snakemake.output


def work():
    brain, template = load_volume(source.image), load_volume(source.template)
    mask = load_volume(source.brain)
    matrix = brain_to_template(brain, template, mask, load_transform(source.initial))
    save_transform(made.transform, matrix)
    grid = res2_grid(mask)
    placed = resample(brain, matrix, grid.affine, grid.shape, order=1)
    draw(made.picture, placed, "In MNI152, outline of the template's brain", [array(grid) > 0])
    return {
        "From": "AC-PC",
        "To": "MNI152NLin6Asym",
        "DegreesOfFreedom": 12,
        "Scales": np.linalg.svd(matrix[:3, :3])[1].round(4),
    }


with recorded(snakemake):
    run_stage(
        "register_mri",
        work,
        sidecar=made.sidecar,
        outputs=[made.transform, made.picture],
        sources=[source.image, source.initial, source.template, source.brain],
        upstream=[source.sidecar],
    )
