"""Gather every scan that any stage has left out, and why, in one table.

From what the cohort stage ruled out by the tables alone, and what each space of preprocessing has
left out: results/cohort/excluded_scans.tsv. Those that were not converted are named in .bidsignore,
since results/bids/ has empty files in their places.
"""

from mri2pet.bids_output import ignored_files
from mri2pet.datasets.pack import pool_exclusions
from mri2pet.files import atomic, read_tsv, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    tables = [read_tsv(path, dtype=str) for path in snakemake.input]
    excluded = pool_exclusions(*tables)
    write_tsv(snakemake.output.table, excluded)
    with atomic(snakemake.output.ignored) as partial:
        lines = ignored_files(excluded.to_dict("records"))
        partial.write_text("".join(f"{line}\n" for line in lines))
