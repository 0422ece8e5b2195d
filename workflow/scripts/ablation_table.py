"""Make the table of one ablation: image quality and diagnosis of the base model and its variants.

From their image metrics and their predictions on Paired and Complete, beside what the paper
printed of the base. Of methods that are no models the image metrics alone are read, for the gap
that models close. Beside the image quality how often and for how many steps each was trained.
"""

from functools import partial

import pandas as pd

from mri2pet.evaluation.budgets import steps_of, with_steps
from mri2pet.evaluation.image_tables import (
    REFERENCES,
    diagnosis_table,
    image_table,
    pool,
    read_published,
)
from mri2pet.evaluation.repeats import with_repeats
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    published = {number: read_published(given.published, number) for number in ("I", "II", "III")}
    make = partial(
        image_table, models=params.models, published=published["I"], groups=params.groups
    )
    metrics = pool([*given.metrics, *given.references, *given.repeated])
    quality = with_repeats(metrics, make, params.models)
    tables = [quality[~quality["method"].isin(REFERENCES)]]
    for number, dataset in (("II", "Paired"), ("III", "Complete")):
        predictions = pool(given[dataset.lower()])
        tables.append(
            diagnosis_table(predictions, dataset, params.positive, params.models, published[number])
        )
    table = pd.concat(tables, ignore_index=True)
    write_tsv(snakemake.output[0], with_steps(table, steps_of(given.histories, params.starts)))
