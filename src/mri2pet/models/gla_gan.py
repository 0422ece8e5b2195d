"""Generator and discriminator of GLA-GAN (Sikka et al.): parts G4 and G5.

The paper calls the generator "a 10-layer ResNet" with "four residual blocks alongside four
convolution layers". Four residual blocks of two convolutions and the two convolutions after the
fusion make the ten layers; the "four convolution layers" find no place beside them and are read
as the blocks' four printed widths. Where widths differ, the skip is a 1x1x1 convolution (He 2016).
"""

import itertools
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mri2pet.errors import InputError
from mri2pet.models.blocks import (
    LEAK,
    ResidualPath,
    initialise,
    initialise_normal,
    join_channels,
    join_grid,
    split_grid,
    start_at,
)
from mri2pet.models.conv import Conv3x3x3
from mri2pet.models.grouped import run_grouped
from mri2pet.models.lobes import LobePaths
from mri2pet.models.norm import BatchNorm, normalised

# How the volume is cut for the printed K. K=4 gives the paper's 32x32x64 from 64^3.
GRIDS = {2: (2, 1, 1), 4: (2, 2, 1), 8: (2, 2, 2)}
# Whether K paths run faster as one computation of K groups, by device (docs/benchmarks.md).
GROUPED = {"cpu": True, "cuda": False}


class LocalPaths(nn.Module):
    """K residual paths with weights of their own, each on its own cuboid of the volume.

    Parameters
    ----------
    filters
        Widths of each path's residual blocks.
    grid
        Cuboids along X, Y, Z; their product is K.
    grouped
        Run all paths as one computation of K groups of channels (`grouped.run_grouped`), or one
        after the other; None: as `GROUPED` has it for the device.
    """

    def __init__(
        self, filters: Sequence[int], grid: Sequence[int], grouped: bool | None = None
    ) -> None:
        super().__init__()
        self.grid = tuple(grid)
        self.grouped = grouped
        self.paths = nn.ModuleList(ResidualPath(1, filters) for _ in range(math.prod(grid)))

    def forward(self, volume: Tensor) -> Tensor:
        """Map (B, 1, X, Y, Z) to (B, filters[-1], X, Y, Z): cut, transform, fuse in place."""
        pieces = split_grid(volume, self.grid)
        grouped = self.grouped
        if grouped is None:
            grouped = GROUPED.get(volume.device.type, False)
        if grouped:
            return join_channels(run_grouped(self.paths, pieces), self.grid)
        features = [path(piece) for path, piece in zip(self.paths, pieces, strict=True)]
        return join_grid(features, self.grid)


