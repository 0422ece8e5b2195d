"""Measure the synthetic volumes of held-out visits against the real ones by the table of metrics.

From one model's synthetic volumes of each fold, the dataset's real ones, its mask and what its
intensities are (dataset.json): one table a fold, one row a visit and metric. Volumes are
memory-mapped.
"""

import numpy as np

from mri2pet.datasets.gaps import read_seen
from mri2pet.evaluation.image_metrics import measure_visits
from mri2pet.files import read_json, read_tsv, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given = snakemake.input
    real, mask = np.load(given.real, mmap_mode="r"), np.load(given.mask)
    scale = read_json(given.description).get("intensity", "uptake")
    seen = read_seen(given.get("seen"))
    jobs = zip(given.visits, given.synthetic, snakemake.output, strict=True)
    for fold, (visits, synthetic, output) in enumerate(jobs):
        rows = read_tsv(visits, dtype={"subject": str, "visit": str})
        volumes = np.load(synthetic, mmap_mode="r")
        write_tsv(output, measure_visits(rows, real, volumes, mask, fold, scale, seen))
