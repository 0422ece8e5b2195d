"""Judge one person's PET by the bundle of a detector: a map of scores, and ranked clusters.

From the PET and the MRI on the detector's grid, the transforms of the person and what the cohort
table says: volumes in MNI152 and on the grid of the T1, the table of clusters, a picture and a
page. A person whose scans were excluded leaves empty files and the reason.
"""

import torch

from mri2pet.bundles.apply_detector import judge, save_judged
from mri2pet.bundles.detector import load_detector
from mri2pet.exclusion import run_stage
from mri2pet.files import read_json, write_json
from mri2pet.imaging.volume import array, load_transform, load_volume
from mri2pet.imaging.warp import load_warp
from mri2pet.provenance.record import recorded
from mri2pet.reporting.applied import write_judged

source, made, params = snakemake.input, snakemake.output, snakemake.params


def work():
    torch.set_num_threads(snakemake.threads)
    detector = load_detector(source.bundle)
    pet, seen = array(load_volume(source.pet)), array(load_volume(source.seen)) > 0.5
    measures = read_json(source.qc).get("Measures", {})
    found = judge(detector, pet, seen, params.person, measures, params.limits)
    to_template = load_transform(source.affine) @ load_transform(source.to_acpc)
    told = save_judged(found, source.t1w, to_template, load_warp(source.warp), dict(made.items()))
    write_judged(
        made.page, params.name, found.clusters, found.remarks, detector.about, made.picture
    )
    about = {"Units": "arbitrary", "Detector": params.model, "Bundle": params.identity}
    for name, words in params.words.items():
        write_json(made[f"{name}_sidecar"], about | {"Description": words})
    return about | {"Description": "Clusters of a PET that are unlike controls, ranked"} | told


with recorded(snakemake):
    run_stage(
        "judge_person",
        work,
        sidecar=made.sidecar,
        outputs=[path for name, path in made.items() if name != "sidecar"],
        sources=[source.pet, source.seen, source.t1w, source.affine, source.to_acpc],
        upstream=[source.sidecar],
    )
