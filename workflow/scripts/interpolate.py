"""Interpolate between two held-out MRIs, one of each group, and synthesise the PET at every step.

The visits are those whose decision on real PET is the median of their group. From the MRI, the
decisions and the generator's weights: the PET of the steps and the table of their norms.
"""

import logging

import numpy as np
import torch

from mri2pet.files import atomic, read_tsv, write_tsv
from mri2pet.interpretation import interpolation
from mri2pet.provenance.record import recorded
from mri2pet.synthesis.whole_volume import load_generator, synthesise
from mri2pet.training.settings import choose_device

TEXT = {"subject": str, "visit": str}

with recorded(snakemake):
    given, params, output = snakemake.input, snakemake.params, snakemake.output
    torch.set_num_threads(snakemake.threads)
    fold, groups = int(snakemake.wildcards.fold), params.groups
    weights = np.linspace(0, 1, params.steps)
    mri, mask = np.load(given.mri, mmap_mode="r"), np.load(given.mask)
    pair = interpolation.typical_pair(read_tsv(given.predictions, dtype=TEXT), *groups)
    norms, pet = None, np.zeros((0, *mask.shape), np.float32)
    if pair is None:
        logging.warning("fold %d: no held-out visit with a decision of both %s and %s; "
                        "nothing is interpolated", fold, *groups)  # fmt: skip
    else:
        visits = read_tsv(given.visits, dtype=TEXT)
        ends = (mri[interpolation.dataset_row(visits, visit)] for visit in pair)
        generator = load_generator(params.generator, given.weights)
        steps = list(interpolation.blend(*ends, weights))
        pet = synthesise(generator, steps, mask, device=choose_device(), crop=params.crop)
        norms = interpolation.step_norms(pet, mask)
    with atomic(output.pet) as partial:
        np.save(partial, pet)
    write_tsv(output.steps, interpolation.step_table(fold, weights, pair, norms))
