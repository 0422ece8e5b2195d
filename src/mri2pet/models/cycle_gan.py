"""Generator and discriminator of Cycle-GAN (Zhu 2017), in 2D and 3D: parts G8 and A2.

By default those of the 3D Cycle-GAN of Pan et al. (2018): its generator encodes with convolutions
of 8, 16 and 32 channels, transforms with six residual blocks and decodes with two transposed
convolutions and a last one; the discriminator has five convolutions of 16, 32, 64, 128 and 1
channels. Kernels, strides and normalisation are those of the Cycle-GAN that it takes to 3D.
`models/resnet.py` has the widths of Cycle-GAN itself. docs/reproduction.md says what was decided.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mri2pet.errors import InputError
from mri2pet.models.blocks import LEAK, initialise_normal, start_at
from mri2pet.models.conv import Conv3x3x3
from mri2pet.models.norm import InstanceNorm, run_bent

CONVOLUTION: dict[int, type[nn.Conv2d] | type[nn.Conv3d]] = {2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED: dict[int, type[nn.ConvTranspose2d] | type[nn.ConvTranspose3d]] = {
    2: nn.ConvTranspose2d,
    3: nn.ConvTranspose3d,
}


class TransferBlock(nn.Module):
    """Residual block of Cycle-GAN: two convolutions of kernel 3, nothing after the sum.

    Parameters
    ----------
    channels
        Width; the grid stays as it is.
    dimensions
        2 or 3.
    padding
        `zeros` or `reflect`.
    """

    def __init__(self, channels: int, dimensions: int = 3, padding: str = "zeros") -> None:
        super().__init__()
        self.body = nn.Sequential(
            keeping(channels, channels, 3, dimensions, padding, bias=False),
            InstanceNorm(channels),
            nn.ReLU(inplace=True),
            keeping(channels, channels, 3, dimensions, padding, bias=False),
            InstanceNorm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, channels, X, Y, Z) or (B, channels, X, Y) to the same shape."""
        return x + run_bent(self.body, x)


