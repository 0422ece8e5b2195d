"""Simulate one person of IXI: T2, PD and, where it is configured, T1, under IXI's own names.

Deforms the template anatomy into the person's head and scans it. Writes
results/simulated/IXI/IXI-*/{name}-*.nii.gz, and the tissue in each voxel of T2 and PD apart.
"""

from pathlib import Path

from mri2pet.provenance.record import recorded
from mri2pet.simulation.ixi_people import simulate_ixi_subject
from mri2pet.simulation.people import Person
from mri2pet.simulation.template import load_template

with recorded(snakemake):
    output = snakemake.output
    images = {"T2": output.t2, "PD": output.pd}
    if snakemake.params.scanner["t1_voxel_mm"]:
        images["T1"] = output[2]
    simulate_ixi_subject(
        template=load_template(Path(snakemake.input.about).parent),
        t2=snakemake.input.t2,
        person=Person.from_dict(snakemake.params.person),
        scanner=snakemake.params.scanner,
        images=images,
        truth=output.truth,
    )
