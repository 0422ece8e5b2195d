"""Posterior-mean rectified flow: a regression gives the mean PET, and a flow goes on from it.

After Ohayon, Michaeli and Elad (2024, arXiv 2410.00418), in 3D as Brandstoetter and Kobler (2025,
arXiv 2508.12640) have it for contrast-enhanced MRI. One network gives x* = E[PET | MRI]. From
z_0 = x* + sigma * noise a second network's velocity v leads along dz/dt = v(z, t, x*, MRI) to a PET
at t = 1. It learns E[PET - z_0 | z_t, x*, MRI] on straight lines z_t = t PET + (1 - t) z_0 (Liu,
Gong and Liu 2022), and is followed in a few Euler steps.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Self

import torch
from torch import Tensor, nn

from mri2pet.errors import InputError
from mri2pet.models.blocks import initialise, repeated, start_at
from mri2pet.models.unet3d import DoubleConvolution, UNet3d


class VelocityNetwork(UNet3d):
    """A U-Net that is shown the place, x*, the MRI and the time; untrained it gives zero.

    Parameters
    ----------
    filters
        As of `UNet3d`.
    """

    SHOWN = 4

    def __init__(self, filters: Sequence[int]) -> None:
        super().__init__(filters)
        self.first = DoubleConvolution(self.SHOWN, filters[0])
        initialise(self.first)
        start_at(self.output, 0.0, shrink=0.0)

    def forward(self, place: Tensor, mean: Tensor, mri: Tensor, time: Tensor) -> Tensor:
        """Map volumes (B, 1, X, Y, Z) and times (B,) to a velocity (B, 1, X, Y, Z) float32."""
        clock = time.view(-1, 1, 1, 1, 1).expand_as(mri)
        shown = [volume.to(mri.dtype) for volume in (place, mean, mri, clock)]
        return self.upwards(self.encode(torch.cat(shown, dim=1)))


class RectifiedFlow(nn.Module):
    """Mean PET and flow.

    Parameters
    ----------
    mean
        Widths of the levels of the U-Net that gives the mean PET.
    velocity
        Of the one that gives the velocity.
    sigma
        Sd of the noise at the start, in units of the PET (0 to 1).
    scales
        The noise is of so many grids, each half as fine as the one before (`noise_of_scales`).
    steps
        Of Euler, from the mean to a draw.

    Raises
    ------
    InputError
        For a sigma, scales or steps that are not positive, or as `UNet3d`; in use, for a volume
        whose sides cannot be halved as often as there are levels.

    Notes
    -----
    Place and velocity are in units of sigma, seen from x*: the networks' numbers are then about 1.
    """

    def __init__(
        self,
        mean: Sequence[int] = (32, 64, 128, 256),
        velocity: Sequence[int] = (32, 64, 128, 256),
        sigma: float = 0.05,
        scales: int = 4,
        steps: int = 4,
    ) -> None:
        super().__init__()
        if sigma <= 0 or scales < 1 or steps < 1:
            raise InputError(
                f"rectified_flow: sigma ({sigma}), scales ({scales}) and steps ({steps}) must be "
                "positive"
            )
        self.sigma, self.scales, self.steps = sigma, scales, steps
        self.mean = UNet3d(mean)
        self.velocity = VelocityNetwork(velocity)
        self.mean_is_fixed = False

    def regions(self) -> list[nn.Module]:
        """Return what is compiled by itself: the recipe calls the two networks one by one."""
        return [self.mean, self.velocity]

    def start_at_mean(self, mean: float) -> None:
        """Give about this intensity (0 to 1) everywhere before training."""
        self.mean.start_at_mean(mean)

    def fix_mean(self) -> None:
        """Leave the mean PET as it is from now on: weights, and statistics of batch norm."""
        self.mean_is_fixed = True
        self.mean.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Set the mode of both networks; a mean that is fixed stays in that of evaluation."""
        super().train(mode)
        if self.mean_is_fixed:
            self.mean.eval()
        return self

    def forward(self, mri: Tensor) -> Tensor:
        """Map an MRI (B, 1, X, Y, Z), 0 to 1, to one PET of the same shape, 0 to 1.

        The mean PET x*, around which draws lie and to which a flow without error leads from x*
        without noise. It is not followed for that: its network has learnt from starts with noise
        alone, and without may lead anywhere. In training mode a draw, so that batch norm's
        statistics can be taken of all that draws pass through.
        """
        mean = self.mean(mri)
        return self.end(self.start(mean), mean, mri).clamp(0, 1) if self.training else mean

    @torch.no_grad()
    def draws(
        self,
        mri: Tensor,
        count: int,
        temperature: float | Sequence[float] = 1.0,
        side: Mapping[str, Tensor] | None = None,
        generator: torch.Generator | None = None,
        at_once: int = 1,
    ) -> Iterator[Tensor]:
        """Yield PETs (B * at_once, 1, X, Y, Z), 0 to 1, drawn from what may lie behind an MRI.

        Parameters
        ----------
        mri
            (B, 1, X, Y, Z).
        count
            Number of batches of draws.
        temperature
            Factor on a draw's difference from the mean PET, or a list of that one.
        side
            Not used: it is told nothing of people.
        generator
            Of the noise, on the volumes' device.
        at_once
            Draws of each MRI in a batch, one after the other.
        """
        del side
        factor = temperature if isinstance(temperature, int | float) else temperature[0]
        mean, mri = repeated((self.mean(mri), mri), at_once)
        for _ in range(count):
            made = self.end(self.start(mean, generator), mean, mri)
            yield (mean + factor * (made - mean)).clamp(0, 1)

    def matching(
        self, mri: Tensor, pet: Tensor, mean: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return velocity and what it should be at random places between mean and real PET.

        Parameters
        ----------
        mri, pet, mean
            (B, 1, X, Y, Z); of the mean no gradient should be asked for.
        generator
            Of noise and times, on the volumes' device.

        Returns
        -------
        found, wanted : Tensor
            (B, 1, X, Y, Z), both over sigma. The best found in mean square is the flow's velocity.
        """
        start = self.start(mean, generator)
        time = torch.rand(len(mri), generator=generator, device=mri.device)
        share = time.view(-1, 1, 1, 1, 1)
        place = share * pet + (1 - share) * start
        return self.pace(place, mean, mri, time), (pet - start) / self.sigma

    def start(self, mean: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return where a draw starts: the mean PET with noise."""
        return mean + self.sigma * noise_of_scales(mean, self.scales, generator)

    def end(self, start: Tensor, mean: Tensor, mri: Tensor) -> Tensor:
        """Return where the flow leads to from `start`, not yet cut to 0..1."""

        def velocity(place: Tensor, time: float) -> Tensor:
            return self.sigma * self.pace(place, mean, mri, mean.new_full((len(mean),), time))

        return euler(velocity, start, self.steps)

    def pace(self, place: Tensor, mean: Tensor, mri: Tensor, time: Tensor) -> Tensor:
        """Return the velocity over sigma at some places and times (B,)."""
        return self.velocity((place - mean) / self.sigma, mean, mri, time)


def euler(velocity: Callable[[Tensor, float], Tensor], start: Tensor, steps: int) -> Tensor:
    """Follow dz/dt = velocity(z, t) from t = 0 to 1 in equal steps.

    Parameters
    ----------
    velocity
        From a tensor of the shape of `start` and a time to the like.
    start
        z at t = 0.
    steps
        How many; one is enough where the lines are straight.
    """
    z = start
    for step in range(steps):
        z = z + velocity(z, step / steps) / steps
    return z


def noise_of_scales(like: Tensor, scales: int, generator: torch.Generator | None = None) -> Tensor:
    """Draw Gaussian noise of unit variance, an equal share of it from each of several grids.

    What an MRI does not tell of a PET is mostly smooth. White noise (one scale, as in the paper)
    has little that is smooth, and K Euler steps multiply that by K - 1 at most.

    Parameters
    ----------
    like
        (B, C, X, Y, Z), whose shape, dtype and device the noise has.
    scales
        Grids: the voxels' own, then blocks of 2, 4 ... voxels a side.
    generator
        On that device; None for torch's own.
    """
    kind = {"generator": generator, "dtype": like.dtype, "device": like.device}
    total = torch.zeros_like(like)
    for scale in range(scales):
        block = 2**scale
        noise = torch.randn(
            *like.shape[:2], *(-(-side // block) for side in like.shape[2:]), **kind
        )
        for axis in (2, 3, 4) if block > 1 else ():
            noise = noise.repeat_interleave(block, dim=axis).narrow(axis, 0, like.shape[axis])
        total = total + noise
    return total / scales**0.5
