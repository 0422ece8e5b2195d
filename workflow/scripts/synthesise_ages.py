"""Synthesise the PET of one fold's held-out visits at several ages, all else as it is.

From the MRI, each person's sex and diagnosis and the generator's weights: the mean of every region
at every age as a table, and the volumes of one visit, the one whose error is the fold's median.
"""

import numpy as np
import pandas as pd
import torch

from mri2pet.datasets.selection import synthesis_rows
from mri2pet.evaluation.regions import SET_AGE, region_values
from mri2pet.files import atomic, read_tsv, write_json, write_tsv
from mri2pet.models.registry import side_information
from mri2pet.provenance.record import recorded
from mri2pet.reporting.cases import typical_case
from mri2pet.synthesis.whole_volume import load_generator, synthesise
from mri2pet.training.settings import choose_device

TEXT = {"subject": str, "visit": str}

with recorded(snakemake):
    given, params, output = snakemake.input, snakemake.params, snakemake.output
    torch.set_num_threads(snakemake.threads)
    model, fold = snakemake.wildcards.model, int(snakemake.wildcards.fold)
    visits, folds = (read_tsv(path, dtype=TEXT) for path in (given.visits, given.folds))
    rows = synthesis_rows(visits, folds, fold).query("role == 'test'").reset_index(drop=True)
    case = typical_case(read_tsv(given.metrics, dtype=TEXT).assign(method=model), [model])
    same = (rows["subject"] == case.subject) & (rows["visit"] == case.visit)
    place = int(np.flatnonzero(same).item())
    names = read_tsv(given.names)["name"].to_list()
    mri, mask, atlas = np.load(given.mri, mmap_mode="r"), np.load(given.mask), np.load(given.atlas)
    brains = [mri[i] for i in rows["index"]]
    generator = load_generator(params.generator, given.weights)
    side = side_information(params.generator).tensors(rows)
    tables, volumes = [], np.zeros((len(params.ages), *mask.shape), np.float32)
    for number, age in enumerate(params.ages):
        told = side | {"age": torch.full((len(rows),), float(age))}
        pet = synthesise(
            generator, brains, mask, device=choose_device(), crop=params.crop, side=told
        )
        volumes[number] = pet[place]
        at_age = rows.assign(age=float(age))
        tables.append(region_values(at_age, pet, mask, atlas, names, model, SET_AGE, fold))
    with atomic(output.pet) as partial:
        np.save(partial, volumes)
    person = rows.loc[place, ["subject", "visit", "group", "age", "sex"]].to_dict()
    write_json(output.person, person | {"fold": fold, "ages": list(params.ages)})
    write_tsv(output.regions, pd.concat(tables, ignore_index=True))
