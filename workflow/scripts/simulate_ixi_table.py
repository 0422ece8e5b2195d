"""Write the table of people that comes with the simulated IXI.

Plans the people from the configuration alone and writes results/simulated/IXI/IXI.csv, the sheet
of IXI.xls. No image is made.
"""

from mri2pet.provenance.record import recorded
from mri2pet.simulation.ixi_people import plan_ixi, write_ixi_table

with recorded(snakemake):
    plan = plan_ixi(snakemake.params.people, snakemake.params.seed)
    write_ixi_table([person for person, _ in plan], snakemake.output[0])
