"""Invertible layers of a 3D flow: part D2 of DUAL-GLOW (Sun et al. 2019, after Glow, Kingma 2018).

Every layer maps (B, C, X, Y, Z) to `(y, log_determinant)` and has an exact `inverse`. The
log-determinant (B,) is that of the layer's Jacobian, a term of the sum in eq. 5. Volumes and
log-determinants stay in float32 (or float64) under autocast.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SCALE_RATE = 3.0  # stored log-scales are multiplied by it: they learn faster (the reference code)
SMALLEST_SD = 1e-6  # a channel that varies less is left at its scale


def squeeze(x: Tensor) -> Tensor:
    """Move each block of 2x2x2 voxels into channels: (B, C, X, Y, Z) to (B, 8C, X/2, Y/2, Z/2)."""
    b, c, *shape = x.shape
    i, j, k = (size // 2 for size in shape)
    blocks = x.reshape(b, c, i, 2, j, 2, k, 2)
    return blocks.permute(0, 1, 3, 5, 7, 2, 4, 6).reshape(b, 8 * c, i, j, k)


def unsqueeze(x: Tensor) -> Tensor:
    """Undo `squeeze`: (B, 8C, X, Y, Z) to (B, C, 2X, 2Y, 2Z)."""
    b, c, i, j, k = x.shape
    blocks = x.reshape(b, c // 8, 2, 2, 2, i, j, k)
    return blocks.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(b, c // 8, 2 * i, 2 * j, 2 * k)


def haar(channels: int) -> Tensor:
    """Orthogonal matrix that turns squeezed blocks of voxels into their Haar wavelet bands.

    Parameters
    ----------
    channels
        After `squeeze`; a multiple of 8.

    Returns
    -------
    Tensor
        (channels, channels). Rows by the number of directions in which a band is a difference:
        first the blocks' means, so that the first half of the channels holds the coarse image.
    """
    pair = torch.tensor([[1.0, 1.0], [1.0, -1.0]]) / math.sqrt(2)
    bands = torch.kron(torch.kron(pair, pair), pair)[[0, 1, 2, 4, 3, 5, 6, 7]]
    each = torch.eye(channels // 8)
    return torch.einsum("bo,cd->bcdo", bands, each).reshape(channels, channels)


class DataInitialised(nn.Module):
    """A layer whose shift and scale are set from the first batch it is trained on.

    The buffer `initialised` says whether that has happened, so that training goes on from a
    checkpoint without doing it again. In evaluation mode nothing is set.

    Parameters
    ----------
    channels
        Channels that are normalised.

    Notes
    -----
    A channel without variance, such as any where the batch holds one voxel, keeps its scale.
    """

    initialised: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(channels))
        self.log_scale = nn.Parameter(torch.zeros(channels))
        self.register_buffer("initialised", torch.tensor(False))
        self._known = False  # spares a GPU the question of the buffer at every step

    def scale(self) -> tuple[Tensor, Tensor]:
        """Return the scale (C,) and its logarithm."""
        log_scale = SCALE_RATE * self.log_scale
        return log_scale.exp(), log_scale

    @property
    def wants_data(self) -> bool:
        """Whether the next batch is to set shift and scale."""
        if self._known or not self.training:
            return False
        self._known = bool(self.initialised)
        return not self._known

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Set shift and scale such that `(x + shift) * scale` has mean 0 and variance 1.

        Parameters
        ----------
        x
            (B, C, X, Y, Z), any B and grid; statistics are over all but C.
        """
        whole = x if x.dtype == torch.float64 else x.float()
        variance, mean = torch.var_mean(whole, (0, 2, 3, 4), correction=0)
        sd = variance.sqrt()
        log_scale = torch.where(sd > SMALLEST_SD, -sd.clamp_min(SMALLEST_SD).log(), 0.0)
        self.shift.copy_(-mean)
        self.log_scale.copy_(log_scale / SCALE_RATE)
        self.initialised.fill_(True)
        self._known = True

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self._known = False


