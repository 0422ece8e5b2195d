"""Synthesise PET with one trained generator: for its held-out visits and those with an MRI alone.

From the dataset's MRI array, the folds and the generator's weights: the PET volumes as one array,
the table of their visits, and a folder of BIDS-named NIfTI files. A generator with side information
is told each person's own; one of slices or patches has its volumes stacked; what the training chose
to smooth is smoothed.
"""

import numpy as np
import torch

from mri2pet.datasets.parts import Parts
from mri2pet.datasets.selection import synthesis_rows
from mri2pet.files import read_json, read_tsv
from mri2pet.models.registry import side_information
from mri2pet.provenance.record import recorded
from mri2pet.synthesis.smoothing import smooth, voxel_size
from mri2pet.synthesis.stack_parts import synthesise_parts
from mri2pet.synthesis.whole_volume import load_generator, synthesise
from mri2pet.synthesis.write import write_synthesis
from mri2pet.training.settings import choose_device

with recorded(snakemake):
    given, output, params = snakemake.input, snakemake.output, snakemake.params
    torch.set_num_threads(snakemake.threads)
    visits, folds = (read_tsv(path, dtype={"subject": str}) for path in (given.visits, given.folds))
    rows = synthesis_rows(visits, folds, int(snakemake.wildcards.fold))
    array, mask = np.load(given.mri, mmap_mode="r"), np.load(given.mask)
    mri = [array[i] for i in rows["index"]]
    parts, device = Parts.of(params.model), choose_device()
    generator = load_generator(params.model["generator"], given.weights)
    if parts is not None:
        pet = synthesise_parts(generator, mri, mask, parts, device, params.crop)
    else:
        side = side_information(params.model["generator"])
        told = None if side is None else side.tensors(rows)
        pet = synthesise(generator, mri, mask, device=device, crop=params.crop, side=told)
    if width := read_json(given.chosen)["smoothing_fwhm_mm"]:
        voxel = voxel_size(read_json(given.description)["affine"])
        pet = np.stack([smooth(volume, width, voxel, mask) for volume in pet])
    write_synthesis(
        pet,
        rows,
        model=snakemake.wildcards.model,
        description=given.description,
        sources=[given.mri, given.weights, given.chosen],
        array=output.pet,
        table=output.visits,
        nifti=output.nifti,
        space=params.space,
    )
