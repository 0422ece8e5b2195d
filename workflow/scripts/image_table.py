"""Make Table I of GLA-GAN or Table 1 of DUAL-GLOW: image quality, beside the published one.

From the metrics of all models and folds: mean and sd over folds; held-out visits of the groups
learnt from count.
"""

from mri2pet.evaluation.image_tables import image_table, pool, read_published
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    table = image_table(
        pool(given.metrics),
        params.models,
        read_published(given.published, params.table),
        params.groups,
        params.system,
    )
    write_tsv(snakemake.output[0], table)
