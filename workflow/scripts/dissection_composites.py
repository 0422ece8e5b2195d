"""List the feature maps of all folds that overlap best with each composite region.

From the folds' tables of every unit, side and composite region: the best units of each region.
"""

import pandas as pd

from mri2pet.files import read_tsv, write_tsv
from mri2pet.interpretation.units import best_units
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    tables = pd.concat(map(read_tsv, snakemake.input), ignore_index=True)
    write_tsv(snakemake.output[0], best_units(tables))
