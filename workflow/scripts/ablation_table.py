"""Make the table of one ablation: image quality and diagnosis of the base model and its variants.

From their image metrics and their predictions on Paired and Complete, beside what the paper
printed of the base. Beside the image quality how often and for how many steps each was trained.
"""

from functools import partial

import pandas as pd

from mri2pet.evaluation.budgets import steps_of, with_steps
from mri2pet.evaluation.image_tables import diagnosis_table, image_table, pool, read_published
from mri2pet.evaluation.repeats import with_repeats
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    published = {number: read_published(given.published, number) for number in ("I", "II", "III")}
    make = partial(
        image_table, models=params.models, published=published["I"], groups=params.groups
    )
    tables = [with_repeats(pool([*given.metrics, *given.repeated]), make, params.models)]
    for number, dataset in (("II", "Paired"), ("III", "Complete")):
        predictions = pool(given[dataset.lower()])
        tables.append(
            diagnosis_table(predictions, dataset, params.positive, params.models, published[number])
        )
    table = pd.concat(tables, ignore_index=True)
    write_tsv(snakemake.output[0], with_steps(table, steps_of(given.histories, params.starts)))
