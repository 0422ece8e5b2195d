"""Carry the normalised brain onto the grid of a space in one interpolation.

Through the affine to the template, and through the warp where the space has one; where the space is
only affine, the mask too. Where the networks have another grid (`model`), the brain is then resized
to it over the same field of view. Tissue maps that lie in MNI152 by the affine alone are carried
through the warp onto that grid.
"""

import numpy as np

from mri2pet.exclusion import run_stage
from mri2pet.imaging.resample import res2_grid, res15_grid, resample_brain, resize, spm_grid
from mri2pet.imaging.volume import load_transform, load_volume, save_volume
from mri2pet.imaging.warp import load_warp, resample_brain_through, resample_through
from mri2pet.provenance.record import recorded

TEMPLATE_GRIDS = {"res2": res2_grid, "res15": res15_grid}  # else SPM's box, by its voxel in mm

source, made, params = snakemake.input, snakemake.output, snakemake.params
tissues = [name for name in ("gm", "wm", "csf") if made.get(name)]


def work():
    named = TEMPLATE_GRIDS.get(params.grid)
    grid = named(load_volume(source.template)) if named else spm_grid(params.grid)
    affine = load_transform(source.affine)
    warp = load_warp(source.warp) if source.get("warp") else None
    brain, mask = load_volume(source.image), load_volume(source.mask)
    if warp:
        brain = resample_brain_through(brain, mask, affine, warp, grid)
    else:
        brain, mask = resample_brain(brain, mask, affine, grid)
        save_volume(made.mask, mask)
    save_volume(made.image, brain)
    if made.get("model"):
        brain = resize(brain, tuple(params.model))
        save_volume(made.model, brain)
    for name in tissues:
        tissue = resample_through(load_volume(source[name]), np.eye(4), warp, brain, order=1)
        save_volume(made[name], tissue)
    return {"SkullStripped": True, "Space": "MNI152NLin6Asym", **params.about}


with recorded(snakemake):
    names = [name for name in ("image", "mask", "affine", "warp", *tissues) if source.get(name)]
    run_stage(
        params.stage,
        work,
        sidecar=made.sidecar,
        outputs=[path for name, path in made.items() if name != "sidecar"],
        sources=[source[name] for name in names],
        upstream=[source.sidecar],
    )
