"""Standardisation of each voxel over a training set, as the first layer of a flow (an option)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mri2pet.errors import InputError

SMOOTHING = 3  # side in voxels of the box over which variances are pooled


class VoxelNorm(nn.Module):
    """Subtract each voxel's mean and divide by its standard deviation, both fixed.

    Not in the paper. A flow of few steps and little training spends most of them on learning where
    the brain is; given that, the mean code already decodes to the mean volume. The layer is
    invertible with a constant log-determinant, so that likelihoods remain what they are.

    Parameters
    ----------
    grid
        X, Y, Z of the volumes; None for a layer that does nothing.
    bins
        Grey levels of a unit; the noise U(0, 1 / bins) adds to mean and variance.
    network
        Whose layer it is, for messages.
    """

    mean: Tensor
    log_sd: Tensor

    def __init__(self, grid: Sequence[int] | None, bins: int, network: str = "dual_glow") -> None:
        super().__init__()
        self.network = network
        self.grid = None if grid is None else tuple(grid)
        self.bins = bins
        if self.grid is not None:
            self.register_buffer("mean", torch.zeros(1, 1, *self.grid))
            self.register_buffer("log_sd", torch.zeros(1, 1, *self.grid))

    @torch.no_grad()
    def fit(self, volumes: Tensor) -> None:
        """Set mean and standard deviation from training volumes (N, 1, X, Y, Z) without noise.

        Variances are averaged over 3x3x3 voxels: of a few volumes, one voxel's own says little.
        """
        if self.grid is None:
            return
        self._check(volumes)
        mean = volumes.mean(0, keepdim=True)
        squares = torch.zeros_like(mean)
        for volume in volumes.split(1):  # not all at once: a training set may be large
            squares += (volume - mean).square() / len(volumes)
        pooled = nn.functional.avg_pool3d(
            squares, SMOOTHING, stride=1, padding=SMOOTHING // 2, count_include_pad=False
        )
        self.mean.copy_(mean + 0.5 / self.bins)
        self.log_sd.copy_(0.5 * (pooled + 1 / (12 * self.bins**2)).log())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the standardised volumes (B, 1, X, Y, Z) and the log-determinant (B,)."""
        if self.grid is None:
            return x, x.new_zeros(len(x))
        self._check(x)
        return (x - self.mean) * (-self.log_sd).exp(), -self.log_sd.sum().expand(len(x))

    def inverse(self, y: Tensor) -> Tensor:
        """Return x."""
        if self.grid is None:
            return y
        return y * self.log_sd.exp() + self.mean

    def _check(self, volumes: Tensor) -> None:
        if tuple(volumes.shape[2:]) != self.grid:
            raise InputError(
                f"{self.network}: grid is {list(self.grid or ())} and a volume is "
                f"{list(volumes.shape[2:])}; they must be the same"
            )
