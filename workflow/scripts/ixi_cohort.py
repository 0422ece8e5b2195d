"""Make the cohort table of IXI and its exclusions from IXI.xls and the names of images.

Writes results/cohort/ixi.tsv, one row a person with any image, with the files (or archives and
members) of T1, T2 and PD and the part of the split, and results/cohort/ixi_exclusions.tsv. No
image is opened; of a simulated cohort, none need be there yet.
"""

from mri2pet.cohorts.ixi.ixi_reader import build_ixi, find_images
from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded
from mri2pet.simulation.ixi_people import planned_images

with recorded(snakemake):
    params = snakemake.params
    if params.simulated:
        images = planned_images(params.simulated, params.raw, params.t1)
    else:
        images = find_images(params.raw)
    cohort, exclusions = build_ixi(snakemake.input.table, images, params.split, params.seed)
    write_tsv(snakemake.output.exclusions, exclusions)
    write_tsv(snakemake.output.table, cohort)
