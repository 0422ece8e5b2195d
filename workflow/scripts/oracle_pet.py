"""Make the best PET that can be told from one simulated visit's MRI, in one space.

The noise-free image of the expected uptake (results/simulated/truth) lies as the visit's PET, or as
its T1 where no PET can be used, and goes through the transforms that the run has estimated for that
scan. It is scaled as the real PET of the space is.
"""

from pathlib import Path

import numpy as np

from mri2pet.exclusion import is_excluded, run_stage
from mri2pet.files import read_json
from mri2pet.imaging.intensity import reference_region
from mri2pet.imaging.resample import on_grid, res2_grid, res15_grid, resample
from mri2pet.imaging.volume import array, load_transform, load_volume, save_volume
from mri2pet.imaging.warp import load_warp
from mri2pet.provenance.record import recorded
from mri2pet.simulation.oracle import best_pet, to_anomaly, to_linear, to_nonlinear
from mri2pet.simulation.template import load_template
from mri2pet.simulation.truth import load_truth

source, made, params = snakemake.input, snakemake.output, snakemake.params


def placed(pet, matrix):
    brain = load_volume(source.brain)
    if params.space == "linear":
        grid = res2_grid(brain)
        labels, inside = on_grid(load_volume(source.atlas), grid), array(grid) > 0
        region = reference_region(params.reference, labels, inside)
        return to_linear(pet, matrix, grid, region, params.ceiling)
    warp = load_warp(source.warp)
    if params.space == "nonlinear":
        mean, shape = read_json(source.linear)["Measures"]["reference_mean"], tuple(params.grid)
        return to_nonlinear(pet, matrix, warp, res15_grid(brain), mean, params.ceiling, shape)
    grid = load_volume(source.image)
    return to_anomaly(pet, matrix, warp, resample(brain, np.eye(4), grid.affine, grid.shape, 1))


def work():
    truth = load_truth(Path(source.truth) / params.visit)
    pet = best_pet(load_template(Path(source.about).parent), truth, in_pet, params.voxel_mm)
    image, measures = placed(pet, load_transform(source.affine) @ load_transform(rigid))
    save_volume(made.image, image)
    return {"Space": "MNI152NLin6Asym", "Pose": "PET" if in_pet else "T1w", "Measures": measures}


with recorded(snakemake):
    in_pet = bool(source.rigid) and is_excluded(source.pet_sidecar) is None
    rigid = source.rigid if in_pet else source.to_acpc
    truth_file = Path(source.truth) / params.visit / "truth.json"
    run_stage(
        f"oracle_{params.space}",
        work,
        sidecar=made.sidecar,
        outputs=[made.image],
        sources=[truth_file, rigid, source.affine, *filter(None, [source.get("warp")])],
        upstream=[source.mri_sidecar],
    )
