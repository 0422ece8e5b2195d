"""Make Table I: image quality of every model, mean and sd over folds, beside the published one.

From the metrics of all models and folds; held-out visits of the groups learnt from count.
"""

from mri2pet.evaluation.tables import image_table, pool, read_published
from mri2pet.files import write_tsv
from mri2pet.logs import log_to

with log_to(snakemake.log[0]):
    table = image_table(
        pool(snakemake.input.metrics),
        snakemake.params.models,
        read_published(snakemake.input.published, "I"),
        snakemake.params.groups,
    )
    write_tsv(snakemake.output[0], table)
