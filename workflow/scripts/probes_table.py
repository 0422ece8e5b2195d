"""Make the table of what linear probes find of age, sex and diagnosis in the MRI's codes.

From the predictions of held-out people of every model; those from the MRI itself, which stand with
each model, count once.
"""

import pandas as pd

from mri2pet.evaluation.probe_scores import probe_table
from mri2pet.files import read_tsv, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    tables = [read_tsv(path, dtype={"subject": str, "visit": str}) for path in snakemake.input]
    predictions = pd.concat(tables, ignore_index=True)
    keys = ["method", "source", "attribute", "subject", "visit"]
    write_tsv(snakemake.output[0], probe_table(predictions.drop_duplicates(keys)))