class GlaGan(nn.Module):
    """Globally and locally aware generator: MRI to PET.

    Parameters
    ----------
    filters
        Widths of the residual blocks of every path; the paper's are 64, 64, 128, 64.
    patches
        Number K of local paths: 2, 4 (the paper's choice) or 8; 0 leaves the local module out
        (the paper's Global GAN). `lobes`: a local path for each lobe of the AAL atlas instead of
        cuboids; needs `use_atlas` before training.
    global_path
        False leaves the global module out (the paper's Local GAN).
    grouped
        How the local paths on cuboids run (`LocalPaths`); no result depends on it beyond rounding.

    Raises
    ------
    InputError
        If `patches` is not a known K, or neither module is wanted.

    Notes
    -----
    The width between the two last convolutions is not printed: filters[-1] is taken. Both have
    3x3x3 kernels; batch norm and LeakyReLU stand between them, the sigmoid ends the network.
    """

    def __init__(
        self,
        filters: Sequence[int] = (64, 64, 128, 64),
        patches: int | str = 4,
        global_path: bool = True,
        grouped: bool | None = None,
    ) -> None:
        super().__init__()
        if patches not in (0, *GRIDS, "lobes"):
            known = ", ".join(map(str, GRIDS))
            raise InputError(f"gla_gan: patches is {patches}; known are 0, {known} and lobes")
        if not (global_path or patches):
            raise InputError("gla_gan: without global_path there must be patches")
        self.global_path = ResidualPath(1, filters) if global_path else None
        self.local_paths: LocalPaths | LobePaths | None = None
        if patches:
            grid = GRIDS.get(patches)
            self.local_paths = LocalPaths(filters, grid, grouped) if grid else LobePaths(filters)
        width = filters[-1]
        self.fusion = nn.Sequential(
            Conv3x3x3(width * (global_path + bool(patches)), width, bias=False),
            BatchNorm(width),
            nn.LeakyReLU(LEAK, inplace=True),
            Conv3x3x3(width, 1),
        )
        initialise(self)

    def use_atlas(self, atlas: Tensor, mask: Tensor) -> None:
        """Take the lobes, where they are the patches, from AAL labels and brain mask (X, Y, Z)."""
        if isinstance(self.local_paths, LobePaths):
            self.local_paths.use_atlas(atlas, mask)

    def start_at_mean(self, mean: float) -> None:
        """Give about this intensity (0 to 1) everywhere before training."""
        start_at(self.fusion[-1], math.log(mean / (1 - mean)))

    def forward(self, mri: Tensor) -> Tensor:
        """Map an MRI (B, 1, X, Y, Z), intensities 0 to 1, to a PET of the same shape in 0..1."""
        paths = (self.global_path, self.local_paths)
        features = [path(mri) for path in paths if path is not None]
        first, norm, _, last = self.fusion
        fused = normalised(norm, first(torch.cat(features, dim=1)), LEAK)
        return torch.sigmoid(last(fused).float())


class GlaGanDiscriminator(nn.Module):
    """Six convolutions that tell a real PET from a synthesised one.

    Parameters
    ----------
    filters
        Width of each convolution; the paper's are 64, 128, 256, 512, 64, 1.
    kernels
        Kernel size of each; the paper's are 4, 4, 4, 4, 2, 2.
    strides
        Not printed. By default every layer but the last halves the grid, as in DCGAN, which takes
        64^3 to one value a volume: 64, 32, 16, 8, 4, 2, 1.
    channels
        Of the input: 1 for PET alone (eq. 1), 2 for MRI and PET together (a conditional GAN).

    Notes
    -----
    The output is the logit: the paper's sigmoid is part of the loss (`losses.discriminator_loss`,
    `losses.generator_loss`), where it is computed without overflow in any precision.

    A side that the strides do not divide (56 voxels, cropped to the brain) is filled up with zeros,
    which is what lies around the brain.
    """

    def __init__(
        self,
        filters: Sequence[int] = (64, 128, 256, 512, 64, 1),
        kernels: Sequence[int] = (4, 4, 4, 4, 2, 2),
        strides: Sequence[int] = (2, 2, 2, 2, 2, 1),
        channels: int = 1,
    ) -> None:
        super().__init__()
        if not len(filters) == len(kernels) == len(strides):
            raise InputError(
                "gla_gan_discriminator: filters, kernels and strides must be equally long, found "
                f"{len(filters)}, {len(kernels)} and {len(strides)}"
            )
        layers: list[nn.Module] = []
        widths = itertools.pairwise([channels, *filters])
        for i, ((before, after), kernel, stride) in enumerate(
            zip(widths, kernels, strides, strict=True)
        ):
            last = i == len(filters) - 1
            padding = 1 if kernel > 2 else 0
            layers.append(nn.Conv3d(before, after, kernel, stride, padding, bias=last))
            if not last:
                layers += [nn.BatchNorm3d(after), nn.LeakyReLU(LEAK, inplace=True)]
        self.layers = nn.Sequential(*layers)
        self.reduction = math.prod(strides)
        initialise_normal(self)  # as DCGAN, which the paper follows

    def forward(self, volume: Tensor) -> Tensor:
        """Map (B, channels, X, Y, Z) to logits (B, 1, x, y, z); positive means real."""
        missing = [-size % self.reduction for size in reversed(volume.shape[2:])]
        if any(missing):
            volume = F.pad(volume, [side for more in missing for side in (0, more)])
        return self.layers(volume)
