"""Synthesise the PET of one fold's held-out visits at several ages, all else as it is.

From the MRI, each person's sex and diagnosis and the generator's weights: the mean of every region
at every age as a table, which marks ages outside the training people's, and the volumes of one
visit, the one whose error is the fold's median. Another table holds the same of two diagnoses.
"""

import numpy as np
import pandas as pd
import torch

from mri2pet.datasets.selection import synthesis_rows
from mri2pet.evaluation.regions import SET_AGE, SET_DIAGNOSIS, region_values
from mri2pet.files import atomic, read_json, read_tsv, write_json, write_tsv
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
    side = side_information(params.generator)
    learnt = visits["subject"].isin(read_json(given.chosen)["training"])
    learnt = visits[learnt & (visits["kind"] == "paired")]
    youngest, oldest = (float(end) for end in learnt["age"].agg(["min", "max"]))

    def told(curve, **column):
        asked = side.tensors(rows.assign(**column))
        pet = synthesise(
            generator, brains, mask, device=choose_device(), crop=params.crop, side=asked
        )
        means = region_values(rows.assign(**column), pet, mask, atlas, names, model, curve, fold)
        outside = curve == SET_AGE and ~means["age"].between(youngest, oldest)
        return pet[place], means.assign(outside=outside)

    volumes, tables = zip(*(told(SET_AGE, age=float(age)) for age in params.ages), strict=True)
    groups = [told(SET_DIAGNOSIS, group=group)[1] for group in params.diagnoses]
    with atomic(output.pet) as partial:
        np.save(partial, np.stack(volumes))
    person = rows.loc[place, ["subject", "visit", "group", "age", "sex"]].to_dict()
    person |= {"fold": fold, "ages": list(params.ages), "trained_ages": [youngest, oldest]}
    write_json(output.person, person)
    write_tsv(output.regions, pd.concat(tables, ignore_index=True))
    write_tsv(output.diagnoses, pd.concat(groups) if groups else tables[0].iloc[:0])
