"""Score patients and held-out controls at every voxel: one one-class SVM a voxel and fold.

Fold by fold, with its encoder and the controls it was trained on: the decision values of the
controls held out and of all patients. decisions.npy holds one map a person, visits.tsv says whose;
a patient's is the mean over the folds.
"""

import numpy as np
import pandas as pd
import torch

from mri2pet.anomaly.scoring import decision_maps
from mri2pet.anomaly.training_sets import (
    TEXT,
    asked_volumes,
    fold_people,
    split_folds,
    training_volumes,
)
from mri2pet.datasets.gaps import read_seen
from mri2pet.files import atomic, read_tsv, write_tsv
from mri2pet.models.registry import build
from mri2pet.provenance.record import recorded
from mri2pet.training.settings import choose_device, make_deterministic

with recorded(snakemake):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    make_deterministic(snakemake.threads)
    visits, folds = (read_tsv(path, dtype=TEXT) for path in (given.visits, given.folds))
    folds = split_folds(folds, params.splits)
    pet, mask = np.load(given.pet, mmap_mode="r"), np.load(given.mask)
    network, device = build(params.network), choose_device()
    seen = read_seen(given.seen)
    controls, patients, total = [], None, 0.0
    for fold, weights in enumerate(given.weights):
        people = fold_people(visits, folds, fold)
        network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        files = given.synthetic, given.synthetic_visits
        added = {"visits": visits, "mask": mask, **params.added}
        known = training_volumes(pet, people.training, *files, fold, seen, **added)
        asked = pd.concat([people.held_out, people.patients])
        volumes = asked_volumes(pet, asked, people.training, seen)
        maps = decision_maps(network.eval(), known, volumes, mask, device=device, **params.svm)
        own = len(people.held_out)
        controls.append((people.held_out.assign(fold=fold), maps[:own]))
        patients, total = people.patients, total + maps[own:]
    table = pd.concat([*(rows for rows, _ in controls), patients], ignore_index=True)
    write_tsv(made.visits, table.drop(columns="index").assign(dataset_index=table["index"]))
    means = total / len(given.weights)
    with atomic(made.decisions) as partial:
        np.save(partial, np.concatenate([*(maps for _, maps in controls), means]))
