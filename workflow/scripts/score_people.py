"""Score patients and held-out controls at every voxel: one one-class SVM a voxel and fold.

Fold by fold, with its encoder and the controls it was trained on: the decision values of the
controls held out and of all patients. decisions.npy holds one map a person, visits.tsv says whose;
a patient's is the mean over the folds.
"""

import numpy as np
import torch

from mri2pet.anomaly.fold_scores import score_folds
from mri2pet.anomaly.scoring import decision_maps
from mri2pet.anomaly.training_sets import TEXT, asked_volumes, split_folds, training_volumes
from mri2pet.datasets.gaps import read_seen
from mri2pet.files import atomic, read_tsv, write_tsv
from mri2pet.models.registry import build
from mri2pet.provenance.record import recorded
from mri2pet.training.settings import choose_device, make_deterministic

with recorded(snakemake):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    make_deterministic(snakemake.threads)
    visits, folds = (read_tsv(path, dtype=TEXT) for path in (given.visits, given.folds))
    pet, mask = np.load(given.pet, mmap_mode="r"), np.load(given.mask)
    network, device = build(params.network), choose_device()
    seen = read_seen(given.seen)
    synthetic, tables = list(given.synthetic), list(given.synthetic_visits)

    def generated(fold):
        """Return the table of the synthetic PET that a fold learns from."""
        return read_tsv(tables[fold % len(tables)], dtype=TEXT) if tables else None

    def score(fold, people, asked):
        """Return the decision values of those that a fold is asked for."""
        weights = torch.load(given.weights[fold], map_location="cpu", weights_only=True)
        network.load_state_dict(weights)
        added = {"visits": visits, "mask": mask, **params.added}
        known = training_volumes(pet, people.training, synthetic, tables, fold, seen, **added)
        volumes = asked_volumes(pet, asked, people.training, seen)
        return decision_maps(network.eval(), known, volumes, mask, device=device, **params.svm)

    parts = split_folds(folds, params.splits)
    table, decisions = score_folds(visits, parts, len(given.weights), score, generated)
    write_tsv(made.visits, table)
    with atomic(made.decisions) as partial:
        np.save(partial, decisions)
