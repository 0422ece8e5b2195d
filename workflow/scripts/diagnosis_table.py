"""Make Table II or III: diagnosis with every model's PET, beside the published one.

From the predictions of all methods and folds on one dataset. What was tested on fewer visits has a
part of its own, with the others on the same.
"""

from mri2pet.evaluation.image_tables import diagnosis_table, pool, read_published
from mri2pet.evaluation.printed import with_printed
from mri2pet.evaluation.same_visits import table_of_parts
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    params = snakemake.params
    published = read_published(snakemake.input.published, params.table)
    table = table_of_parts(
        pool(snakemake.input.predictions),
        params.dataset,
        lambda rows, name: diagnosis_table(rows, name, params.positive, params.models, published),
    )
    write_tsv(snakemake.output[0], with_printed(table, published))
