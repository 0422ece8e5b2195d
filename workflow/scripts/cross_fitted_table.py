"""Make the table of diagnosis learnt from synthetic PET, or by harmonised features.

From the predictions of all methods and folds, on Paired and on Complete. What was tested on fewer
visits has a part of its own, with the others on the same.
"""

import pandas as pd

from mri2pet.evaluation.image_tables import diagnosis_table, pool
from mri2pet.evaluation.same_visits import table_of_parts
from mri2pet.evaluation.three_way import NO_PUBLISHED
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting.comparisons import DATASETS

with recorded(snakemake):
    params = snakemake.params
    positive, models = params.positive, params.models
    tables = [
        table_of_parts(
            pool(snakemake.input[dataset.lower()]),
            f"{dataset}, {params.get('words', 'cross-fitted')}",
            lambda rows, name: diagnosis_table(rows, name, positive, models, NO_PUBLISHED),
        )
        for dataset in DATASETS
    ]
    write_tsv(snakemake.output[0], pd.concat(tables, ignore_index=True))
