"""Write the tables of the simulated epilepsy study: participants.tsv and what BIDS asks beside it.

Plans the people from the configuration alone; no image is made. What no reader may know stands in a
table of the truth: each patient's stratum, and the lesion's depth and size.
"""

from pathlib import Path

import pandas as pd

from mri2pet.files import write_tsv
from mri2pet.provenance.record import recorded
from mri2pet.simulation.epilepsy_people import Member, lesions, write_tables

with recorded(snakemake):
    members = [Member.from_dict(values) for values in snakemake.params.members]
    write_tables(members, Path(snakemake.output.participants).parent)
    write_tsv(snakemake.output.truth, pd.DataFrame(lesions(members)))
