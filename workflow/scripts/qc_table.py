"""Gather what quality control has measured of every scan, with the limits, in one table."""

from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded
from mri2pet.reporting.qc_measures import qc_measures

with recorded(snakemake):
    write_tsv(snakemake.output[0], qc_measures(snakemake.input))
