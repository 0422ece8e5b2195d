"""Make Table II or III: diagnosis with every model's PET, beside the published one.

From the predictions of all methods and folds on one dataset.
"""

from mri2pet.evaluation.image_tables import diagnosis_table, pool, read_published
from mri2pet.evaluation.printed import with_printed
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    params = snakemake.params
    published = read_published(snakemake.input.published, params.table)
    table = diagnosis_table(
        pool(snakemake.input.predictions),
        params.dataset,
        params.positive,
        params.models,
        published,
    )
    write_tsv(snakemake.output[0], with_printed(table, published))
