"""Make IXI's table of image quality from what was measured, beside the published values.

Mean and sd are over people, the t-test pairs them; one part a direction and part of the split.
"""

from mri2pet.evaluation.contrast_tables import by_direction, contrast_table
from mri2pet.evaluation.image_tables import read_published
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given, directions = snakemake.input, snakemake.params.directions
    values = by_direction(given.metrics, directions)
    published = read_published(given.published, "ixi")
    write_tsv(snakemake.output[0], contrast_table(values, list(directions), published))
