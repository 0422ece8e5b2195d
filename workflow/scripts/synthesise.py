"""Synthesise volumes with one trained generator: its held-out visits, and those with an MRI alone.

Or, where the rule asks for them, the patients of the anomaly dataset. From the dataset's array of
sources (a local regression is shown further ones), the folds (or the split) and the generator's
weights: the volumes as one array, the table of their visits, and a folder of BIDS-named NIfTI
files. A generator with side information is told each person's own; one of slices or patches has its
volumes stacked; what the training chose to smooth is smoothed.
"""

import numpy as np
import torch

from mri2pet.datasets.selection import held_out, patient_rows, refuse_seen, synthesis_rows
from mri2pet.files import read_json, read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.synthesis.by_entry import synthesise_rows
from mri2pet.synthesis.smoothing import voxel_size
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
    sources = [given.source, *given.further]
    made = synthesise_rows(
        *(params.model, given.weights, sources, rows, np.load(given.mask)),
        voxel_mm=voxel_size(affine_of(read_json(given.description), 0)),
        device=choose_device(),
        crop=params.crop,
        fwhm_mm=chosen["smoothing_fwhm_mm"],
    )
    write_synthesis(
        made,
        rows,
        model=snakemake.wildcards.model,
        description=given.description,
        sources=[*sources, given.weights, given.chosen],
        array=output.made,
        table=output.visits,
        nifti=output.nifti,
        space=params.space,
        tracer=params.tracer,
        target=params.target,
    )
