"""Write the tables of the simulated epilepsy study: participants.tsv and what BIDS asks beside it.

Plans the people from the configuration alone; no image is made.
"""

from pathlib import Path

from mri2pet.provenance.record import recorded
from mri2pet.simulation.epilepsy_people import Member, write_tables

with recorded(snakemake):
    members = [Member.from_dict(values) for values in snakemake.params.members]
    write_tables(members, Path(snakemake.output.participants).parent)
