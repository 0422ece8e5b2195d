"""Gather every scan that any stage has left out, and why, in one table.

From what the cohort stage ruled out by the tables alone, and what each space of preprocessing has
left out: results/cohort/excluded_scans.tsv.
"""

from mri2pet.datasets.pack import pool_exclusions
from mri2pet.files import read_tsv, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    tables = [read_tsv(path, dtype=str) for path in snakemake.input]
    write_tsv(snakemake.output[0], pool_exclusions(*tables))
