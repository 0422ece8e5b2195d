"""Draw the feature maps that single out a region best, and those that tell the groups apart.

From the ranked table, the generators of all folds and the MRI: a row a feature map, over the MRI of
the held-out visit of each group whose decision on real PET is the median of its group.
"""

import numpy as np
import torch

from mri2pet.datasets.brain_box import brain_box, moved
from mri2pet.files import read_json, read_tsv
from mri2pet.interpretation.dissection import global_path, unit_maps
from mri2pet.interpretation.interpolation import dataset_row, typical_pair
from mri2pet.interpretation.units import shown_units
from mri2pet.provenance.record import recorded
from mri2pet.reporting.figures import save
from mri2pet.reporting.insight_figures import DissectedUnit, dissection_figure
from mri2pet.synthesis.whole_volume import load_generator

TEXT = {"subject": str, "visit": str}

with recorded(snakemake):
    given, params = snakemake.input, snakemake.params
    torch.set_num_threads(snakemake.threads)
    mri, mask = np.load(given.mri, mmap_mode="r"), np.load(given.mask)
    box = brain_box(mask, params.crop)
    visits = read_tsv(given.visits, dtype=TEXT)
    shown = shown_units(read_tsv(given.table), params.rows)
    units = {}
    for fold, (weights, decisions) in enumerate(zip(given.weights, given.predictions, strict=True)):
        rows = [row for row in shown if row["fold"] == fold]
        pair = typical_pair(read_tsv(decisions, dtype=TEXT), *params.groups)
        if not rows or pair is None:
            continue
        volumes = mri[[dataset_row(visits, visit) for visit in pair]][:, *box]
        path = global_path(load_generator(params.generator, weights))
        maps = unit_maps(path, volumes, [(row["layer"], row["unit"]) for row in rows])
        names = [f"{visit.subject} {visit.visit}" for visit in pair]
        for row, own in zip(rows, maps, strict=True):
            units[row["rank"]] = DissectedUnit(row, volumes, own, names)
    figure = dissection_figure(
        [units[row["rank"]] for row in shown if row["rank"] in units],
        np.load(given.atlas)[box],
        mask[box],
        moved(np.array(read_json(given.description)["affine"]), box),
        params.groups,
        params.note,
    )
    save(figure, snakemake.output[0])
