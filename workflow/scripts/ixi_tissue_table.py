"""Make IXI's table of tissue overlap from what was measured on each person to test on.

Mean and sd are over people, the t-test pairs them; one part a direction.
"""

import pandas as pd

from mri2pet.evaluation.contrast_tables import contrast_table
from mri2pet.evaluation.image_tables import read_published
from mri2pet.files import read_tsv, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given = snakemake.input
    values = pd.concat([read_tsv(path, dtype={"subject": str}) for path in given.metrics])
    published = read_published(given.published, "ixi")
    write_tsv(snakemake.output[0], contrast_table(values, snakemake.params.models, published))
