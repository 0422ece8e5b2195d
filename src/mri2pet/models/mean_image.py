"""A start at the mean image: first and last layer of a network that begins there (an option)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mri2pet.errors import InputError
from mri2pet.models.blocks import start_at
from mri2pet.models.voxel_norm import VoxelNorm

BINS = 256  # grey levels: a voxel that is the same in all training people has the sd of one level
LEAST = 0.005  # of a mean, and of its distance from one: logits stay finite


class MeanImage(nn.Module):
    """Standardise what a network is shown, and add what it makes to the mean target.

    As of DUAL-GLOW's flows with `standardise` (`VoxelNorm`): a short training has to find neither
    where the brain is nor its mean image, and learns how people differ from it. All that synthesis
    needs is in the state dict.

    Parameters
    ----------
    grid
        X, Y, Z of the volumes.
    network
        Its name, for messages.

    Raises
    ------
    InputError
        Without a grid; in use, for a volume of another one.
    """

    mean: Tensor

    def __init__(self, grid: Sequence[int] | None, network: str) -> None:
        super().__init__()
        if grid is None:
            raise InputError(f"{network}: standardise needs the volumes' grid")
        self.shown = VoxelNorm(grid, BINS, network)
        self.register_buffer("mean", torch.zeros(1, 1, *grid))

    @torch.no_grad()
    def fit(self, source: Tensor, target: Tensor, last: nn.Conv3d) -> None:
        """Take the training people's statistics, and let the network give their mean target.

        Parameters
        ----------
        source, target
            (N, 1, X, Y, Z), 0 to 1.
        last
            The network's last convolution, which is set to zero.
        """
        self.shown.fit(source)
        mean = target.double().mean(dim=0, keepdim=True).clamp(LEAST, 1 - LEAST)
        self.mean.copy_(mean.logit())
        start_at(last, 0.0, shrink=0.0)

    def standardised(self, volumes: Tensor) -> Tensor:
        """Return volumes (B, 1, X, Y, Z), each voxel less its mean and over its sd."""
        return self.shown(volumes + 0.5 / BINS)[0]

    def added(self, logits: Tensor) -> Tensor:
        """Return logits (B, 1, X, Y, Z) plus those of the mean target."""
        return logits + self.mean
