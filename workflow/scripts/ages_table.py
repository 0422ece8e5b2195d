"""Make the table of how much regional PET changes a decade, with 95% intervals.

From the regional means over age of every model with side information: slopes of real PET and of
synthetic PET over people's own age, and of synthetic PET over the age that the generator was told.
"""

import pandas as pd

from mri2pet.evaluation.ageing import slope_table
from mri2pet.evaluation.regions import BRAIN, check_regions
from mri2pet.files import read_tsv, write_tsv
from mri2pet.provenance.record import recorded

TEXT = {"subject": str, "visit": str}

with recorded(snakemake):
    params = snakemake.params
    values = pd.concat([read_tsv(path, dtype=TEXT) for path in snakemake.input], ignore_index=True)
    # the real PET stands in the table of every model
    values = values.drop_duplicates(["method", "curve", "subject", "visit", "age", "region"])
    check_regions(params.regions, values["region"].unique().tolist())
    regions = list(dict.fromkeys([BRAIN, *params.regions]))
    write_tsv(snakemake.output[0], slope_table(values, regions, params.groups))
