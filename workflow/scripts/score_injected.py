"""Put lesions of known depth into held-out controls' PET, and find them as patients' are found.

Fold by fold, with its encoder and what that was trained on: each control held out is scored with
every lesion at every depth, and at depth 0, which is the control's own PET. injected.tsv has a row
a person, lesion and depth.
"""

import numpy as np
import pandas as pd
import torch

from mri2pet.anomaly import training_sets as sets
from mri2pet.anomaly.clusters import ClusterSettings
from mri2pet.anomaly.injected_scores import Others, find_injected, injected_maps
from mri2pet.anomaly.injection import make_sites
from mri2pet.datasets.gaps import measured, read_seen
from mri2pet.files import read_json, read_tsv, write_tsv
from mri2pet.models.registry import build
from mri2pet.provenance.record import recorded
from mri2pet.training.settings import choose_device, make_deterministic

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    make_deterministic(snakemake.threads)
    tables = given.visits, given.folds, given.scored
    visits, folds, scored = (read_tsv(path, dtype=sets.TEXT) for path in tables)
    folds = sets.split_folds(folds, params.splits)
    pet, decisions = (np.load(path, mmap_mode="r") for path in (given.pet, given.decisions))
    mask, atlas, seen = np.load(given.mask), np.load(given.atlas), read_seen(given.seen)
    affine = np.array(read_json(given.description)["affine"])
    names = read_tsv(given.regions).set_index("index")["name"].to_dict()
    sites = make_sites(params.injection, mask, atlas, names, affine)
    depths = [0.0, *params.injection["depths"]]
    network, device, found = build(params.network), choose_device(), []
    controls, settings = scored[scored["role"] == "control"], ClusterSettings.of(params.clusters)
    for fold, weights in enumerate(given.weights):
        people = sets.fold_people(visits, folds, fold)
        network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        files = given.synthetic, given.synthetic_visits
        added = {"visits": visits, "mask": mask, **params.added}
        known = sets.training_volumes(pet, people.training, *files, fold, seen, **added)
        volumes = sets.asked_volumes(pet, people.held_out, people.training, seen)
        for volume, who in zip(volumes, people.held_out.to_dict("records"), strict=True):
            (own,) = scored.index[scored["dataset_index"] == who["index"]]
            rest = controls[controls["subject"] != who["subject"]]
            parts = [measured(mask, seen, row) for row in rest["dataset_index"]]
            others = Others(rest["subject"], decisions[rest.index], parts)
            limit = others.limit(mask, affine, params.scores, settings)
            part = measured(mask, seen, who["index"])
            for site in sites:
                about = site, depths, mask
                one = network.eval(), known, volume, decisions[own]
                maps = injected_maps(*one, *about, params.svm, device)
                how = affine, params.scores, settings, part, limit
                found.append(find_injected(who, maps, others, *about, *how))
    write_tsv(snakemake.output.found, pd.concat(found, ignore_index=True))
