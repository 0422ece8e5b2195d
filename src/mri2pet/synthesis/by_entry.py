"""Synthesis as a model's entry says: of whole volumes or parts, told of people, smoothed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from mri2pet.datasets.parts import Parts
from mri2pet.datasets.volumes import Volumes
from mri2pet.models.registry import side_information
from mri2pet.synthesis.smoothing import smooth
from mri2pet.synthesis.stack_parts import synthesise_parts
from mri2pet.synthesis.whole_volume import load_generator, synthesise

Array = np.ndarray


def synthesise_rows(
    entry: Mapping[str, Any],
    weights: str | Path,
    sources: Sequence[str | Path],
    rows: pd.DataFrame,
    mask: Array,
    voxel_mm: Sequence[float],
    device: str | torch.device = "cpu",
    crop: int = 0,
    fwhm_mm: float = 0.0,
) -> Array:
    """Synthesise the volumes of some visits by one trained generator.

    Parameters
    ----------
    entry
        `generator`, and `parts` of a network that sees slices or patches.
    weights
        Of the generator.
    sources
        Arrays (N, X, Y, Z) of the dataset that it is shown, the source first.
    rows
        Of the dataset's table of visits; a generator with side information is told each person's.
    mask
        (X, Y, Z); outside it the volumes are zero.
    voxel_mm
        Sides of a voxel, mm.
    device
        Where to run.
    crop
        As for `whole_volume.synthesise`.
    fwhm_mm
        Width of the Gaussian that the training has chosen, mm; 0 for none.

    Returns
    -------
    ndarray
        (visits, X, Y, Z) float32.
    """
    volumes = Volumes([*sources], rows["index"])
    parts = Parts.of(entry)
    generator = load_generator(entry["generator"], weights)
    if parts is not None:
        made = synthesise_parts(generator, volumes, mask, parts, device, crop)
    else:
        side = side_information(entry["generator"])
        told = None if side is None else side.tensors(rows)
        made = synthesise(generator, volumes, mask, device=device, crop=crop, side=told)
    if fwhm_mm:
        made = np.stack([smooth(volume, fwhm_mm, voxel_mm, mask) for volume in made])
    return made
