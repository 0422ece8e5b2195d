"""Make the cohort table of the epilepsy study from a BIDS folder.

Reads participants.tsv and the names of the folder's files, and writes results/cohort/epilepsy.tsv,
one row a person, and results/cohort/epilepsy_exclusions.tsv with what is left out. No image is
opened.
"""

from mri2pet.cohorts.bids import build_cohort
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    table, exclusions = build_cohort(
        snakemake.params.raw, snakemake.input.participants, snakemake.params.images
    )
    write_tsv(snakemake.output.exclusions, exclusions)
    write_tsv(snakemake.output.table, table)
