"""Ask linear probes what a flow's codes of the MRI still hold of age, sex and diagnosis.

From the MRI and the weights of every fold: codes of the people that the generator has learnt from
and of those held out, probes fitted on the former, and their predictions of the latter.
"""

import numpy as np
import pandas as pd
import torch

from mri2pet.datasets.selection import synthesis_rows
from mri2pet.files import read_json, read_tsv, write_tsv
from mri2pet.interpretation.probes import probe_features, probe_fold
from mri2pet.provenance.record import recorded
from mri2pet.synthesis.whole_volume import load_generator
from mri2pet.training.settings import choose_device

TEXT = {"subject": str, "visit": str}

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    torch.set_num_threads(snakemake.threads)
    visits, folds = (read_tsv(path, dtype=TEXT) for path in (given.visits, given.folds))
    mri, mask = np.load(given.mri, mmap_mode="r"), np.load(given.mask)
    tables = []
    for fold, (weights, chosen) in enumerate(zip(given.weights, given.chosen, strict=True)):
        test = synthesis_rows(visits, folds, fold).query("role == 'test'")
        learnt = visits["subject"].isin(read_json(chosen)["training"])
        training = visits[learnt & (visits["kind"] == "paired")].assign(role="training")
        rows = pd.concat([training, test], ignore_index=True)
        generator = load_generator(params.generator, weights)
        images = [mri[i] for i in rows["index"]]
        features = probe_features(generator, images, mask, params.crop, choose_device())
        tables.append(probe_fold(features, rows, snakemake.wildcards.model, fold))
    write_tsv(snakemake.output[0], pd.concat(tables, ignore_index=True))
