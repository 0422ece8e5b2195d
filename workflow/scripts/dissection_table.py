"""Rank the feature maps of all folds by the IoU with their best region.

From the folds' tables of every unit, side and region: one row a unit.
"""

import pandas as pd

from mri2pet.files import read_tsv, write_tsv
from mri2pet.interpretation.units import best_regions
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    tables = pd.concat(map(read_tsv, snakemake.input), ignore_index=True)
    write_tsv(snakemake.output[0], best_regions(tables))
