"""Conditional variational autoencoder (Sohn 2015) on a U-Net (Esser 2018): C-VAE of part D7.

DUAL-GLOW's paper names the two works and gives no layers. From Sohn: a prior network that gives
the code's distribution from the MRI, a recognition network that gives it from MRI and PET, and
synthesis with the mean of the prior. From Esser: the decoder is that of a U-Net, which the MRI
reaches through skip connections; the code joins in at the coarsest grid.
"""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mri2pet.errors import InputError
from mri2pet.models.blocks import initialise, start_at
from mri2pet.models.mean_image import mirrored
from mri2pet.models.relation import LOG_SIGMA_LIMIT, Gaussian
from mri2pet.models.unet3d import DoubleConvolution, UNet3d, encode


class GaussianHead(nn.Conv3d):
    """From features to mean and log sigma of a code, voxel by voxel.

    Training begins near N(0, I), with a log sigma that stays within +-5.
    """

    def __init__(self, features: int, code: int) -> None:
        super().__init__(features, 2 * code, 1)
        start_at(self, 0.0)

    def forward(self, features: Tensor) -> Gaussian:
        """Map (B, features, x, y, z) to mean and log sigma, (B, code, x, y, z) float32 each."""
        mean, log_sigma = super().forward(features).float().chunk(2, dim=1)
        return mean, LOG_SIGMA_LIMIT * torch.tanh(log_sigma / LOG_SIGMA_LIMIT)


class Recognition(nn.Module):
    """q(code | MRI, PET), which training alone needs: the way down of a U-Net on both scans.

    Parameters
    ----------
    filters
        As the generator's.
    code
        Channels of the code.
    """

    def __init__(self, filters: Sequence[int], code: int) -> None:
        super().__init__()
        self.first = DoubleConvolution(2, filters[0])
        self.down = nn.ModuleList(DoubleConvolution(*pair) for pair in itertools.pairwise(filters))
        initialise(self)
        self.head = GaussianHead(filters[-1], code)

    def forward(self, mri: Tensor, pet: Tensor) -> Gaussian:
        """Map MRI and PET (B, 1, X, Y, Z) to mean and log sigma of the code."""
        both = torch.cat([mri, pet.to(mri.dtype)], dim=1)
        return self.head(encode(self.first, self.down, both)[-1])


class CVae(UNet3d):
    """Prior and decoder: MRI and a code to PET.

    Parameters
    ----------
    filters
        Width of each level, as of `UNet3d`: the sides of a volume must be divisible by
        2 ** (len(filters) - 1).
    code
        Channels of the code, one vector a voxel of the coarsest grid.
    standardise, grid
        As of `UNet3d`; the recognition network sees the MRI as it is.

    Raises
    ------
    InputError
        If the code has no channel, or as `UNet3d`.
    """

    def __init__(
        self,
        filters: Sequence[int] = (32, 64, 128, 256),
        code: int = 32,
        standardise: bool = False,
        grid: Sequence[int] | None = None,
    ) -> None:
        super().__init__(filters, standardise=standardise, grid=grid)
        if code < 1:
            raise InputError(f"cvae: code {code} must be 1 or more")
        self.filters, self.channels = tuple(filters), code
        self.prior = GaussianHead(filters[-1], code)
        self.join = nn.Conv3d(code, filters[-1], 1)
        start_at(self.join, 0.0)  # a drawn code is noise before it is learnt

    def make_recognition(self) -> Recognition:
        """Make a recognition network that goes with this generator, with weights of its own."""
        return Recognition(self.filters, self.channels)

    def forward(self, mri: Tensor) -> Tensor:
        """Map an MRI (B, 1, X, Y, Z), 0 to 1, to the PET of the prior's mean code, 0 to 1."""
        features = self.encode(mri)
        mean, _ = self.prior(features[-1][: len(mri)])
        return self._with_code(features, mean)

    def reconstruct(self, mri: Tensor, code: Tensor) -> tuple[Tensor, Gaussian]:
        """Return the PET of an MRI and a given code, and the prior that this MRI has."""
        features = self.encode(mri)
        return self._with_code(features, code), self.prior(features[-1][: len(mri)])

    def _with_code(self, features: list[Tensor], code: Tensor) -> Tensor:
        """Decode, the code being added to the coarsest features by a linear map."""
        *finer, coarsest = features
        code = code if self.from_mean is None else mirrored(code)
        return self.decode([*finer, coarsest + self.join(code).to(coarsest.dtype)])
