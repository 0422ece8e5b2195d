"""Register the normalised brain to MNI152 nonlinearly (SyN), from its affine on.

Writes the displacement field in ITK's form, what it maps and how well it fits, and a picture of
the warped brain under the outlines of the template's brain and of its white matter.
"""

from mri2pet.exclusion import run_stage
from mri2pet.imaging.qcplots import draw
from mri2pet.imaging.register import template_brain
from mri2pet.imaging.resample import res2_grid
from mri2pet.imaging.syn import WHITE, syn_to_template
from mri2pet.imaging.volume import array, load_transform, load_volume
from mri2pet.imaging.warp import resample_through, save_warp
from mri2pet.provenance.record import recorded

source, made, params = snakemake.input, snakemake.output, snakemake.params


def work():
    brain, affine = load_volume(source.image), load_transform(source.affine)
    template, mask = load_volume(source.template), load_volume(source.brain)
    settings = params.voxel_mm, params.iterations
    warp, measures = syn_to_template(brain, template, mask, affine, *settings)
    save_warp(made.warp, warp)
    grid = res2_grid(mask)
    placed = resample_through(brain, affine, warp, grid, order=1)
    white = array(res2_grid(template_brain(template, mask))) > WHITE
    title = "In MNI152 by SyN, outlines of the template"
    draw(made.picture, placed, title, [array(grid) > 0, white])
    return {
        "From": "AC-PC",
        "To": "MNI152NLin6Asym",
        "Mapping": "The MRI's value at the point x of MNI152 stands at the point "
        "inverse(A) (x + d(x)) of AC-PC space, d being this field and A the affine below: points "
        "of MNI152 go through the field first, then through the inverse of the affine.",
        "Affine": source.affine,
        "Displacements": "as ITK's: LPS, mm, trilinear between voxels, zero outside",
        "VoxelMm": params.voxel_mm,
        "Iterations": params.iterations,
        "Measures": measures,
    }


with recorded(snakemake):
    run_stage(
        "warp_mri",
        work,
        sidecar=made.sidecar,
        outputs=[made.warp, made.picture],
        sources=[source.image, source.affine, source.template, source.brain],
        upstream=[source.sidecar],
    )
