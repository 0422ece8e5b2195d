"""Measure the synthetic volumes of held-out visits against the real ones by the table of metrics.

From one model's synthetic volumes of each fold, the fold's Mean PET where there is one, the
dataset's real ones, its mask and what its intensities are (dataset.json): one table a fold, one row
a visit and metric. Volumes are memory-mapped.
"""

import numpy as np
import pandas as pd

from mri2pet.datasets.gaps import read_seen
from mri2pet.evaluation.differences import measure_differences
from mri2pet.evaluation.image_metrics import measure_visits
from mri2pet.files import read_json, read_tsv, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given = snakemake.input
    real, mask = np.load(given.real, mmap_mode="r"), np.load(given.mask)
    scale = read_json(given.description).get("intensity", "uptake")
    seen = read_seen(given.get("seen"))
    means = given.get("mean") or [None] * len(snakemake.output)
    jobs = zip(given.visits, given.synthetic, means, snakemake.output, strict=True)
    for fold, (visits, synthetic, mean, output) in enumerate(jobs):
        rows = read_tsv(visits, dtype={"subject": str, "visit": str})
        volumes = np.load(synthetic, mmap_mode="r")
        found = [measure_visits(rows, real, volumes, mask, fold, scale, seen)]
        if mean is not None:
            of_mean = np.load(mean, mmap_mode="r")
            found.append(measure_differences(rows, real, volumes, mask, fold, of_mean, seen))
        write_tsv(output, pd.concat(found, ignore_index=True))
