"""Draw PETs of a fold's held-out visits: their mean, their standard deviation, their coverage.

From the dataset's MRI and PET, the folds and the weights of a generator that can draw: voxelwise
mean and standard deviation, a volume a test visit, in the order in which the visits stand in the
table of coverage. That has a row a visit and interval: how many of the brain's voxels have their
real PET between order statistics of the draws, and how many should.
"""

import numpy as np
import pandas as pd
import torch

from mri2pet.datasets.gaps import measured, read_seen
from mri2pet.datasets.selection import synthesis_rows
from mri2pet.files import atomic, read_tsv, write_tsv
from mri2pet.models.registry import side_information
from mri2pet.provenance.record import recorded
from mri2pet.synthesis.draws import coverage, draw_pets
from mri2pet.synthesis.whole_volume import load_generator
from mri2pet.training.data import seed_from
from mri2pet.training.settings import choose_device

with recorded(snakemake):
    given, output, params = snakemake.input, snakemake.output, snakemake.params
    torch.set_num_threads(snakemake.threads)
    model, fold = snakemake.wildcards.model, int(snakemake.wildcards.fold)
    kinds = {"subject": str, "visit": str}
    visits, folds = (read_tsv(path, dtype=kinds) for path in (given.visits, given.folds))
    rows = synthesis_rows(visits, folds, fold)
    rows = rows[rows["role"] == "test"].reset_index(drop=True)
    mri, pet = (np.load(path, mmap_mode="r") for path in (given.mri, given.pet))
    mask, device = np.load(given.mask).astype(bool), choose_device()
    generator = load_generator(params.generator, given.weights).to(device)
    seen = read_seen(given.seen)
    side = side_information(params.generator)
    means, sds, table = [], [], []
    for position, visit in enumerate(rows.itertuples(index=False)):
        person = None if side is None else side.tensors(rows.iloc[[position]])
        seed = seed_from(params.seed, model, fold, visit.subject, visit.visit)
        options = (params.temperature, person, device)
        draws = draw_pets(generator, mri[visit.index], mask, params.draws, seed, *options)
        means.append(draws.mean(axis=0, dtype=np.float64))
        sds.append(draws.std(axis=0, ddof=1, dtype=np.float64))
        key = {"fold": fold, "subject": visit.subject, "visit": visit.visit}
        key["temperature"] = params.temperature
        inside = measured(mask, seen, visit.index)
        table += [key | row for row in coverage(draws[:, inside], pet[visit.index][inside])]
    for path, volumes in ((output.mean, means), (output.sd, sds)):
        with atomic(path) as partial:
            np.save(partial, np.array(volumes, np.float32))
    write_tsv(output.coverage, pd.DataFrame(table))
