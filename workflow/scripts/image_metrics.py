"""Measure the synthetic PET of held-out visits against the real one: SSIM, PSNR and MAE.

From one model's synthetic PET of each fold, the dataset's real PET and its brain mask: one table a
fold, one row a visit and metric. Volumes are memory-mapped.
"""

import numpy as np

from mri2pet.evaluation.image_metrics import measure_visits
from mri2pet.files import read_tsv, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given = snakemake.input
    real, mask = np.load(given.real, mmap_mode="r"), np.load(given.mask)
    jobs = zip(given.visits, given.synthetic, snakemake.output, strict=True)
    for fold, (visits, synthetic, output) in enumerate(jobs):
        rows = read_tsv(visits, dtype={"subject": str, "visit": str})
        volumes = np.load(synthetic, mmap_mode="r")
        write_tsv(output, measure_visits(rows, real, volumes, mask, fold))
