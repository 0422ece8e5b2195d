"""A linear model of every voxel's PET, from maps of the MRI there and around it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mri2pet.errors import InputError
from mri2pet.imaging.separable import blur_matrix

FWHM_TO_SIGMA = 0.42466  # 1 / sqrt(8 ln 2)
REACH = 4.0  # standard deviations at which a Gaussian ends
FIRST = "mri"  # the first channel of what it is shown, whether a feature is made of it or not
FITTED = ("coefficients", "means", "mean_pet", "voxel_mm")  # of a state dict


class LocalRegression(nn.Module):
    """The mean PET, plus each feature's difference from its mean times a map of coefficients.

    It is solved and not trained (`training.local_regression`); until then it holds nothing.

    Parameters
    ----------
    features
        Map, an array of the dataset such as `mri` or `gm`, to the widths of the Gaussians that it
        is smoothed with: full width at half maximum in mm, 0 for the map as it is.

    Attributes
    ----------
    channels
        Maps in the order of the input's channels: `mri`, then the others as they are named.
    coefficients, means
        (1, features, X, Y, Z) float32, in the order of the widths, map by map.
    mean_pet
        (1, 1, X, Y, Z) float32.
    voxel_mm
        (3,), sides of a voxel in mm.
    """

    def __init__(self, features: Mapping[str, Sequence[float]]) -> None:
        super().__init__()
        self.channels = [FIRST, *(name for name in features if name != FIRST)]
        self.widths = [
            (self.channels.index(name), float(width))
            for name, widths in features.items()
            for width in widths
        ]
        if not self.widths or min(width for _, width in self.widths) < 0:
            raise ValueError("features needs a map with a width, and no width below 0")
        for name in FITTED:
            setattr(self, name, _kept(torch.empty(0)))

    def fill(self, **fitted: Tensor) -> None:
        """Set `FITTED`, any of them, in the shapes that `LocalRegression` names."""
        for name, value in fitted.items():
            setattr(self, name, _kept(value))

    def features(self, volumes: Tensor) -> Iterator[Tensor]:
        """Yield each feature (B, 1, X, Y, Z) of volumes (B, channels, X, Y, Z).

        Raises
        ------
        InputError
            The volumes have another number of channels.
        """
        if volumes.shape[1] != len(self.channels):
            raise InputError(
                f"local_regression: {volumes.shape[1]} maps are given; it is made for "
                f"{', '.join(self.channels)}"
            )
        sides = [float(side) for side in self.voxel_mm]
        for channel, width in self.widths:
            volume = volumes[:, channel : channel + 1]
            yield blur(volume, [width * FWHM_TO_SIGMA / side for side in sides])

    def forward(self, volumes: Tensor) -> Tensor:
        """Map (B, channels, X, Y, Z) to PET (B, 1, X, Y, Z), 0 to 1.

        Raises
        ------
        InputError
            The volumes have another grid than those that it was solved on.
        """
        found, own = tuple(volumes.shape[2:]), tuple(self.mean_pet.shape[2:])
        if found != own:
            raise InputError(f"local_regression: volumes of {found} voxels; it takes {own} alone")
        pet = self.mean_pet.expand(len(volumes), -1, -1, -1, -1).clone()
        for place, feature in enumerate(self.features(volumes)):
            at = slice(place, place + 1)
            pet += self.coefficients[:, at] * (feature - self.means[:, at])
        return pet.clamp_(0, 1)

    def _load_from_state_dict(
        self, state_dict: Mapping[str, Tensor], prefix: str, *args: Any
    ) -> None:
        """Take maps of any grid: it is not in the configuration."""
        wanted = {"coefficients": len(self.widths), "means": len(self.widths), "mean_pet": 1}
        for name in FITTED:
            value = state_dict.get(prefix + name)
            if value is not None and (name not in wanted or value.shape[1:2] == (wanted[name],)):
                setattr(self, name, _kept(torch.empty_like(value)))
        super()._load_from_state_dict(state_dict, prefix, *args)


def blur(volumes: Tensor, sigma: Sequence[float]) -> Tensor:
    """Filter (..., X, Y, Z) with a Gaussian, zero beyond the edges; sd in voxels, an axis each."""
    for axis, width in zip((-1, -2, -3), reversed(sigma), strict=True):
        if width:
            matrix = torch.tensor(blur_matrix(volumes.shape[axis], width, REACH))
            matrix = matrix.to(volumes.device, volumes.dtype)
            volumes = (volumes.movedim(axis, -1) @ matrix.T).movedim(-1, axis)
    return volumes


def _kept(value: Tensor) -> nn.Parameter:
    return nn.Parameter(value, requires_grad=False)
