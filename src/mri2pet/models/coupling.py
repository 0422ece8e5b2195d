"""Affine coupling of a 3D flow (eq. 13 to 15 of DUAL-GLOW, part D2) and its convolutions.

The convolutions need not be inverted, so under autocast they alone run in lower precision.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mri2pet.models.glow_layers import SCALE_RATE, DataInitialised
from mri2pet.models.native import operations as native

INITIAL_SCALE = 2.0  # couplings start at exp(s) = sigmoid(2) = .88
SMALLEST_SCALE = 1e-3  # no inverse divides by less


class EdgeConv(nn.Module):
    """3x3x3 convolution that is told where the volume ends.

    As if the input had one more channel, 0 inside and 1 in the padding. That channel's part is the
    same for all volumes, so it is computed once and added, which spares a copy of the input.

    Parameters
    ----------
    channels_in, channels_out
        Widths.
    sd
        Of the normal distribution that the weights start from; 0 for zeros.
    """

    def __init__(self, channels_in: int, channels_out: int, sd: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels_out, channels_in, 3, 3, 3) * sd)
        self.edge = nn.Parameter(torch.randn(channels_out, 1, 3, 3, 3) * sd)

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Return `scale * convolution(x) + shift`, with the scale folded into the weights."""
        scale = scale.view(-1, 1, 1, 1, 1)
        y = native.conv3d(x, self.weight * scale, shift)
        outside = F.pad(x.new_zeros(1, 1, *x.shape[2:]), (1,) * 6, value=1.0)
        return y + native.conv3d(outside, self.edge * scale, padding=0)


class HiddenConv(DataInitialised):
    """Convolution, actnorm and ReLU inside a coupling.

    The actnorm is folded into the weights, so that backpropagation keeps one volume of the
    layer's width instead of three.

    Parameters
    ----------
    channels_in, channels_out
        Widths.
    kernel
        3 (with the edge indicator) or 1.
    """

    def __init__(self, channels_in: int, channels_out: int, kernel: int) -> None:
        super().__init__(channels_out)
        self.edge_conv = EdgeConv(channels_in, channels_out, sd=0.05) if kernel == 3 else None
        if self.edge_conv is None:
            self.weight = nn.Parameter(torch.randn(channels_out, channels_in, 1, 1, 1) * 0.05)

    def _convolve(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        if self.edge_conv is not None:
            return self.edge_conv(x, scale, shift)
        return F.conv3d(x, self.weight * scale.view(-1, 1, 1, 1, 1), shift)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, channels_in, X, Y, Z) to (B, channels_out, X, Y, Z)."""
        if self.wants_data:
            with torch.no_grad():
                plain = self._convolve(x, torch.ones_like(self.shift), torch.zeros_like(self.shift))
            self.initialise(plain)
        scale, _ = self.scale()
        return F.relu_(self._convolve(x, scale, self.shift * scale))


class AffineCoupling(nn.Module):
    """Affine coupling (eq. 13): half of the channels set scale and shift of the others.

    Parameters
    ----------
    channels
        C, even.
    width
        Of the two hidden layers; the reference code's is 512.

    Notes
    -----
    s and t come from three 3D convolutions (3x3x3, 1x1x1, 3x3x3; the paper gives their number,
    the reference code the kernels). The last starts at zero. The scale exp(s) is sigmoid(h + 2),
    below one, as in the reference code, but never below .001: the inverse stays finite.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.hidden = nn.Sequential(
            HiddenConv(channels // 2, width, 3), HiddenConv(width, width, 1)
        )
        self.last = EdgeConv(width, channels, sd=0.0)
        self.shift = nn.Parameter(torch.zeros(channels))
        self.log_scale = nn.Parameter(torch.zeros(channels))

    def _terms(self, a: Tensor) -> tuple[Tensor, Tensor]:
        scale = (SCALE_RATE * self.log_scale).exp()
        h = self.last(self.hidden(a), scale, self.shift * scale).to(a.dtype)
        t, s = h.chunk(2, dim=1)
        scale = SMALLEST_SCALE + (1 - SMALLEST_SCALE) * torch.sigmoid(s + INITIAL_SCALE)
        return scale.log(), t

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (a, b exp(s(a)) + t(a)) for x = (a, b), and the sum of s (B,) (eq. 15)."""
        a, b = x.chunk(2, dim=1)
        s, t = self._terms(a)
        return torch.cat([a, b * s.exp() + t], dim=1), s.flatten(1).sum(1)

    def inverse(self, y: Tensor) -> Tensor:
        """Return (a, (b - t(a)) exp(-s(a))) (eq. 14)."""
        a, b = y.chunk(2, dim=1)
        s, t = self._terms(a)
        return torch.cat([a, (b - t) * (-s).exp()], dim=1)
