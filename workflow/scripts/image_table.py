"""Make Table I: image quality of every model, mean and sd over folds, beside the published one."""

from mri2pet.evaluation.tables import image_table, pool, read_published
from mri2pet.files import write_tsv
from mri2pet.logs import log_to

with log_to(snakemake.log[0]):
    table = image_table(
        pool(snakemake.input.metrics),
        snakemake.params.models,
        read_published(snakemake.input.published, "I"),
    )
    write_tsv(snakemake.output[0], table)
