"""3D U-Net autoencoder: the peer of Sikka et al. (2018), part G8.

GLA-GAN's paper gives no layer sizes of it. It is built as the 3D U-Net of Cicek et al. (2016):
two 3x3x3 convolutions a level with batch norm and ReLU, max pooling, transposed convolutions
upwards, features of the way down concatenated; a 1x1x1 convolution and a sigmoid end it.
"""

import itertools
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mri2pet.errors import InputError
from mri2pet.models.blocks import initialise, start_at
from mri2pet.models.conv import Conv3x3x3
from mri2pet.models.norm import BatchNorm


class DoubleConvolution(nn.Sequential):
    """Twice 3x3x3 convolution, batch norm and ReLU."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        layers: list[nn.Module] = []
        for width in (channels_in, channels_out):
            layers += [
                Conv3x3x3(width, channels_out, bias=False),
                BatchNorm(channels_out),
                nn.ReLU(inplace=True),
            ]
        super().__init__(*layers)


class UNet3d(nn.Module):
    """Encoder and decoder with skip connections: MRI to PET.

    Parameters
    ----------
    filters
        Width of each level from the finest to the coarsest; each level halves the grid, so the
        sides of a volume must be divisible by 2 ** (len(filters) - 1).

    Raises
    ------
    InputError
        If fewer than two levels are asked for.
    """

    def __init__(self, filters: Sequence[int] = (32, 64, 128, 256)) -> None:
        super().__init__()
        if len(filters) < 2:
            raise InputError(f"unet3d: filters must name two levels or more, found {filters}")
        levels = list(itertools.pairwise(filters))
        self.first = DoubleConvolution(1, filters[0])
        self.down = nn.ModuleList(DoubleConvolution(fine, coarse) for fine, coarse in levels)
        self.up = nn.ModuleList(
            nn.ConvTranspose3d(coarse, fine, 2, stride=2) for fine, coarse in reversed(levels)
        )
        self.merge = nn.ModuleList(
            DoubleConvolution(2 * fine, fine) for fine, _ in reversed(levels)
        )
        self.output = nn.Conv3d(filters[0], 1, 1)
        initialise(self)

    def start_at_mean(self, mean: float) -> None:
        """Give about this intensity (0 to 1) everywhere before training."""
        start_at(self.output, math.log(mean / (1 - mean)))

    def forward(self, mri: Tensor) -> Tensor:
        """Map an MRI (B, 1, X, Y, Z), intensities 0 to 1, to a PET of the same shape in 0..1."""
        features = self.first(mri)
        skips = []
        for level in self.down:
            skips.append(features)
            features = level(F.max_pool3d(features, 2))
        for up, merge in zip(self.up, self.merge, strict=True):
            features = merge(torch.cat([up(features), skips.pop()], dim=1))
        return torch.sigmoid(self.output(features).float())
