"""Synthesise volumes with one trained generator: its held-out visits, and those with an MRI alone.

Or, where the rule asks for them, the patients of the anomaly dataset. From the dataset's array of
sources (a local regression is shown further ones), the folds (or the split) and the generator's
weights: the volumes as one array, the table of their visits, and a folder of BIDS-named NIfTI
files. A generator with side information is told each person's own; one of slices or patches has its
volumes stacked; what the training chose to smooth is smoothed.
"""

import numpy as np
import torch

from mri2pet.datasets.parts import Parts
from mri2pet.datasets.selection import held_out, patient_rows, refuse_seen, synthesis_rows
from mri2pet.datasets.volumes import Volumes
from mri2pet.files import read_json, read_tsv
from mri2pet.models.registry import side_information
from mri2pet.provenance.record import recorded
from mri2pet.synthesis.smoothing import smooth, voxel_size
from mri2pet.synthesis.stack_parts import synthesise_parts
from mri2pet.synthesis.whole_volume import load_generator, synthesise
from mri2pet.synthesis.write import affine_of, write_synthesis
from mri2pet.training.settings import choose_device

with recorded(snakemake):
    given, output, params = snakemake.input, snakemake.output, snakemake.params
    torch.set_num_threads(snakemake.threads)
    visits = read_tsv(given.visits, dtype={"subject": str})
    folds = read_tsv(given.folds, dtype={"subject": str}) if given.folds else None
    fold, patients = held_out(snakemake.wildcards.fold), params.get("patients")
    rows = patient_rows(visits) if patients else synthesis_rows(visits, folds, fold)
    chosen = read_json(given.chosen)
    refuse_seen(rows, chosen, snakemake.wildcards.model)
    sources = Volumes([given.source, *given.further], rows["index"])
    mask = np.load(given.mask)
    parts, device = Parts.of(params.model), choose_device()
    generator = load_generator(params.model["generator"], given.weights)
    if parts is not None:
        made = synthesise_parts(generator, sources, mask, parts, device, params.crop)
    else:
        side = side_information(params.model["generator"])
        told = None if side is None else side.tensors(rows)
        made = synthesise(generator, sources, mask, device=device, crop=params.crop, side=told)
    if width := chosen["smoothing_fwhm_mm"]:
        voxel = voxel_size(affine_of(read_json(given.description), 0))
        made = np.stack([smooth(volume, width, voxel, mask) for volume in made])
    write_synthesis(
        made,
        rows,
        model=snakemake.wildcards.model,
        description=given.description,
        sources=[given.source, *given.further, given.weights, given.chosen],
        array=output.made,
        table=output.visits,
        nifti=output.nifti,
        space=params.space,
        tracer=params.tracer,
        target=params.target,
    )
