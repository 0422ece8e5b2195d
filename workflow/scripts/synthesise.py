"""Synthesise PET with one trained generator: for its held-out visits and those with an MRI alone.

From the dataset's MRI array, the folds and the generator's weights: the PET volumes as one array,
the table of their visits, and a folder of BIDS-named NIfTI files. A generator with side information
is told each person's own.
"""

import numpy as np
import torch

from mri2pet.files import read_tsv
from mri2pet.inference.volume import load_generator, synthesise
from mri2pet.inference.write import write_synthesis
from mri2pet.models.registry import side_information
from mri2pet.provenance.record import recorded
from mri2pet.training.rows import synthesis_rows
from mri2pet.training.settings import choose_device

with recorded(snakemake):
    given, output = snakemake.input, snakemake.output
    torch.set_num_threads(snakemake.threads)
    visits, folds = (read_tsv(path, dtype={"subject": str}) for path in (given.visits, given.folds))
    rows = synthesis_rows(visits, folds, int(snakemake.wildcards.fold))
    mri = np.load(given.mri, mmap_mode="r")
    side = side_information(snakemake.params.generator)
    pet = synthesise(
        load_generator(snakemake.params.generator, given.weights),
        [mri[i] for i in rows["index"]],
        np.load(given.mask),
        device=choose_device(),
        crop=snakemake.params.crop,
        side=None if side is None else side.tensors(rows),
    )
    write_synthesis(
        pet,
        rows,
        model=snakemake.wildcards.model,
        description=given.description,
        sources=[given.mri, given.weights],
        array=output.pet,
        table=output.visits,
        nifti=output.nifti,
        space=snakemake.params.space,
    )
