"""Draw the interpolation of the first fold that has one: MRI, synthetic PET, probability.

From the pooled table, the PET of the steps, and the real MRI and PET of the two ends.
"""

import numpy as np

from mri2pet.files import read_json, read_tsv
from mri2pet.interpretation.interpolation import blend, dataset_row, pair_of
from mri2pet.provenance.record import recorded
from mri2pet.reporting.figures import save
from mri2pet.reporting.insight_figures import interpolation_figure

TEXT = {"subject": str, "visit": str}
PAIR = {f"{role}_{name}": str for role in ("negative", "positive") for name in TEXT}

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    table, visits = read_tsv(given.table, dtype=PAIR), read_tsv(given.visits, dtype=TEXT)
    mri, pet = np.load(given.mri, mmap_mode="r"), np.load(given.pet, mmap_mode="r")
    steps = table[table["step"].notna() & table["negative_subject"].notna()]
    steps = steps[steps["fold"] == steps["fold"].min()]
    ends = synthetic = interpolated = None
    if len(steps):
        rows = [dataset_row(visits, visit) for visit in pair_of(steps)]
        ends = mri[rows], pet[rows]
        interpolated = np.stack(list(blend(*mri[rows], steps["weight"])))
        synthetic = np.load(given.steps[int(steps["fold"].iloc[0])])
    figure = interpolation_figure(
        steps,
        table[table["step"].isna()],
        ends,
        interpolated,
        synthetic,
        np.load(given.mask),
        np.array(read_json(given.description)["affine"]),
        params.groups,
        params.note,
    )
    save(figure, snakemake.output[0])
