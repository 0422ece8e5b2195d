"""How much wider than learnt a flow's distribution must be, told by people it has not seen.

Mean and sigma of the PET codes are fitted to the training people. With few of them the coarse
codes, of which one volume has few, are overfitted: on other people they lie further from their mean
than sigma says. A factor on each level's sigma, the temperature, sets that right. It is estimated
by likelihood on people held out of the training, never on those that a table reports.
"""

import math
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mri2pet.models.dual_glow import DualGlow
from mri2pet.models.glow import gaussian_log_density

LOWEST, HIGHEST = 0.25, 8.0  # no temperature beyond: one person may be very unlike the others
NOISES = 2  # of the grey levels, over which a likelihood is averaged

Temperatures = Sequence[float]


def brain_of_codes(mask: Tensor, levels: int) -> list[Tensor]:
    """Tell for each level which positions of a code are of the brain.

    Parameters
    ----------
    mask
        (X, Y, Z) bool.
    levels
        Of the flow.

    Returns
    -------
    list of Tensor
        (1, 1, X / 2^i, Y / 2^i, Z / 2^i) bool for level i = 1, 2 ...: at least half of the voxels
        that a position stands for are of the brain.
    """
    volume = mask.to(torch.float32)[None, None]
    return [F.avg_pool3d(volume, 2**level) >= 0.5 for level in range(1, levels + 1)]


@torch.no_grad()
def fit_temperatures(
    generator: DualGlow,
    mri: Tensor,
    pet: Tensor,
    mask: Tensor,
    side: Mapping[str, Tensor] | None = None,
) -> list[float]:
    """Estimate each level's temperature by maximum likelihood on people held out of the training.

    It is the root of the mean squared deviation of the codes from their mean, in units of sigma,
    over the positions of the brain and over visits.

    Parameters
    ----------
    generator
        In evaluation mode.
    mri, pet
        (N, 1, X, Y, Z), 0 to 1.
    mask
        (X, Y, Z) bool, the brain.
    side
        (N,) of each attribute; None for a generator without.

    Returns
    -------
    list of float
        From the finest level to the coarsest, between `LOWEST` and `HIGHEST`; 1 for a level none of
        whose positions is of the brain.
    """
    inside = brain_of_codes(mask, len(generator.pet_flow.levels))
    sums = torch.zeros(len(inside), dtype=torch.float64)
    for row in range(len(mri)):
        told = side and {name: values[row : row + 1] for name, values in side.items()}
        half = 0.5 / generator.bins  # the mean of the noise of training
        codes, _ = generator.encode_pet(pet[row : row + 1] + half, told)
        given, _ = generator.encode_mri(mri[row : row + 1] + half)
        for level, (code, (mean, log_sigma)) in enumerate(
            zip(codes, generator.prior(given, told), strict=True)
        ):
            squares = ((code - mean) * (-log_sigma).exp()).square()
            own = squares.mean(1, keepdim=True)[inside[level]]
            sums[level] += own.double().mean() if len(own) else 1.0
    return [min(max(math.sqrt(value), LOWEST), HIGHEST) for value in (sums / len(mri)).tolist()]


def spread(
    generator: DualGlow, mask: Tensor, temperatures: Temperatures | None, factor: float = 1.0
) -> list[Tensor]:
    """Return the factor on sigma at each position of each level's code.

    Parameters
    ----------
    generator
        Whose codes.
    mask
        (X, Y, Z) bool, the brain. Outside it nothing was estimated, and sigma stays as learnt.
    temperatures
        As `fit_temperatures` gives them; None: 1 for all.
    factor
        On all of it.

    Returns
    -------
    list of Tensor
        (1, 1, X / 2^i, Y / 2^i, Z / 2^i).
    """
    levels = len(generator.pet_flow.levels)
    inside = brain_of_codes(mask, levels)
    temperatures = temperatures or [1.0] * levels
    return [
        factor * torch.where(brain, temperature, 1.0)
        for brain, temperature in zip(inside, temperatures, strict=True)
    ]


def widened(
    generator: nn.Module, mask: Tensor, temperatures: Temperatures | None, factor: float
) -> list[Tensor] | list[float]:
    """Return how wide a network is to draw, as its `draws` take it.

    Parameters
    ----------
    generator
        A network with `draws`, on its device.
    mask
        (X, Y, Z) bool, the brain, there too.
    temperatures
        As people held out of its training have set them; None: 1.
    factor
        On all of it.
    """
    if isinstance(generator, DualGlow):
        return spread(generator, mask, temperatures, factor)
    return [factor * (temperatures or [1.0])[0]]


@torch.no_grad()
def bits_a_voxel(
    generator: DualGlow,
    mri: Tensor,
    pet: Tensor,
    side: Mapping[str, Tensor] | None = None,
    spreads: Sequence[Sequence[Tensor] | None] = (None,),
    seed: int = 0,
) -> Tensor:
    """Return how many bits a voxel a PET takes given its MRI: -log2 p(x_p | x_m) a voxel.

    As in training, of all voxels of the grid, of an image of `bins` grey levels a unit, with
    uniform noise on both images; the mean over `NOISES` draws of it. Fewer is better.

    Parameters
    ----------
    generator, side
        As for `fit_temperatures`.
    mri, pet
        (N, 1, X, Y, Z), 0 to 1.
    spreads
        Each as `spread` gives it, or None for sigma as learnt: what is to be compared costs
        nothing more.
    seed
        Of the noise.

    Returns
    -------
    Tensor
        (spreads, N).
    """
    noise = torch.Generator(mri.device).manual_seed(seed)
    total = torch.zeros(len(spreads), len(pet), dtype=torch.float64, device=pet.device)
    for _ in range(NOISES):
        noisy = [
            volume
            + torch.rand(volume.shape, generator=noise, device=volume.device) / generator.bins
            for volume in (mri, pet)
        ]
        given, _ = generator.encode_mri(noisy[0])
        codes, of_flow = generator.encode_pet(noisy[1], side)
        priors = generator.prior(given, side)
        for row, wider in enumerate(spreads):
            log_density = of_flow.double()
            for level, (code, (mean, log_sigma)) in enumerate(zip(codes, priors, strict=True)):
                own = log_sigma if wider is None else log_sigma + wider[level].log()
                log_density = log_density + gaussian_log_density(code, mean, own)
            total[row] += math.log(generator.bins) - log_density / pet[0].numel()
    return total / (NOISES * math.log(2))
