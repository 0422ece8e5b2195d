"""Whole volumes from whole volumes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mri2pet.datasets.brain_box import brain_box
from mri2pet.errors import InputError
from mri2pet.machine_faults import check_machine
from mri2pet.models.conv import layout_of
from mri2pet.models.registry import build

Array = np.ndarray


def load_generator(config: Mapping[str, Any], weights: str | Path) -> nn.Module:
    """Make a network and fill in its trained weights, in evaluation mode.

    Raises
    ------
    InputError
        If the file is no state dict of this network.
    """
    generator = build(config)
    try:  # the file's pages take the place of the fresh weights, and are no second copy
        state = torch.load(weights, map_location="cpu", weights_only=True, mmap=True)
        generator.load_state_dict(state, assign=True)
    except Exception as error:  # torch raises whatever the damage leads to
        check_machine(error, weights)
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            f"{weights}: no weights of {config.get('name')} ({reason}); remove it and run again"
        ) from error
    return generator.eval()


@torch.inference_mode()
def synthesise(
    generator: nn.Module,
    mri: Sequence[Array],
    mask: Array,
    batch_size: int = 4,
    device: str | torch.device = "cpu",
    crop: int = 0,
    side: Mapping[str, Tensor] | None = None,
) -> Array:
    """Synthesise the PET of every MRI.

    Parameters
    ----------
    generator
        In evaluation mode: a volume's PET does not depend on the others of its batch.
    mri
        N volumes (X, Y, Z), 0 to 1, or (channels, X, Y, Z) of a generator that is shown several
        maps; may be views of a memory-mapped file.
    mask
        (X, Y, Z) bool; outside it the PET is zero.
    batch_size
        Volumes at once, at most.
    device
        Where to run.
    crop
        The generator was trained on the box around the brain, in multiples of so many voxels, and
        is shown that alone (`box.brain_box`).
    side
        (N,) of each attribute, what the PETs of a generator with side information are to show;
        None for a generator without, or for people of whom nothing is known.

    Returns
    -------
    ndarray
        (N, X, Y, Z) float32, 0 to 1.
    """
    pet = np.zeros((len(mri), *mask.shape), np.float32)
    if not len(mri):
        return pet
    box = brain_box(mask, crop)
    layout = layout_of(generator, torch.device(device))
    generator = generator.to(device).to(memory_format=layout)
    # On a CPU, torch leaves its fast convolutions for a single volume of few channels, which then
    # takes five times as long as two: equal parts rather than full ones and a rest, and one volume
    # runs beside itself.
    least = 2 if torch.device(device).type == "cpu" else 1
    for rows in np.array_split(np.arange(len(mri)), -(-len(mri) // batch_size)):
        shown = np.stack([mri[i][(..., *box)] for i in rows])
        volumes = torch.from_numpy(shown if shown.ndim == 5 else shown[:, None])
        copies = max(1, least // len(rows))
        volumes = volumes.repeat(copies, 1, 1, 1, 1)
        volumes = volumes.float().to(device).contiguous(memory_format=layout)
        told = [] if side is None else [_rows_of(side, rows, copies, device)]
        pet[(rows, *box)] = generator(volumes, *told)[: len(rows), 0].float().cpu().numpy()
    pet *= mask
    return pet


def _rows_of(
    side: Mapping[str, Tensor], rows: Array, copies: int, device: str | torch.device
) -> dict[str, Tensor]:
    """Return the side information of some rows, each so many times as its volume."""
    return {
        name: values[torch.from_numpy(rows)].repeat(copies).to(device)
        for name, values in side.items()
    }
