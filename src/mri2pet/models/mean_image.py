"""A start at the mean image: first and last layer of a network that begins there (an option)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mri2pet.errors import InputError
from mri2pet.models.blocks import start_at
from mri2pet.models.voxel_norm import VoxelNorm

BINS = 256  # grey levels: a voxel that is the same in all training people has the sd of one level


class MeanImage(nn.Module):
    """Let a network make the difference of a person's PET from the mean PET, in its sd's.

    In no paper; DUAL-GLOW's flows begin so with `standardise` (`VoxelNorm`). A short training then
    has to find neither where the brain is nor its mean image. A network of convolutions needs two
    things more, without which few people teach it nothing:

    - What a darker voxel of the MRI means for the PET depends on the tissue that is there, which a
      standardised MRI does not show. So the network sees the mean MRI and the mean PET beside it.
    - It runs twice, on the MRI and on its mirror image about the mean, as much brighter as this
      one is darker; half the difference of the outputs counts. So the mean MRI gives the mean PET
      whatever is learnt, and features that all people share neither add to the PET nor are pulled
      by the error of the few people of a batch.

    All that synthesis needs is in the state dict.

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

    CHANNELS = 3  # of what the network sees

    def __init__(self, grid: Sequence[int] | None, network: str) -> None:
        super().__init__()
        if grid is None:
            raise InputError(f"{network}: standardise needs the volumes' grid")
        self.mri_norm = VoxelNorm(grid, BINS, network)
        self.pet_norm = VoxelNorm(grid, BINS, network)

    def fit(self, mri: Tensor, pet: Tensor, last: nn.Conv3d) -> None:
        """Take the training people's statistics, and let the network give their mean PET.

        Parameters
        ----------
        mri, pet
            (N, 1, X, Y, Z), 0 to 1.
        last
            The network's last convolution, which is set to zero.
        """
        self.mri_norm.fit(mri)
        self.pet_norm.fit(pet)
        start_at(last, 0.0, shrink=0.0)

    def shown(self, mri: Tensor) -> Tensor:
        """Return what the network sees of MRI (B, 1, X, Y, Z): (2B, 3, X, Y, Z).

        The MRI less its mean and over its sd, voxel by voxel, and mirrored; then both means, each
        standardised over the volume.
        """
        own = mirrored(self.mri_norm(mri + 0.5 / BINS)[0])
        means = torch.cat([self.mri_norm.mean, self.pet_norm.mean], dim=1)
        means = means - means.mean(dim=(2, 3, 4), keepdim=True)
        means = means / means.square().mean(dim=(2, 3, 4), keepdim=True).sqrt().clamp(min=1 / BINS)
        return torch.cat([own, means.to(own.dtype).expand(len(own), -1, -1, -1, -1)], dim=1)

    def made(self, outputs: Tensor) -> Tensor:
        """Return the PET (B, 1, X, Y, Z), 0 to 1, of outputs (2B, 1, X, Y, Z)."""
        own, of_mirrored = outputs.chunk(2)
        differences = (own - of_mirrored) / 2
        return (self.pet_norm.inverse(differences) - 0.5 / BINS).clamp(0, 1)


def mirrored(values: Tensor) -> Tensor:
    """Return values (B, ...) and, after them, their mirror images about zero: (2B, ...)."""
    return torch.cat([values, -values])
