"""Measure LPIPS of the held-out visits of all models and folds.

From the synthetic PET of each model and fold, the dataset's real PET, its brain mask and the
pretrained weights: a table a model and fold, one row a visit. Without weights the values are
missing, and the unit says why.
"""

import numpy as np
import torch

from mri2pet.datasets.gaps import read_seen
from mri2pet.evaluation.lpips import load_lpips, lpips_of_visits
from mri2pet.files import read_tsv, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    torch.set_num_threads(snakemake.threads)
    network = load_lpips(given.weights)
    real, mask = np.load(given.real, mmap_mode="r"), np.load(given.mask)
    seen = read_seen(given.seen)
    jobs = zip(given.visits, given.synthetic, snakemake.output, params.folds, strict=True)
    for visits, synthetic, output, fold in jobs:
        rows = read_tsv(visits, dtype={"subject": str, "visit": str})
        volumes = np.load(synthetic, mmap_mode="r")
        told = network, given.weights, seen
        table = lpips_of_visits(rows, real, volumes, mask, fold, *told)
        write_tsv(output, table)
