"""Write those rows of the cohort table that models can be trained on.

They come as parameters and not as a file: another row of the cohort table is then no reason to
pack, and to train, again.
"""

import pandas as pd

from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    write_tsv(snakemake.output[0], pd.DataFrame(snakemake.params.rows))
