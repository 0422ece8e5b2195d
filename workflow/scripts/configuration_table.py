"""Make Table 1 of the anomaly paper beside the published one, and the tests between its rows.

From the image metrics and LPIPS of all models and folds: mean and sd over people, and Wilcoxon
signed-rank tests. Beside them how often and for how many steps each model was trained.
"""

from functools import partial

from mri2pet.evaluation.budgets import steps_of, with_steps
from mri2pet.evaluation.configurations import configuration_table, pair_tests
from mri2pet.evaluation.image_tables import pool, read_published
from mri2pet.evaluation.printed import with_printed
from mri2pet.evaluation.repeats import with_repeats
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    first, published = [*given.metrics, *given.lpips], read_published(given.published, "1")
    make = partial(configuration_table, models=params.models, published=published)
    table = with_repeats(pool([*first, *given.repeated]), make, list(params.models))
    table = with_steps(table, steps_of(given.histories, params.starts))
    write_tsv(snakemake.output.table, with_printed(table, published))
    write_tsv(snakemake.output.tests, pair_tests(pool(first), list(params.models), published))
