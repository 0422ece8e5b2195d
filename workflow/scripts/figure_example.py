"""Draw MRI, synthetic PET of two models and real PET of one held-out control (Figure 2).

The case is the most ordinary one: the control whose mean absolute error, averaged over the two
models, is the median (the lower one of two).
"""

import numpy as np

from mri2pet.datasets.gaps import measured, read_seen
from mri2pet.evaluation.image_tables import pool
from mri2pet.files import read_json, read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting.cases import read_volume, typical_case
from mri2pet.reporting.figures import save
from mri2pet.reporting.synthesis_figures import example_figure

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    case = typical_case(pool(given.metrics), list(params.labels))
    dataset = read_tsv(given.dataset, dtype={"subject": str, "visit": str})
    same = (dataset["subject"] == case.subject) & (dataset["visit"] == case.visit)
    row = dataset.loc[same, "index"].item()
    figure = example_figure(
        np.load(given.mri, mmap_mode="r")[row],
        {
            label: read_volume(given.synthetic, given.visits, model, case)
            for model, label in params.labels.items()
        },
        np.load(given.real, mmap_mode="r")[row],
        measured(np.load(given.mask), read_seen(given.seen), row),
        np.array(read_json(given.description)["affine"]),
        f"{case.subject} {case.visit}, held out in fold {case.fold}",
        params.note,
    )
    save(figure, snakemake.output[0])
