"""Score patients and held-out controls without an SVM, fold by fold as score_people.py does.

The PET less what is expected at the person's age, the PET less the person's synthetic PET, and
minus the error with which an encoder restores the PET: visits.tsv and decisions.npy of each.
"""

import numpy as np

from mri2pet.anomaly.fold_scores import score_folds
from mri2pet.anomaly.plain import PlainScores, Sources
from mri2pet.anomaly.training_sets import TEXT, split_folds
from mri2pet.datasets.gaps import read_seen
from mri2pet.files import atomic, read_tsv, write_tsv
from mri2pet.models.registry import build
from mri2pet.provenance.record import recorded
from mri2pet.training.settings import choose_device, make_deterministic

with recorded(snakemake):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    make_deterministic(snakemake.threads)
    visits, folds = (read_tsv(path, dtype=TEXT) for path in (given.visits, given.folds))
    names = [(model, fold) for model in params.subtracted for fold in range(params.generators)]
    files = zip(
        given.controls_pet,
        given.controls_visits,
        given.patients_pet,
        given.patients_visits,
        strict=True,
    )
    encoders = [(name, fold) for name in params.restoring for fold in range(params.held_out)]
    sources = Sources(
        pet=np.load(given.pet, mmap_mode="r"),
        seen=read_seen(given.seen),
        mask=np.load(given.mask),
        synthetic={key: (own[:2], own[2:]) for key, own in zip(names, files, strict=True)},
        encoders=dict(zip(encoders, given.weights, strict=True)),
        network=build(params.network),
        device=choose_device(),
    )
    parts = split_folds(folds, params.splits)
    outputs = zip(params.plain.values(), made.visits, made.decisions, strict=True)
    for entry, table_path, path in outputs:
        scores = PlainScores(entry, sources, params.generators)
        table, decisions = score_folds(visits, parts, params.held_out, scores)
        write_tsv(table_path, table)
        with atomic(path) as partial:
            np.save(partial, decisions)
