"""Diagnose the synthetic PET of every interpolation step, fold by fold, and pool the folds.

The classifier is the fold's own of the Paired experiment, trained on real MRI and real PET of the
other folds. From its features, the PET of the steps and the tissue of the two MRIs: one table a
fold, and one of all with the smoothness of each.
"""

import numpy as np

from mri2pet.diagnosis.experiments import PAIRED, assemble
from mri2pet.diagnosis.methods import REAL_PET
from mri2pet.diagnosis.svm import Settings, train
from mri2pet.files import read_tsv, write_tsv
from mri2pet.interpretation import interpolation
from mri2pet.provenance.record import recorded

TEXT = {"subject": str, "visit": str}
PAIR = {f"{role}_{name}": str for role in ("negative", "positive") for name in TEXT}

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    settings = Settings(**params.settings)
    groups = (settings.positive, settings.negative)
    visits, folds, real = (
        read_tsv(path, dtype=TEXT) for path in (given.visits, given.folds, given.real)
    )
    arrays = [np.load(path, mmap_mode="r") for path in (given.mri, given.gm, given.wm)]
    names = read_tsv(given.names)["name"].to_list()
    tables = []
    for fold, (path, pet) in enumerate(zip(given.steps, given.pet, strict=True)):
        steps = read_tsv(path, dtype=PAIR)
        pair, score, probability = interpolation.pair_of(steps), None, None
        data = assemble(PAIRED, REAL_PET, fold, visits, folds, real, None, groups)
        model = train(data, settings, params.seed) if pair else None
        if model:
            rows = [interpolation.dataset_row(visits, visit) for visit in pair]
            mri, gm, wm = (
                np.stack(list(interpolation.blend(*array[rows], steps["weight"])))
                for array in arrays
            )
            features = interpolation.step_features(
                mri, np.load(pet), {"GM": gm, "WM": wm}, np.load(given.atlas),
                np.load(given.mask), names,
            )  # fmt: skip
            score, probability = model.score(features), model.probability(features)
        tables.append(interpolation.with_decisions(steps, score, probability))
        write_tsv(snakemake.output.folds[fold], tables[-1])
    write_tsv(snakemake.output.table, interpolation.with_summary(tables))
