"""Write the tables that come with a download of the simulated cohort.

Plans the people from the configuration alone and writes the collection's list of images and the
ADNIMERGE-like table of visits to results/simulated/ADNI/. No image is made.
"""

from pathlib import Path

from mri2pet.provenance.record import recorded
from mri2pet.simulation.adni_tables import write_tables
from mri2pet.simulation.people import plan_people

with recorded(snakemake):
    people = plan_people(snakemake.params.people, snakemake.params.seed)
    write_tables(people, snakemake.params.pet_frames, Path(snakemake.output.collection).parent)
