"""Make the table of diagnosis and regional errors with uptake on several scales.

From the predictions and errors of all methods, each of all folds and scales.
"""

from mri2pet.evaluation.image_tables import pool
from mri2pet.evaluation.scaling_table import scaling_table
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    table = scaling_table(
        pool(given.predictions), pool(given.errors), params.positive, params.models
    )
    write_tsv(snakemake.output[0], table)
