"""Draw mean and standard deviation over draws of one held-out PET, its error, and the coverage.

The visit is the one whose error is the median of all held-out ones. Coverage is of all of them.
"""

import numpy as np
import pandas as pd

from mri2pet.datasets.gaps import measured, read_seen
from mri2pet.evaluation.image_tables import pool
from mri2pet.files import read_json, read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting.cases import drawn_row, typical_case
from mri2pet.reporting.figures import save
from mri2pet.reporting.uncertainty_figures import uncertainty_figure

TEXT = {"subject": str, "visit": str}

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    case = typical_case(pool(given.metrics), [snakemake.wildcards.model])
    tables = [read_tsv(path, dtype=TEXT) for path in given.coverage]
    drawn = drawn_row(tables[case.fold], case)
    mean, sd = (np.load(paths[case.fold], mmap_mode="r")[drawn] for paths in (given.mean, given.sd))
    dataset = read_tsv(given.dataset, dtype=TEXT)
    same = (dataset["subject"] == case.subject) & (dataset["visit"] == case.visit)
    row = dataset.loc[same, "index"].item()
    figure = uncertainty_figure(
        np.load(given.real, mmap_mode="r")[row],
        mean,
        sd,
        measured(np.load(given.mask), read_seen(given.seen), row),
        np.array(read_json(given.description)["affine"]),
        pd.concat(tables, ignore_index=True),
        f"{params.label}: {case.subject} {case.visit}, {case.group}, held out in fold {case.fold}",
        params.note,
    )
    save(figure, snakemake.output[0])
