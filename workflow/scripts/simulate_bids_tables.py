"""Write the tables of the simulated dementia study in its BIDS form.

Plans the people from the configuration alone and writes participants.tsv, its description,
dataset_description.json, README, and the tables of visits and scans in the participants' folders.
No image is made.
"""

from pathlib import Path

from mri2pet.provenance.record import recorded
from mri2pet.simulation.bids_tables import write_bids_tables
from mri2pet.simulation.people import plan_people

with recorded(snakemake):
    people = plan_people(snakemake.params.people, snakemake.params.seed)
    write_bids_tables(people, Path(snakemake.output.participants).parent)
