"""Make the cohort table of the epilepsy study from a BIDS folder.

Reads participants.tsv and the names of the folder's files, and writes results/cohort/epilepsy.tsv,
one row a person, and results/cohort/epilepsy_exclusions.tsv with what is left out. No image is
opened.
"""

from pathlib import Path

from mri2pet.cohorts.bids.reader import read
from mri2pet.cohorts.roles import check_roles
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    study = snakemake.params.study
    table, exclusions = read(Path(study["raw"]), study, snakemake.params.images)
    write_tsv(snakemake.output.exclusions, exclusions)
    check_roles(table, study)
    write_tsv(snakemake.output.table, table)
