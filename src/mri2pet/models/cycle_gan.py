"""Generator and discriminator of the 3D Cycle-GAN of Pan et al. (2018): part G8.

Pan's generator encodes with convolutions of 8, 16 and 32 channels, transforms with six residual
blocks and decodes with two transposed convolutions and a last one; the discriminator has five
convolutions of 16, 32, 64, 128 and 1 channels. Kernels, strides and normalisation are those of
the Cycle-GAN that it takes to 3D (Zhu 2017). docs/reproduction.md says what was decided.
"""

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mri2pet.errors import InputError
from mri2pet.models.blocks import LEAK, initialise_normal, start_at
from mri2pet.models.norm import InstanceNorm


class TransferBlock(nn.Module):
    """Residual block of Cycle-GAN: two 3x3x3 convolutions, nothing after the sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv3d(channels, channels, 3, padding=1, bias=False),
            InstanceNorm(channels),
            nn.ReLU(inplace=True),
            nn.Conv3d(channels, channels, 3, padding=1, bias=False),
            InstanceNorm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, channels, X, Y, Z) to the same shape."""
        return x + self.body(x)


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

    Raises
    ------
    InputError
        For fewer than two filters or an even kernel.

    Notes
    -----
    Intensities are 0 to 1 outside and -1 to 1 inside, where a tanh ends the network.
    """

    def __init__(
        self, filters: Sequence[int] = (8, 16, 32), blocks: int = 6, kernel: int = 7
    ) -> None:
        super().__init__()
        if len(filters) < 2 or kernel % 2 == 0:
            raise InputError(
                "cycle_gan: needs two filters or more and an odd kernel, "
                f"found {list(filters)} and {kernel}"
            )
        levels = list(itertools.pairwise(filters))
        # No bias before a norm, which would take it away.
        layers: list[nn.Module] = [
            nn.Conv3d(1, filters[0], kernel, padding=kernel // 2, bias=False),
            *_norm_and_relu(filters[0]),
        ]
        for fine, coarse in levels:
            layers.append(nn.Conv3d(fine, coarse, 3, stride=2, padding=1, bias=False))
            layers += _norm_and_relu(coarse)
        layers += [TransferBlock(filters[-1]) for _ in range(blocks)]
        for fine, coarse in reversed(levels):
            layers.append(
                nn.ConvTranspose3d(
                    coarse, fine, 3, stride=2, padding=1, output_padding=1, bias=False
                )
            )
            layers += _norm_and_relu(fine)
        layers.append(nn.Conv3d(filters[0], 1, kernel, padding=kernel // 2))
        self.layers = nn.Sequential(*layers)
        initialise_normal(self)

    def start_at_mean(self, mean: float) -> None:
        """Give about this intensity (0 to 1) everywhere before training."""
        start_at(self.layers[-1], math.atanh(2 * mean - 1))

    def forward(self, volume: Tensor) -> Tensor:
        """Map (B, 1, X, Y, Z), intensities 0 to 1, to the same shape and range."""
        return (torch.tanh(self.layers(2 * volume - 1).float()) + 1) / 2


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
        Of the input: 1 for one scan, 2 for MRI and PET together (pix2pix).
    """

    def __init__(
        self,
        filters: Sequence[int] = (16, 32, 64, 128, 1),
        strides: Sequence[int] = (2, 2, 2, 1, 1),
        channels: int = 1,
    ) -> None:
        super().__init__()
        if len(filters) != len(strides):
            raise InputError(
                "cycle_gan_discriminator: filters and strides must be equally long, found "
                f"{len(filters)} and {len(strides)}"
            )
        layers: list[nn.Module] = []
        last = len(filters) - 1
        for i, (before, after) in enumerate(itertools.pairwise([channels, *filters])):
            normed = 0 < i < last  # neither the first nor the last, as in Cycle-GAN
            layers.append(nn.Conv3d(before, after, 4, strides[i], padding=1, bias=not normed))
            if normed:
                layers.append(InstanceNorm(after))
            if i < last:
                layers.append(nn.LeakyReLU(LEAK, inplace=True))
        self.layers = nn.Sequential(*layers)
        initialise_normal(self)

    def forward(self, volume: Tensor) -> Tensor:
        """Map (B, channels, X, Y, Z), intensities 0 to 1, to scores (B, 1, x, y, z).

        1 means real with least squares, positive where they are taken for logits.
        """
        return self.layers(2 * volume - 1)


def _norm_and_relu(channels: int) -> list[nn.Module]:
    return [InstanceNorm(channels), nn.ReLU(inplace=True)]
