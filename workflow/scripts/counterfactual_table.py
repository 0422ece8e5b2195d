"""Make the table of whether models that are told another age or diagnosis show what would be there.

From the regional means at set ages and diagnoses of every model and fold, and the simulation's own.
"""

import pandas as pd

from mri2pet.evaluation.counterfactual import counterfactual_table
from mri2pet.files import read_tsv, write_tsv
from mri2pet.provenance.record import recorded

TEXT = {"subject": str, "visit": str}

with recorded(snakemake):
    made = [read_tsv(path, dtype=TEXT) for path in snakemake.input.made]
    truth = read_tsv(snakemake.input.truth, dtype=TEXT)
    table = counterfactual_table(pd.concat(made, ignore_index=True), truth)
    write_tsv(snakemake.output[0], table)
