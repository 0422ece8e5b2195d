"""Measure intervals by repeated trainings of a model, whose generators give one PET of an MRI each.

From the synthetic PET of a fold by each training, and their generators, which are asked for the
people held out inside the training folds as well: these tell how much wider than the trainings
differ the intervals must be, and with enough of them by which factor. The other folds' generators
are not asked: they have seen the people tested. The same two tables as a flow's draws have.
"""

import numpy as np
import torch

from mri2pet.datasets.gaps import read_seen
from mri2pet.datasets.selection import synthesis_rows
from mri2pet.evaluation.ensembles import measure_ensemble
from mri2pet.files import read_json, read_tsv, write_json, write_tsv
from mri2pet.provenance.record import recorded
from mri2pet.synthesis.by_entry import synthesise_rows
from mri2pet.synthesis.smoothing import voxel_size
from mri2pet.synthesis.write import affine_of
from mri2pet.training.settings import choose_device

with recorded(snakemake):
    given, output, params = snakemake.input, snakemake.output, snakemake.params
    torch.set_num_threads(snakemake.threads)
    kinds = {"subject": str, "visit": str}
    visits, folds = (read_tsv(path, dtype=kinds) for path in (given.visits, given.folds))
    fold = int(snakemake.wildcards.fold)
    chosen = [read_json(path) for path in given.chosen]
    people = chosen[0]["validation"]
    held = visits[visits["subject"].isin(people) & (visits["kind"] == "paired")]
    mask = np.load(given.mask).astype(bool)
    common = {
        "voxel_mm": voxel_size(affine_of(read_json(given.description), 0)),
        "device": choose_device(),
        "crop": params.crop,
    }
    of_held = [
        synthesise_rows(
            *(params.model, weights, [given.source, *given.further], held, mask),
            **common,
            fwhm_mm=own["smoothing_fwhm_mm"],
        )
        for weights, own in zip(given.weights, chosen, strict=True)
    ]
    tested = synthesis_rows(visits, folds, fold)
    of_tested = [np.load(path, mmap_mode="r") for path in given.synthetic]
    measures, calibration = measure_ensemble(
        *(fold, np.load(given.pet, mmap_mode="r"), mask, read_seen(given.seen)),
        held=(held, of_held),
        tested=(tested, of_tested),
    )
    for path, table in zip((output.coverage, output.scores), measures, strict=True):
        write_tsv(path, table)
    write_json(output.calibration, {"people": people, **calibration})
