"""3D U-Net autoencoder: the peer of Sikka et al. (2018), part G8; and generators of part D7.

GLA-GAN's paper gives no layer sizes of it. It is built as the 3D U-Net of Cicek et al. (2016):
two 3x3x3 convolutions a level with batch norm and ReLU, max pooling, transposed convolutions
upwards, features of the way down concatenated; a 1x1x1 convolution and a sigmoid end it.

DUAL-GLOW's peers are made of it: it is UcGAN's generator; with its skip connections cut, that of
the cGAN; with dropout, that of pix2pix.
"""

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mri2pet.errors import InputError
from mri2pet.models.blocks import initialise, start_at
from mri2pet.models.conv import Conv3x3x3
from mri2pet.models.mean_image import MeanImage
from mri2pet.models.native.grids import DoublingConv, max_pool
from mri2pet.models.norm import BatchNorm, normalised


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

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, channels_in, X, Y, Z) to (B, channels_out, X, Y, Z)."""
        first, norm, _, second, last, _ = self
        return normalised(last, second(normalised(norm, first(x), 0.0)), 0.0)


class UNet3d(nn.Module):
    """Encoder and decoder with skip connections: MRI to PET.

    Parameters
    ----------
    filters
        Width of each level from the finest to the coarsest; each level halves the grid, so the
        sides of a volume must be divisible by 2 ** (len(filters) - 1).
    skips
        False cuts the skip connections: an encoder and a decoder (Isola 2017 compares the two).
    dropout
        Share of the upward features that training leaves out, at every level but the finest
        (pix2pix: the innermost three of its seven). Synthesis is without: see Notes.
    standardise
        Start at the mean PET, and make each person's difference from it of the MRI's difference
        from the mean MRI (`MeanImage`, set by `start_at_mean_image`).
    grid
        X, Y, Z of the volumes, which `standardise` needs.
    maps
        Of the dataset, such as `gm`, each of which is a further channel behind the MRI.

    Raises
    ------
    InputError
        If fewer than two levels are asked for, the dropout is no share, there is no grid to
        standardise, or maps as well; in use, for a volume whose sides cannot be halved as often as
        there are levels.

    Notes
    -----
    pix2pix keeps dropout on when it synthesises, as its only noise, and finds little variety in
    the results. Here a volume's PET must be the same whenever it is made.
    """

    def __init__(
        self,
        filters: Sequence[int] = (32, 64, 128, 256),
        skips: bool = True,
        dropout: float = 0.0,
        standardise: bool = False,
        grid: Sequence[int] | None = None,
        maps: Sequence[str] = (),
    ) -> None:
        super().__init__()
        if standardise and maps:
            raise InputError("unet3d: standardise is of the MRI alone; leave out `maps`")
        if len(filters) < 2:
            raise InputError(f"unet3d: filters must name two levels or more, found {filters}")
        if not 0 <= dropout < 1:
            raise InputError(f"unet3d: dropout {dropout} must be at least 0 and less than 1")
        self.skips = skips
        levels = list(itertools.pairwise(filters))
        self.from_mean = MeanImage(grid, "unet3d") if standardise else None
        channels = MeanImage.CHANNELS if standardise else 1 + len(maps)
        self.first = DoubleConvolution(channels, filters[0])
        self.down = nn.ModuleList(DoubleConvolution(fine, coarse) for fine, coarse in levels)
        self.up = nn.ModuleList(DoublingConv(coarse, fine) for fine, coarse in reversed(levels))
        self.merge = nn.ModuleList(
            DoubleConvolution(2 * fine if skips else fine, fine) for fine, _ in reversed(levels)
        )
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Conv3d(filters[0], 1, 1)
        initialise(self)

    def start_at_mean(self, mean: float) -> None:
        """Give about this intensity (0 to 1) everywhere before training."""
        start_at(self.output, math.log(mean / (1 - mean)))

    def start_at_mean_image(self, mri: Tensor, pet: Tensor) -> None:
        """Give the mean of these PET (N, 1, X, Y, Z) before training, if standardised."""
        if self.from_mean is not None:
            self.from_mean.fit(mri, pet, self.output)

    def forward(self, mri: Tensor) -> Tensor:
        """Map MRI (B, 1 and a channel a map, X, Y, Z), 0 to 1, to PET (B, 1, X, Y, Z) in 0..1."""
        return self.decode(self.encode(mri))

    def encode(self, volume: Tensor) -> list[Tensor]:
        """Return the features of every level, the finest first: (B, filters[i], X / 2**i, ...).

        Of a network that standardises (2B, ...): the later half of the mirrored MRI.
        """
        if self.from_mean is not None:
            volume = self.from_mean.shown(volume)
        return encode(self.first, self.down, volume)

    def decode(self, features: Sequence[Tensor]) -> Tensor:
        """Map features of every level to a PET (B, 1, X, Y, Z) in 0..1."""
        made = self.upwards(features)
        return torch.sigmoid(made) if self.from_mean is None else self.from_mean.made(made)

    def upwards(self, features: Sequence[Tensor]) -> Tensor:
        """Map features of every level to the last convolution's output (B, 1, X, Y, Z) float32."""
        *finer, x = features
        for up, merge in zip(self.up, self.merge, strict=True):
            skip = finer.pop()
            left_out = bool(finer and self.training and self.dropout.p)
            if self.skips and not left_out:
                x = up.joined(x, skip)
            else:
                x = self._left_out(up(x)) if left_out else up(x)
                x = torch.cat([x, skip], dim=1) if self.skips else x
            x = merge(x)
        return self.output(x).float()

    def _left_out(self, features: Tensor) -> Tensor:
        """Apply the dropout; where the later half is of mirrored MRI, the same to both halves."""
        if self.from_mean is None or not self.training or not self.dropout.p:
            return self.dropout(features)
        kept = self.dropout(torch.ones_like(features[: len(features) // 2]))
        return features * torch.cat([kept, kept])


def encode(first: nn.Module, down: nn.ModuleList, volume: Tensor) -> list[Tensor]:
    """Run the way down of a U-Net: `first` on the whole grid, each of `down` on half the last's.

    Raises
    ------
    InputError
        If a side of the volume is not divisible by 2 ** len(down).
    """
    sides, step = tuple(volume.shape[2:]), 2 ** len(down)
    if any(side % step for side in sides):
        raise InputError(
            f"a U-Net of {len(down) + 1} levels takes volumes whose sides are multiples of {step}, "
            f"found {sides}; name fewer `filters` or choose another grid"
        )
    features = [first(volume)]
    for level in down:
        features[-1], halved = max_pool(features[-1])
        features.append(level(halved))
    return features
