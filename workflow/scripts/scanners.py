"""Tell on which scanner each visit of a dataset was made, and at which site.

From the cohort table and the sidecars of the converted scans, which keep maker and model of the
headers: one row a visit. What they do not tell is n/a.
"""

from mri2pet.datasets.scanners import scanner_table
from mri2pet.files import read_tsv, write_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given = snakemake.input
    visits = read_tsv(given.cohort, dtype=str)
    table = scanner_table(
        visits, given.get("mri", []), given.get("pet", []), snakemake.params.sites
    )
    write_tsv(snakemake.output[0], table)
