"""Make the table and the figure of the three-way diagnosis, on Paired and on Complete.

From the predictions of all methods and folds: metrics in the form of Tables II and III, and the
confusion matrices of what was tested on all visits, pooled over folds.
"""

import pandas as pd

from mri2pet.evaluation.image_tables import REFERENCES, pool
from mri2pet.evaluation.same_visits import parts_of
from mri2pet.evaluation.three_way import confusion, three_way_table
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting.captions import THREE_WAY
from mri2pet.reporting.comparisons import DATASETS, confusion_figure
from mri2pet.reporting.figures import save

with recorded(snakemake):
    params = snakemake.params
    tables, counts = [], {}
    for dataset in DATASETS:
        parts = parts_of(pool(snakemake.input[dataset.lower()]), dataset)
        made = [
            three_way_table(rows, name, params.groups, params.models)
            for name, rows in parts.items()
        ]
        tables += made
        counts[dataset] = {
            {**REFERENCES, **params.labels}[method]: confusion(rows, params.groups)
            for method in made[0]["method"].unique()
            for rows in [parts[dataset][parts[dataset]["method"] == method]]
        }
    write_tsv(snakemake.output.table, pd.concat(tables, ignore_index=True))
    figure = confusion_figure(counts, params.groups, THREE_WAY[0], params.note)
    save(figure, snakemake.output.figure)
