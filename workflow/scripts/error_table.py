"""Make Table 2 of DUAL-GLOW: diagnosis by real and by synthetic PET, beside the published one.

From the predictions of all methods and folds, by one protocol: accuracy, false negatives and false
positives.
"""

from mri2pet.evaluation.image_tables import error_table, pool, read_published
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    published = read_published(given.published, "2")
    predictions = pool(given.predictions)
    table = error_table(predictions, params.models, published)
    write_tsv(snakemake.output[0], table.assign(dataset=params.dataset))
