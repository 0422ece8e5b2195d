"""Carry the raw PET through rigid, affine and warp in one interpolation, and scale its uptake.

To MNI152 at 1.5 mm, then resized to the networks' grid (config dual_glow.grid). The uptake is
divided by what the linear space has measured for this scan (the mean of the reference region, and
the ceiling), so that one scan has one unit in both spaces. What the PET has not measured of the
brain is zero, and told by the mask `seen`.
"""

from mri2pet.exclusion import run_stage
from mri2pet.files import read_json
from mri2pet.imaging.field_of_view import field_of_view, resize_seen
from mri2pet.imaging.intensity import divide_uptake
from mri2pet.imaging.qc import verdict
from mri2pet.imaging.resample import res15_grid, resize
from mri2pet.imaging.volume import array, like, load_scan, load_transform, load_volume, save_volume
from mri2pet.imaging.warp import load_warp, resample_through
from mri2pet.provenance.record import recorded

source, made, params = snakemake.input, snakemake.output, snakemake.params


def work():
    linear = read_json(source.linear_sidecar)
    mean, ceiling = linear["Measures"]["reference_mean"], linear["Ceiling"]
    grid = res15_grid(load_volume(source.brain))
    brain = array(grid) > 0.5
    matrix = load_transform(source.affine) @ load_transform(source.rigid)
    warp = load_warp(source.warp)
    field = field_of_view(load_scan(source.pet), matrix, grid, brain, warp)
    share = field.share(brain)
    limits = {key: limit for key, limit in params.limits.items() if key == "min_brain_seen"}
    verdict({"brain_seen": share}, limits)
    pet = array(resample_through(field.pet, matrix, warp, grid, where=brain))
    scaled, clipped = divide_uptake(pet, mean, brain & field.seen, ceiling)
    save_volume(made.res15, like(grid, scaled))
    save_volume(made.model, resize(like(grid, scaled), tuple(params.grid)))
    save_volume(made.seen, resize_seen(like(grid, field.seen), tuple(params.grid)))
    return {key: linear[key] for key in ("Space", "Reference", "Ceiling", "Units")} | {
        "Measures": {"reference_mean": mean, "clipped_fraction": clipped, "brain_seen": share},
        "Limits": limits,
    }


with recorded(snakemake):
    run_stage(
        "resample_pet_nonlinear",
        work,
        sidecar=made.sidecar,
        outputs=[made.res15, made.model, made.seen],
        sources=[source.pet, source.rigid, source.affine, source.warp],
        upstream=[source.linear_sidecar, source.warp_sidecar],
    )
