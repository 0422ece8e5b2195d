"""Make Table I of GLA-GAN or Table 1 of DUAL-GLOW: image quality, beside the published one.

From the metrics of all models and folds: mean and sd over folds; held-out visits of the groups
learnt from count. Beside them how often and for how many steps each model was trained.
"""

from functools import partial

from mri2pet.evaluation.budgets import steps_of, with_steps
from mri2pet.evaluation.image_tables import image_table, pool, read_published
from mri2pet.evaluation.printed import with_printed
from mri2pet.evaluation.repeats import with_repeats
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    published = read_published(given.published, params.table)
    make = partial(
        image_table,
        models=params.models,
        published=published,
        groups=params.groups,
        system=params.system,
    )
    table = with_repeats(pool([*given.metrics, *given.repeated]), make, params.models)
    table = with_steps(table, steps_of(given.histories, params.starts))
    write_tsv(snakemake.output[0], with_printed(table, published))
