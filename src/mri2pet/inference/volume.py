"""Whole volumes from whole volumes."""

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from mri2pet.errors import InputError
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
    try:
        generator.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    except (OSError, EOFError, RuntimeError, TypeError, pickle.UnpicklingError) as error:
        raise InputError(f"{weights}: no weights of {config.get('name')} ({error})") from error
    return generator.eval()


@torch.inference_mode()
def synthesise(
    generator: nn.Module,
    mri: Sequence[Array],
    mask: Array,
    batch_size: int = 4,
    device: str | torch.device = "cpu",
) -> Array:
    """Synthesise the PET of every MRI.

    Parameters
    ----------
    generator
        In evaluation mode: a volume's PET does not depend on the others of its batch.
    mri
        N volumes (X, Y, Z), 0 to 1; may be views of a memory-mapped file.
    mask
        (X, Y, Z) bool; outside it the PET is zero.
    batch_size
        Volumes at once, at most.
    device
        Where to run.

    Returns
    -------
    ndarray
        (N, X, Y, Z) float32, 0 to 1.
    """
    pet = np.zeros((len(mri), *mask.shape), np.float32)
    if not len(mri):
        return pet
    generator = generator.to(device).to(memory_format=torch.channels_last_3d)
    # Equal parts rather than full ones and a rest: on a CPU, torch leaves its fast convolutions
    # for a single volume.
    for rows in np.array_split(np.arange(len(mri)), -(-len(mri) // batch_size)):
        volumes = torch.from_numpy(np.stack([mri[i] for i in rows])[:, None].astype(np.float32))
        volumes = volumes.to(device).contiguous(memory_format=torch.channels_last_3d)
        pet[rows] = generator(volumes)[:, 0].float().cpu().numpy() * mask
    return pet