class ActNorm(DataInitialised):
    """Shift and scale of each channel, set from the first batch (Glow, section 3.1)."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return `(x + shift) * scale` and its log-determinant (B,)."""
        if self.wants_data:
            self.initialise(x)
        scale, log_scale = self.scale()
        y = (x + self.shift.view(1, -1, 1, 1, 1)) * scale.view(1, -1, 1, 1, 1)
        return y, _a_volume(log_scale.sum(), x)

    def inverse(self, y: Tensor) -> Tensor:
        """Return x."""
        scale, _ = self.scale()
        return y / scale.view(1, -1, 1, 1, 1) - self.shift.view(1, -1, 1, 1, 1)


class InvertibleConv(nn.Module):
    """Invertible 1x1x1 convolution: every voxel's channels times one matrix (Glow, section 3.2).

    Parameters
    ----------
    channels
        C.
    lu
        Keep the matrix as P L (U + diag(s)) (Glow, eq. 10-11): the log-determinant is then a sum,
        at the price of putting the matrix together at each step. By default it is one plain
        C x C matrix, as in the reference code.
    start
        C x C matrix to start from, which is copied; None for a random orthogonal one.

    Notes
    -----
    It is computed as a product of matrices. cuDNN's convolutions round float32 factors to TF32 on
    newer GPUs unless told otherwise (`training.tf32`); the inverse would then miss by a thousandth
    at each step. Products of matrices are rounded only where someone asks for it. The other layers
    that are inverted work element by element.
    """

    permutation: Tensor
    sign: Tensor

    def __init__(self, channels: int, lu: bool = False, start: Tensor | None = None) -> None:
        super().__init__()
        self.lu = lu
        if start is None:
            start = nn.init.orthogonal_(torch.empty(channels, channels))
        if not lu:
            self.weight = nn.Parameter(start.clone())  # whoever gave it may give it to others
            return
        p, lower, upper = torch.linalg.lu(start)
        diagonal = upper.diagonal()
        self.register_buffer("permutation", p)
        self.register_buffer("sign", diagonal.sign())
        self.lower = nn.Parameter(lower.tril(-1))
        self.upper = nn.Parameter(upper.triu(1))
        self.log_diagonal = nn.Parameter(diagonal.abs().log())

    def matrix(self) -> Tensor:
        """Return the C x C matrix."""
        if not self.lu:
            return self.weight
        lower = self.lower.tril(-1) + torch.eye(len(self.lower)).to(self.lower)
        upper = self.upper.triu(1) + torch.diag(self.sign * self.log_diagonal.exp())
        return self.permutation @ lower @ upper

    def log_determinant(self) -> Tensor:
        """Return log |det| of the matrix, computed in float64, as a scalar."""
        if self.lu:
            return self.log_diagonal.sum()
        return torch.linalg.slogdet(self.weight.double()).logabsdet.to(self.weight.dtype)

    def forward(self, x: Tensor, log_determinant: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return y and the log-determinant (B,); `log_determinant` is used if already known."""
        if log_determinant is None:
            log_determinant = self.log_determinant()
        with torch.autocast(x.device.type, enabled=False):
            y = _product(self.matrix(), x)
        return y, _a_volume(log_determinant, x)

    def inverse(self, y: Tensor) -> Tensor:
        """Return x; the matrix is inverted once a call, in float64."""
        with torch.autocast(y.device.type, enabled=False):
            inverse = torch.linalg.inv(self.matrix().double()).to(y.dtype)
            return _product(inverse, y)


def _product(matrix: Tensor, x: Tensor) -> Tensor:
    """Multiply every voxel's channels by a matrix (C, C), the layout in memory staying as it is."""
    if x.is_contiguous(memory_format=torch.channels_last_3d) and not x.is_contiguous():
        return F.linear(x.movedim(1, -1), matrix).movedim(-1, 1)
    return torch.bmm(matrix.expand(len(x), -1, -1), x.flatten(2)).view(x.shape)


def _a_volume(a_voxel: Tensor, x: Tensor) -> Tensor:
    """From a log-determinant a voxel to that of each volume, (B,)."""
    return (a_voxel * math.prod(x.shape[2:])).expand(len(x))
