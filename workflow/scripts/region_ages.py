"""Gather regional means over age: of real PET, of a model's PET, and of that at other ages.

From the dataset's real PET, the model's PET of the held-out visits of all folds, and the tables of
the same visits at set ages: one table, one row a PET, visit, age and region.
"""

import numpy as np
import pandas as pd

from mri2pet.datasets.gaps import read_seen
from mri2pet.evaluation.regions import OWN_AGE, region_values
from mri2pet.files import read_tsv, write_tsv
from mri2pet.provenance.record import recorded

TEXT = {"subject": str, "visit": str}

with recorded(snakemake):
    given, model = snakemake.input, snakemake.wildcards.model
    mask, atlas = np.load(given.mask), np.load(given.atlas)
    grid = mask, atlas, read_tsv(given.names)["name"].to_list()
    real = np.load(given.real, mmap_mode="r")
    tables, seen = [], read_seen(given.seen)
    for fold, (table, volumes) in enumerate(zip(given.visits, given.synthetic, strict=True)):
        rows = read_tsv(table, dtype=TEXT)
        held_out = rows["role"] == "test"
        rows, made = rows[held_out], np.load(volumes, mmap_mode="r")[held_out.to_numpy()]
        own = [real[i] for i in rows["index"]]
        tables.append(region_values(rows, own, *grid, "real_pet", OWN_AGE, fold, seen))
        tables.append(region_values(rows, made, *grid, model, OWN_AGE, fold))
    tables += [read_tsv(path, dtype=TEXT) for path in given.ages]
    write_tsv(snakemake.output[0], pd.concat(tables, ignore_index=True))
