"""Draw source, target and all models' volumes of one person, with squared errors and edges.

The person is the most ordinary one to test on: whose mean absolute error, averaged over the models
of this direction, is the median (the lower one of two).
"""

import numpy as np

from mri2pet.evaluation.contrast_tables import by_direction
from mri2pet.evaluation.tissues import direction
from mri2pet.files import read_json, read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting.contrast_figures import errors_figure, ordinary_person
from mri2pet.reporting.figures import save

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    source, target = snakemake.wildcards.direction.split("_")
    where = direction(source, target)
    values = by_direction(given.metrics, params.directions)
    subject = ordinary_person(values, list(params.models), f"{where} test")
    visits = read_tsv(given.dataset, dtype={"subject": str})
    index = int(visits.loc[visits["subject"] == subject, "index"].item())
    made = {}
    for label, table, array in zip(params.models.values(), given.visits, given.made, strict=True):
        place = np.flatnonzero(read_tsv(table, dtype={"subject": str})["subject"] == subject)[0]
        made[label] = np.load(array, mmap_mode="r")[place]
    figure = errors_figure(
        np.load(given[source], mmap_mode="r")[index],
        np.load(given[target], mmap_mode="r")[index],
        made,
        np.array(read_json(given.description)["affines"][index]),
        f"{where.replace('-', ' to ')}: {subject}",
        params.note,
    )
    save(figure, snakemake.output[0])
