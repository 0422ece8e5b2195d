"""Pack T2 and PD of all people with a part in the split: arrays, and the table of their rows.

What a stage has excluded is left out and listed in excluded_scans.tsv.
"""

from mri2pet.datasets.ixi_pack import pack_ixi
from mri2pet.files import read_tsv
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    given = snakemake.input
    cohort = read_tsv(given.cohort, dtype={"subject": str, "visit": str})
    rows = cohort[cohort["split"].notna()].reset_index(drop=True)
    pack_ixi(rows, {"t2": given.t2, "pd": given.pd}, given.sidecars, snakemake.output)
