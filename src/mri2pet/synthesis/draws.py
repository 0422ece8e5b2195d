"""Draws of PETs from one MRI: how uncertain a synthesis is, and how honest that is (part D5)."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from mri2pet.datasets.brain_box import brain_box
from mri2pet.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, device, nn

Array = np.ndarray


def draw_pets(
    generator: "nn.Module",
    mri: Array,
    mask: Array,
    count: int,
    seed: int,
    temperature: "float | Sequence[Tensor]" = 1.0,
    side: "Mapping[str, Tensor] | None" = None,
    device: "str | device" = "cpu",
    batch_size: int = 4,
    crop: int = 0,
) -> Array:
    """Draw PETs of one person from p(x_p | x_m).

    Parameters
    ----------
    generator
        A network with `draws`, in evaluation mode, on `device`.
    mri
        (X, Y, Z), 0 to 1.
    mask
        (X, Y, Z) bool; outside it the PETs are zero.
    count
        Number of draws.
    seed
        Of the noise.
    temperature
        Factor on the standard deviation of the codes, or one of each level (`temperature.spread`).
    side
        (1,) of each attribute of the person's side information; None for a generator without.
    device
        Where to run.
    batch_size
        Draws at once, at most.
    crop
        As for `whole_volume.synthesise`.

    Returns
    -------
    ndarray
        (count, X, Y, Z) float32, 0 to 1.

    Raises
    ------
    InputError
        If the generator cannot draw.
    """
    import torch

    if not hasattr(generator, "draws"):
        raise InputError(f"{type(generator).__name__} gives one PET of an MRI and no draws")
    size, box = min(batch_size, count), brain_box(mask, crop)
    noise = torch.Generator(device).manual_seed(seed)
    volumes = torch.from_numpy(np.array(mri[box], np.float32))[None, None]
    volumes = volumes.to(device).contiguous(memory_format=torch.channels_last_3d)
    told = side and {name: values.to(device) for name, values in side.items()}
    drawn = generator.draws(volumes, -(-count // size), temperature, told, noise, size)
    pets = np.zeros((count, *mask.shape), np.float32)
    each = (pet.float().cpu().numpy() for batch in drawn for pet in batch[:, 0])
    for place, pet in enumerate(islice(each, count)):
        pets[(place, *box)] = pet * mask[box]
    return pets