class CycleGanGenerator(nn.Module):
    """Encoder, residual blocks and decoder, from one modality to the other.

    Parameters
    ----------
    filters
        Widths of the encoding convolutions; the first keeps the grid, each further one halves
        it. The decoder mirrors them. Pan's are 8, 16, 32.
    blocks
        Residual blocks at the coarsest grid; Pan's 6.
    kernel
        Side of the first and the last convolution; Cycle-GAN's is 7.
    dimensions
        3 for volumes, 2 for slices.
    channels
        Of input and output alike, since a cycle goes there and back: 1 for a volume, as many as
        there are slices side by side for slices.
    padding
        `zeros`, or `reflect` as in Zhu (2017), of the convolutions that keep the grid.

    Raises
    ------
    InputError
        For fewer than two filters, an even kernel or another number of dimensions.

    Notes
    -----
    Intensities are 0 to 1 outside and -1 to 1 inside, where a tanh ends the network. Sides that
    cannot be halved as often as the network does are filled up with zeros, the background, and
    cut again.
    """

    def __init__(
        self,
        filters: Sequence[int] = (8, 16, 32),
        blocks: int = 6,
        kernel: int = 7,
        dimensions: int = 3,
        channels: int = 1,
        padding: str = "zeros",
    ) -> None:
        super().__init__()
        if len(filters) < 2 or kernel % 2 == 0:
            raise InputError(
                "cycle_gan: needs two filters or more and an odd kernel, "
                f"found {list(filters)} and {kernel}"
            )
        if dimensions not in CONVOLUTION or padding not in ("zeros", "reflect"):
            raise InputError(
                "cycle_gan: dimensions are 2 or 3 and padding is zeros or reflect, "
                f"found {dimensions} and {padding}"
            )
        levels = list(itertools.pairwise(filters))
        self.multiple = 2 ** len(levels)
        reflected = max(kernel // 2 + 1, 2 * self.multiple)  # there must be voxels to reflect
        self.smallest = reflected if padding == "reflect" else 1
        convolution, transposed = CONVOLUTION[dimensions], TRANSPOSED[dimensions]
        # No bias before a norm, which would take it away.
        layers: list[nn.Module] = [
            keeping(channels, filters[0], kernel, dimensions, padding, bias=False),
            *_norm_and_relu(filters[0]),
        ]
        for fine, coarse in levels:
            layers.append(convolution(fine, coarse, 3, stride=2, padding=1, bias=False))
            layers += _norm_and_relu(coarse)
        layers += [TransferBlock(filters[-1], dimensions, padding) for _ in range(blocks)]
        for fine, coarse in reversed(levels):
            layers.append(
                transposed(coarse, fine, 3, stride=2, padding=1, output_padding=1, bias=False)
            )
            layers += _norm_and_relu(fine)
        layers.append(keeping(filters[0], channels, kernel, dimensions, padding, bias=True))
        self.layers = nn.Sequential(*layers)
        initialise_normal(self)

    def start_at_mean(self, mean: float) -> None:
        """Give about this intensity (0 to 1) everywhere before training."""
        start_at(self.layers[-1], math.atanh(2 * mean - 1))

    def forward(self, volume: Tensor) -> Tensor:
        """Map (B, channels, X, Y[, Z]), intensities 0 to 1, to the same shape and range."""
        sides = volume.shape[2:]
        lacking = [-side % self.multiple for side in sides]
        if any(lacking):
            # F.pad names the last axis first.
            volume = F.pad(volume, [n for more in reversed(lacking) for n in (0, more)])
        if min(volume.shape[2:]) < self.smallest:
            raise InputError(
                f"a volume of {tuple(sides)} voxels is too small to be reflected at its edge: "
                f"{self.smallest} a side are needed; choose another grid, or padding: zeros"
            )
        result = (torch.tanh(run_bent(self.layers, 2 * volume - 1).float()) + 1) / 2
        return result[(..., *(slice(side) for side in sides))]


class CycleGanDiscriminator(nn.Module):
    """Convolutions that say of each part of a volume how real it looks (PatchGAN).

    Parameters
    ----------
    filters
        Widths; Pan's are 16, 32, 64, 128, 1.
    strides
        Of each convolution, kernel 4. Not printed; by default PatchGAN's 2, 2, 2, 1, 1, where a
        value of the 6x6x6 that come from 64^3 sees 70 voxels a side, which is nearly all.
    channels
        Of the input: 1 for one scan, 2 for MRI and PET together (pix2pix), as many as there are
        slices side by side.
    dimensions
        3 for volumes, 2 for slices.
    """

    def __init__(
        self,
        filters: Sequence[int] = (16, 32, 64, 128, 1),
        strides: Sequence[int] = (2, 2, 2, 1, 1),
        channels: int = 1,
        dimensions: int = 3,
    ) -> None:
        super().__init__()
        if dimensions not in CONVOLUTION:
            raise InputError(f"cycle_gan_discriminator: dimensions are 2 or 3, found {dimensions}")
        if len(filters) != len(strides):
            raise InputError(
                "cycle_gan_discriminator: filters and strides must be equally long, found "
                f"{len(filters)} and {len(strides)}"
            )
        layers: list[nn.Module] = []
        last = len(filters) - 1
        for i, (before, after) in enumerate(itertools.pairwise([channels, *filters])):
            normed = 0 < i < last  # neither the first nor the last, as in Cycle-GAN
            convolution = CONVOLUTION[dimensions]
            layers.append(convolution(before, after, 4, strides[i], padding=1, bias=not normed))
            if normed:
                layers.append(InstanceNorm(after))
            if i < last:
                layers.append(nn.LeakyReLU(LEAK, inplace=True))
        self.layers = nn.Sequential(*layers)
        initialise_normal(self)

    def forward(self, volume: Tensor) -> Tensor:
        """Map (B, channels, X, Y[, Z]), intensities 0 to 1, to scores (B, 1, x, y[, z]).

        1 means real with least squares, positive where they are taken for logits.
        """
        return run_bent(self.layers, 2 * volume - 1)


def keeping(
    channels_in: int, channels_out: int, kernel: int, dimensions: int, padding: str, bias: bool
) -> nn.Conv2d | nn.Conv3d:
    """Make a convolution that keeps the grid (odd kernel), `zeros` or `reflect` around."""
    if dimensions == 3 and kernel == 3:
        return Conv3x3x3(channels_in, channels_out, bias, padding_mode=padding)
    around: dict[str, Any] = {"padding": kernel // 2, "padding_mode": padding}
    return CONVOLUTION[dimensions](channels_in, channels_out, kernel, bias=bias, **around)


def _norm_and_relu(channels: int) -> list[nn.Module]:
    return [InstanceNorm(channels), nn.ReLU(inplace=True)]
