"""3x3x3 convolution that is fast for few channels on a CPU."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from mri2pet.models.native import operations as native
from mri2pet.models.native.library import kernels
from mri2pet.models.norm import CHANNELS_LAST

FEW = 4  # channels before and after, at most; above, torch's own is the faster
NARROW = 32  # channels of slices, at most, for which fast norms are worth more than the layout
STRIDE = 4  # neighbours along z that are taken together


class Conv3x3x3(nn.Conv3d):
    """`torch.nn.Conv3d` of kernel 3, stride 1, which keeps the grid; fast for few channels.

    The compiled kernels do it where they can (`native.operations`). Without a compiler, in
    channels-last memory: a processor multiplies eight or sixteen numbers at once, and of a volume
    with four channels innermost torch gives it four. Four neighbours along z with their channels
    are as many channels of a volume a quarter as long, without a copy; each needs six neighbours
    of the input. The same products and sums: a fifth faster at two volumes, ten times at one.

    Parameters
    ----------
    channels_in, channels_out
        Width before and after.
    bias
        Add one.
    dilation
        Voxels from one tap to the next.
    padding_mode
        `zeros` or `reflect`.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        bias: bool = True,
        dilation: int = 1,
        padding_mode: str = "zeros",
    ) -> None:
        super().__init__(
            *(channels_in, channels_out, 3),
            padding=dilation,
            dilation=dilation,
            bias=bias,
            padding_mode=padding_mode,
        )
        self.few = native.few_channels(channels_in, channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, channels_in, X, Y, Z) to (B, channels_out, X, Y, Z)."""
        if native.faster(x, self.in_channels, self.out_channels):
            return self._by_kernel(x)
        # One input channel is as fast in torch.
        few = 1 < self.in_channels <= FEW and self.out_channels <= FEW
        plain = x.device.type == "cpu" and x.dtype == self.weight.dtype == torch.float32
        usual = self.dilation[0] == 1 and self.padding_mode == "zeros"
        if not (few and plain and usual and x.shape[4] % STRIDE == 0):
            return super().forward(x)
        if not x.is_contiguous(memory_format=torch.channels_last_3d):
            return super().forward(x)
        bias = None if self.bias is None else self.bias.repeat(STRIDE)
        out = F.conv3d(_Windows.apply(x), _widen(self.weight), bias, padding=(1, 1, 0))
        return _part(out)

    def _by_kernel(self, x: Tensor) -> Tensor:
        step = self.dilation[0]
        if self.padding_mode == "reflect":
            x = F.pad(x, (step,) * 6, mode="reflect")
        padding = step if self.padding_mode == "zeros" else 0
        return native.convolve(x, self.weight, self.bias, padding=padding, dilation=step)


def layout_of(network: nn.Module, device: torch.device, dimensions: int = 3) -> torch.memory_format:
    """Return how a network's volumes (3 dimensions) or slices (2) are best kept in memory.

    With channels innermost, except where the kernels compiled for the processor take part of it:
    convolutions of volumes, or the norms of narrow networks of slices.
    """
    if dimensions == 3:
        few = any(isinstance(layer, Conv3x3x3) and layer.few for layer in network.modules())
    else:
        widths = [layer.out_channels for layer in network.modules() if isinstance(layer, nn.Conv2d)]
        few = bool(widths) and max(widths) <= NARROW
    if few and device.type == "cpu" and kernels() is not None:
        return torch.contiguous_format
    return CHANNELS_LAST[dimensions + 2]


def _widen(weight: Tensor) -> Tensor:
    """Make of (O, I, 3, 3, 3) the weights (4 O, 6 I, 3, 3, 1) of four neighbours at once."""
    after, before = weight.shape[:2]
    wide = weight.new_zeros(STRIDE, after, STRIDE + 2, before, 3, 3)
    for place in range(STRIDE):
        wide[place, :, place : place + 3] = weight.permute(0, 4, 1, 2, 3)
    return wide.view(STRIDE * after, (STRIDE + 2) * before, 3, 3, 1)


def _part(x: Tensor) -> Tensor:
    """View channels-last (B, 4 C, X, Y, Z / 4) as (B, C, X, Y, Z)."""
    batch, channels, *plane, length = x.shape
    rows = x.contiguous(memory_format=torch.channels_last_3d).permute(0, 2, 3, 4, 1)
    rows = rows.reshape(batch, *plane, length * STRIDE, channels // STRIDE)
    return rows.permute(0, 4, 1, 2, 3)


class _Windows(torch.autograd.Function):
    """From (B, C, X, Y, Z) to (B, 6 C, X, Y, Z / 4): four neighbours and one on either side."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        batch, channels, *plane, size = x.shape
        ctx.shape = x.shape
        own = x.permute(0, 2, 3, 4, 1).reshape(-1, size // STRIDE, STRIDE * channels)
        out = x.new_empty(len(own), size // STRIDE, (STRIDE + 2) * channels)
        out[:, :, channels:-channels] = own
        out[:, 0, :channels] = 0
        out[:, 1:, :channels] = own[:, :-1, -channels:]
        out[:, -1, -channels:] = 0
        out[:, :-1, -channels:] = own[:, 1:, :channels]
        out = out.view(batch, *plane, size // STRIDE, (STRIDE + 2) * channels)
        return out.permute(0, 4, 1, 2, 3)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        batch, channels, *plane, size = ctx.shape
        wide = gradient.permute(0, 2, 3, 4, 1)
        wide = wide.reshape(-1, size // STRIDE, (STRIDE + 2) * channels)
        own = wide[:, :, channels:-channels].contiguous()
        own[:, :-1, -channels:] += wide[:, 1:, :channels]
        own[:, 1:, :channels] += wide[:, :-1, -channels:]
        return own.view(batch, *plane, size, channels).permute(0, 4, 1, 2, 3)
