"""Dissect the global path of one fold's generator over the fold's held-out visits.

From the MRI, the atlas, the brain mask and the weights: one row a feature map, side and region
with IoU, what chance gives, and how far the map in the region tells the two groups apart. A second
table has the same of composite regions: cortex, subcortical grey matter, cerebellum, ventricles.
"""

import numpy as np
import pandas as pd
import torch

from mri2pet.datasets.brain_box import brain_box
from mri2pet.datasets.selection import synthesis_rows
from mri2pet.files import read_tsv, write_tsv
from mri2pet.interpretation.composites import (
    VENTRICLES,
    aal_alone,
    composite_tables,
    with_ventricles,
)
from mri2pet.interpretation.dissection import Brain, dissect, global_path
from mri2pet.interpretation.units import layer_tables
from mri2pet.provenance.record import recorded
from mri2pet.synthesis.whole_volume import load_generator
from mri2pet.training.settings import choose_device

with recorded(snakemake):
    given, params, fold = snakemake.input, snakemake.params, int(snakemake.wildcards.fold)
    torch.set_num_threads(snakemake.threads)
    visits, folds = (read_tsv(path, dtype={"subject": str}) for path in (given.visits, given.folds))
    rows = synthesis_rows(visits, folds, fold).query("role == 'test'")
    names = read_tsv(given.names)["name"].to_list()
    atlas, mask = np.load(given.atlas), np.load(given.mask)
    box = brain_box(mask, params.crop)
    fluid = np.load(given.csf, mmap_mode="r").mean(0)
    labels = with_ventricles(atlas[box], mask[box], fluid[box])
    brain = Brain.of(labels, mask[box], VENTRICLES, choose_device())
    mri = np.load(given.mri, mmap_mode="r")
    path = global_path(load_generator(params.generator, given.weights))
    layers = dissect(path, [mri[i][box] for i in rows["index"]], brain)
    groups = rows["group"].to_numpy()
    classes = groups, params.positive, params.negative
    tables = layer_tables(fold, list(map(aal_alone, layers)), *classes, names, params.top)
    write_tsv(snakemake.output.regions, pd.concat(tables, ignore_index=True))
    sizes = np.bincount(labels[mask[box]], minlength=VENTRICLES + 1)[1:]
    joined = composite_tables(fold, layers, sizes, *classes, params.top)
    write_tsv(snakemake.output.composites, joined)
