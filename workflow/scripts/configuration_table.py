"""Make Table 1 of the anomaly paper beside the published one, and the tests between its rows.

From the image metrics and LPIPS of all models and folds: mean and sd over people, and Wilcoxon
signed-rank tests.
"""

from mri2pet.evaluation.configurations import configuration_table, pair_tests
from mri2pet.evaluation.image_tables import pool, read_published
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    values = pool([*given.metrics, *given.lpips])
    published = read_published(given.published, "1")
    write_tsv(snakemake.output.table, configuration_table(values, params.models, published))
    write_tsv(snakemake.output.tests, pair_tests(values, list(params.models)))
