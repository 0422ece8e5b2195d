"""Draws of PETs from one MRI: how uncertain a synthesis is, and how honest that is (part D5)."""

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from mri2pet.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, device, nn

Array = np.ndarray
NOMINAL = (0.5, 0.8, 0.9, 0.95)  # coverages wanted


def draw_pets(
    generator: "nn.Module",
    mri: Array,
    mask: Array,
    count: int,
    seed: int,
    temperature: float = 1.0,
    side: "Mapping[str, Tensor] | None" = None,
    device: "str | device" = "cpu",
    batch_size: int = 4,
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
        Factor on the standard deviation of the codes.
    side
        (1,) of each attribute of the person's side information; None for a generator without.
    device
        Where to run.
    batch_size
        Draws at once, at most.

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
    size = min(batch_size, count)
    noise = torch.Generator(device).manual_seed(seed)
    volumes = torch.from_numpy(np.array(mri, np.float32))[None, None].repeat(size, 1, 1, 1, 1)
    volumes = volumes.to(device).contiguous(memory_format=torch.channels_last_3d)
    told = side and {name: values.repeat(size).to(device) for name, values in side.items()}
    drawn = generator.draws(volumes, -(-count // size), temperature, told, noise)
    pets = (pet.float().cpu().numpy() * mask for batch in drawn for pet in batch[:, 0])
    return np.stack(list(islice(pets, count)))


def ranks(count: int) -> dict[int, float]:
    """Return which order statistics of so many draws make intervals of about `NOMINAL` coverage.

    Of K draws and a new value, all exchangeable, that value lies between the r-th smallest and
    the r-th largest draw with probability 1 - 2r / (K + 1), whatever the distribution.

    Parameters
    ----------
    count
        K.

    Returns
    -------
    dict
        r to that probability, the widest interval last; of 39 draws it is `NOMINAL` exactly.

    Raises
    ------
    InputError
        For fewer than three draws.
    """
    if count < 3:
        raise InputError(f"dual_glow.synthesis.draws: {count} are too few for an interval")
    wanted = (round((1 - nominal) * (count + 1) / 2) for nominal in NOMINAL)
    chosen = [min(max(rank, 1), count // 2) for rank in wanted]
    return {rank: 1 - 2 * rank / (count + 1) for rank in dict.fromkeys(chosen)}


def coverage(draws: Array, real: Array) -> list[dict[str, Any]]:
    """Count how often the real values lie inside intervals of their draws.

    Parameters
    ----------
    draws
        (K, ...) values.
    real
        (...) values, such as the voxels of a brain.

    Returns
    -------
    list of dict
        A row an interval of `ranks`: `nominal`, the share of values that it should hold,
        `coverage`, the share that it holds, and `mean_width`. A value on the border counts as
        inside, so values clipped to 0 or 1 in all draws do.
    """
    ordered = np.sort(draws, axis=0)
    rows = []
    for rank, nominal in ranks(len(draws)).items():
        low, high = ordered[rank - 1], ordered[-rank]
        rows.append(
            {
                "nominal": nominal,
                "coverage": float(np.mean((low <= real) & (real <= high))),
                "mean_width": float(np.mean(high - low, dtype=np.float64)),
            }
        )
    return rows
