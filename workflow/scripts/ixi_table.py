"""Make IXI's table of image quality from what was measured, beside the published values.

Mean and sd are over people, the t-test pairs them; one part a direction and part of the split.
Beside them how often and for how many steps each model was trained.
"""

from functools import partial

from mri2pet.evaluation.budgets import steps_of, with_steps
from mri2pet.evaluation.contrast_tables import by_direction, contrast_table
from mri2pet.evaluation.image_tables import read_published
from mri2pet.evaluation.repeats import with_repeats
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    models = list(params.directions)
    values = by_direction([*given.metrics, *given.repeated], params.directions)
    published = read_published(given.published, "ixi")
    make = partial(contrast_table, models=models, published=published)
    table = with_repeats(values, make, models)
    write_tsv(snakemake.output[0], with_steps(table, steps_of(given.histories, params.starts)))
