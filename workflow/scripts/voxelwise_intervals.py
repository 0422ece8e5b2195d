"""Measure the intervals of PET that tell each voxel by itself: the row that a flow must beat.

From the dataset's PET and the folds: mean and sd of each voxel over all people of the training
folds, as a Gaussian and by Student's t, and what their intervals hold of the visits of the fold
that is held out. The same two tables, a fold each, as a flow's draws have; empty where a fold has
too few people for an sd.
"""

import logging

import numpy as np

from mri2pet.datasets.gaps import measured, read_seen
from mri2pet.datasets.selection import synthesis_rows, training_rows
from mri2pet.evaluation.visit_intervals import VisitIntervals
from mri2pet.evaluation.voxelwise import FEWEST, Voxelwise
from mri2pet.files import read_tsv, write_tsv
from mri2pet.provenance.record import recorded

log = logging.getLogger("mri2pet")

with recorded(snakemake):
    given, output, params = snakemake.input, snakemake.output, snakemake.params
    kinds = {"subject": str, "visit": str}
    visits, folds = (read_tsv(path, dtype=kinds) for path in (given.visits, given.folds))
    pet, mask = np.load(given.pet, mmap_mode="r"), np.load(given.mask).astype(bool)
    seen, student = read_seen(given.seen), snakemake.wildcards.method == "voxel_t"
    numbers = range(len(output.coverage))
    learnt = [training_rows(visits, folds, fold, params.groups)["index"] for fold in numbers]
    enough = min(map(len, learnt)) >= FEWEST
    if not enough:
        log.warning("a fold has fewer than %d visits to learn from: no sd of a voxel", FEWEST)
    for fold, paths in enumerate(zip(output.coverage, output.scores, strict=True)):
        found, training = VisitIntervals(fold), learnt[fold].to_numpy()
        asked = synthesis_rows(visits, folds, fold).query("role == 'test'")
        if enough:
            known = None if seen is None else seen[training]
            voxels = Voxelwise.of(pet[training] * mask, student, known)
        for visit in asked.itertuples() if enough else ():
            real, inside = pet[visit.index], measured(mask, seen, visit.index)
            key = {"subject": visit.subject, "visit": visit.visit, "group": visit.group}
            whole = bool((inside == mask).all())
            scores = voxels.scores(real * mask, inside, params.seed, whole)
            found.test(key, real[inside], *voxels.interval(inside), scores)
        for path, table in zip(paths, found.tables(), strict=True):
            write_tsv(path, table)
