"""Make the synthetic PET of one person's T1 with a bundle: in MNI152 and on the grid of the T1.

From the preprocessed maps of the MRI, the transforms of the person and what the cohort table says
of them: mean PET and its spread over the generators, regional uptake against the training's
controls, pictures and a page. A person whose MRI was excluded leaves empty files and the reason.
"""

import torch

from mri2pet.bundles.apply import apply_bundle, save_applied
from mri2pet.bundles.bundle import load_bundle
from mri2pet.exclusion import run_stage
from mri2pet.files import read_json, write_json
from mri2pet.imaging.volume import array, load_transform, load_volume
from mri2pet.imaging.warp import load_warp
from mri2pet.provenance.record import recorded
from mri2pet.reporting.applied import write_person

source, made, params = snakemake.input, snakemake.output, snakemake.params
images = [name for name in ("spread", "mean_t1", "spread_t1", "draws") if made.get(name)]


def work():
    torch.set_num_threads(snakemake.threads)
    bundle = load_bundle(source.bundle)
    maps = [array(load_volume(path)) for path in source.maps]
    measures = read_json(source.qc).get("Measures", {})
    found = apply_bundle(bundle, maps, params.person, measures, params.limits)
    to_template = load_transform(source.affine) @ load_transform(source.to_acpc)
    warp = load_warp(source.warp) if source.warp else None
    told = save_applied(found, source.t1w, to_template, warp, dict(made.items()))
    write_person(
        made.page, params.name, found, bundle.about, {"T1": made.picture, "PET": made.heat}
    )
    about = {"Units": "arbitrary", "Model": params.model, "Bundle": params.identity}
    what = f"Synthetic PET by {bundle.about['label']}"
    for name in images:
        write_json(
            made[f"{name}_sidecar"], about | {"Description": f"{what}: {params.words[name]}"}
        )
    return about | {"Description": f"{what}: mean over the generators"} | told


with recorded(snakemake):
    run_stage(
        "apply_person",
        work,
        sidecar=made.sidecar,
        outputs=[path for name, path in made.items() if name != "sidecar"],
        sources=[*source.maps, source.t1w, source.affine, source.to_acpc],
        upstream=[source.sidecar],
    )
