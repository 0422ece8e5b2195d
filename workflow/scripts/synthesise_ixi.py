"""Synthesise the other contrast of the people to validate and to test on, with one generator.

From overlapping patches, averaged where they overlap: the volumes as one array, the table of their
rows, and a folder of BIDS-named NIfTI files.
"""

import numpy as np
import torch

from mri2pet.datasets.ixi_pack import of_split
from mri2pet.files import read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.synthesis.whole_volume import load_generator
from mri2pet.synthesis.write_contrast import write_contrast
from mri2pet.training.patch_batches import synthesise_volumes
from mri2pet.training.settings import choose_device

with recorded(snakemake):
    given, output, params = snakemake.input, snakemake.output, snakemake.params
    torch.set_num_threads(snakemake.threads)
    visits = read_tsv(given.visits, dtype={"subject": str, "visit": str})
    rows = of_split(visits, "val", "test")
    volumes = np.load(given.source, mmap_mode="r")
    generator = load_generator(params.generator, given.weights).to(choose_device())
    patches = params.patches
    made = synthesise_volumes(
        generator,
        (volumes[i] for i in rows["index"]),
        patches["size"],
        patches["stride"],
        patches["batch"],
    )
    write_contrast(
        made,
        rows,
        model=snakemake.wildcards.model,
        target=params.target,
        description=given.description,
        sources=[given.source, given.weights],
        array=output.made,
        table=output.visits,
        nifti=output.nifti,
    )
