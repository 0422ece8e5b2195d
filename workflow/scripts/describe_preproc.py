"""Write the dataset_description.json that makes a folder a BIDS dataset of derivatives."""

from pathlib import Path

from mri2pet.bids_output import derivative_description
from mri2pet.files import write_json
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    path = Path(snakemake.output.description)
    write_json(path, derivative_description(snakemake.params.name, path.parent))
