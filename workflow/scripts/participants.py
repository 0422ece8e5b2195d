"""Write the tables that make results/bids/ a BIDS dataset.

From the cohort tables of the run's studies: participants.tsv with its column descriptions,
dataset_description.json and README.
"""

import pandas as pd

from mri2pet.conversion.sidecars import (
    PARTICIPANTS_SIDECAR,
    README,
    dataset_description,
    participants,
)
from mri2pet.files import atomic, read_tsv, write_json, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    cohort = pd.concat([read_tsv(path) for path in snakemake.input.tables], ignore_index=True)
    write_tsv(snakemake.output.participants, participants(cohort))
    write_json(snakemake.output.columns, PARTICIPANTS_SIDECAR)
    write_json(snakemake.output.description, dataset_description())
    with atomic(snakemake.output.readme) as partial:
        partial.write_text(README)
