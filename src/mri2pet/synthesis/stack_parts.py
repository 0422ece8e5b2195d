"""Whole volumes from a generator that sees slices or patches."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from mri2pet.datasets.brain_box import brain_box
from mri2pet.datasets.parts import Parts
from mri2pet.models.conv import layout_of
from mri2pet.synthesis.patches import synthesise_patches
from mri2pet.synthesis.slices import synthesise_slices

Array = np.ndarray


def stack_parts(
    generator: nn.Module, volume: Tensor, parts: Parts, batch: int | None = None
) -> Tensor:
    """Synthesise one volume (X, Y, Z) part by part.

    Parameters
    ----------
    generator
        In evaluation mode, on the volume's device.
    volume
        (X, Y, Z) float32, 0 to 1.
    parts
        How the volume is cut and put together again.
    batch
        Parts at once, at most; `parts.batch` if not named.
    """
    layout = layout_of(generator, volume.device, parts.dimensions)

    def predict(cut: Tensor) -> Tensor:
        result: Tensor = generator(cut.contiguous(memory_format=layout))
        return result

    stride, keep = parts.stacking_stride, parts.keep
    batch = parts.batch if batch is None else batch
    if parts.kind == "slices":
        return synthesise_slices(predict, volume, parts.size, stride, batch, keep)
    return synthesise_patches(predict, volume[None], parts.size, stride, batch, keep)[0]


def synthesise_parts(
    generator: nn.Module,
    mri: Sequence[Array],
    mask: Array,
    parts: Parts,
    device: str | torch.device = "cpu",
    crop: int = 0,
    batch: int | None = None,
) -> Array:
    """Synthesise the PET of every MRI with a generator of slices or patches.

    Parameters
    ----------
    generator
        In evaluation mode.
    mri
        N volumes (X, Y, Z), 0 to 1; may be views of a memory-mapped file.
    mask
        (X, Y, Z) bool; outside it the PET is zero, and the MRI that the generator sees is too.
    parts
        How volumes are cut and put together again.
    device
        Where to run.
    crop
        The parts are those of the box around the brain (`box.brain_box`), as in training.
    batch
        Parts at once, at most; `parts.batch` if not named.

    Returns
    -------
    ndarray
        (N, X, Y, Z) float32, 0 to 1.
    """
    pet = np.zeros((len(mri), *mask.shape), np.float32)
    box = brain_box(mask, crop)
    brain = torch.from_numpy(np.ascontiguousarray(mask[box])).to(device)
    layout = layout_of(generator, torch.device(device), parts.dimensions)
    generator = generator.to(device).to(memory_format=layout)
    for row, volume in enumerate(mri):
        cut = torch.from_numpy(np.array(volume[box], np.float32)).to(device) * brain
        pet[(row, *box)] = (stack_parts(generator, cut, parts, batch) * brain).cpu().numpy()
    return pet
