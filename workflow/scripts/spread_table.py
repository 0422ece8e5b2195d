"""Tell how much the PET that each training set adds differs between people, beside real PET.

For each set that adds PET and each fold of the generators: the standard deviation between the
people added over that between the fold's training controls, both as the detector sees them; and the
99.5th percentile of synthetic PET before it was scaled as real PET is.
"""

import numpy as np

from mri2pet.anomaly.added_pet import synthetic_volumes
from mri2pet.anomaly.spread import RATIO, TOP, between_people, spread_table
from mri2pet.anomaly.training_sets import TEXT, fold_people, training_volumes
from mri2pet.datasets.gaps import read_seen
from mri2pet.files import read_tsv, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    visits, folds = (read_tsv(path, dtype=TEXT) for path in (given.visits, given.folds))
    pet, mask, seen = np.load(given.pet, mmap_mode="r"), np.load(given.mask), read_seen(given.seen)
    generators = int(folds["fold"].max()) + 1
    paths, tables = iter(given.get("synthetic", [])), iter(given.get("synthetic_visits", []))
    found, people = {}, {}
    for name, entry in params.detectors.items():
        files, own = ([], []), {key: entry[key] for key in ("further", "match") if key in entry}
        if "synthetic" in entry:
            files = tuple([next(each) for _ in range(generators)] for each in (paths, tables))
        found[name] = []
        for fold in range(generators):
            rows = fold_people(visits, folds, fold).training
            about = {"visits": visits, "mask": mask, **own}
            volumes = training_volumes(pet, rows, *files, fold, seen, **about)
            real, added = volumes[: len(rows)], volumes[len(rows) :]
            values = {RATIO: between_people(added, mask) / between_people(real, mask)}
            if files[0]:
                tops = synthetic_volumes(files[0][fold], files[1][fold], visits, mask)[1]
                values[TOP] = float(np.mean(tops))
            found[name].append(values)
            people[name] = len(added)
    write_tsv(snakemake.output.table, spread_table(found, people))
