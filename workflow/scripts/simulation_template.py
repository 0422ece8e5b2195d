"""Make the anatomy that all simulated people are deformations of, once for all of their jobs.

Brings the tissue maps and AAL to the grid of the T1 of resources/atlases/; writes the volumes as
arrays that can be mapped into memory, and template.json.
"""

from pathlib import Path

from mri2pet.provenance.record import recorded
from mri2pet.simulation.template import make_template, save_template

with recorded(snakemake):
    template = make_template(Path(snakemake.input.t1).parent)
    save_template(Path(snakemake.output.about).parent, template)
