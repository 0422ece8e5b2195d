"""Draw real PET, synthetic PET and error map of one held-out case of a group, a row a model.

The case is the group's most ordinary one: of all its held-out visits, that whose mean absolute
error, averaged over the trained models, is the median (the lower one of two). Where nobody of the
group was held out there is no case, and the picture says so.
"""

import numpy as np

from mri2pet.datasets.gaps import measured, read_seen
from mri2pet.evaluation.image_tables import REFERENCES, pool
from mri2pet.files import read_json, read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting.brain_views import template_on
from mri2pet.reporting.cases import read_volume, typical_case
from mri2pet.reporting.figures import empty_figure, save
from mri2pet.reporting.synthesis_figures import synthesis_figure


def figure_of(case):
    given, params = snakemake.input, snakemake.params
    labels = REFERENCES | params.labels
    volumes = {
        labels[model]: read_volume(given.synthetic, given.visits, model, case)
        for model in [*params.models, *params.untrained]
    }
    dataset = read_tsv(given.dataset, dtype={"subject": str, "visit": str})
    same = (dataset["subject"] == case.subject) & (dataset["visit"] == case.visit)
    row = dataset.loc[same, "index"].item()
    mask, affine = np.load(given.mask), np.array(read_json(given.description)["affine"])
    return synthesis_figure(
        np.load(given.real, mmap_mode="r")[row],
        volumes,
        measured(mask, read_seen(given.seen), row),
        template_on(given.template, given.brain, affine, mask.shape),
        affine,
        f"{case.group}: {case.subject} {case.visit}, held out in fold {case.fold}",
        params.note,
    )


with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    values, group = pool(given.metrics), snakemake.wildcards.group
    if group in set(values["group"]):
        figure = figure_of(typical_case(values, params.models, group))
    else:
        figure = empty_figure(f"{group}: nobody of this group was held out", params.note)
    save(figure, snakemake.output[0])
