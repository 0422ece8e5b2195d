"""Batch and instance normalisation that are fast for few channels on a CPU."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

FEW_FOR_BATCH = 8  # torch's own is slow for fewer channels than these, and the faster from there
FEW_FOR_INSTANCE = 64
FOLD = 64  # voxels put side by side instead
CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}  # by the number of axes


class BatchNorm(nn.BatchNorm3d):
    """`torch.nn.BatchNorm3d`; where torch is slow, the same sums in another order.

    Small networks spend a third of their time in batch norm: where channels are innermost in
    memory, torch's kernel works on one voxel's channels side by side. For few channels, in
    training on a CPU, `_FewChannels` takes several voxels at once.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, X, Y, Z) to the same shape."""
        tracked = self.affine and self.track_running_stats
        if not (self.training and tracked and _fits(x, FEW_FOR_BATCH)):
            return super().forward(x)
        count = x.numel() // x.shape[1]
        out, mean, variance = _FewChannels.apply(x, self.weight, self.bias, self.eps, 1)
        with torch.no_grad():
            self.num_batches_tracked.add_(1)
            share = self.momentum
            if share is None:
                share = 1 / float(self.num_batches_tracked)
            self.running_mean.lerp_(mean[0], share)
            self.running_var.lerp_(variance[0] * (count / (count - 1)), share)
        return out


class InstanceNorm(nn.Module):
    """`torch.nn.InstanceNorm3d` (or 2d) without weights and statistics, fast in the same way.

    torch's own copies the volumes into another layout and back.

    Parameters
    ----------
    channels
        Of volumes or slices, for the printed form alone.
    eps
        Added to the variance.
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.channels = channels
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, X, Y[, Z]) to the same shape; each channel of each volume by itself."""
        if not _fits(x, FEW_FOR_INSTANCE):
            return nn.functional.instance_norm(x, eps=self.eps)
        ones = x.new_ones(x.shape[1])
        return _FewChannels.apply(x, ones, torch.zeros_like(ones), self.eps, len(x))[0]

    def extra_repr(self) -> str:
        """Describe the layer."""
        return f"{self.channels}, eps={self.eps}"


def _fits(x: Tensor, few: int) -> bool:
    """Tell whether volumes lie and are such that `_FewChannels` takes them, and fast."""
    plain = x.device.type == "cpu" and x.dtype == torch.float32 and x.shape[1] < few
    return plain and x.is_contiguous(memory_format=CHANNELS_LAST[x.ndim])


class _FewChannels(torch.autograd.Function):
    """Normalisation of channels-last volumes as sums over rows of many voxels each.

    With one group, all volumes are normalised together (batch norm); with as many groups as
    volumes, each by itself (instance norm).
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float, groups: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        channels = x.shape[1]
        rows = _rows(x, groups)
        count = rows[0].numel() // channels
        mean = _channel_sums(rows, channels) / count
        centred = rows - _spread(mean, rows)
        variance = _channel_sums(centred * centred, channels) / count
        inverse = torch.rsqrt(variance + eps)
        out = torch.empty_like(x)  # not a view: what follows may change it in place
        shift = _spread(bias.expand_as(mean), rows)
        torch.addcmul(shift, centred, _spread(weight * inverse, rows), out=_rows(out, groups))
        ctx.save_for_backward(centred, inverse, weight)
        ctx.mark_non_differentiable(mean, variance)
        return out, mean, variance

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, gradient: Tensor, *_: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, None, None]:
        centred, inverse, weight = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=CHANNELS_LAST[gradient.ndim])
        groups, channels = inverse.shape
        rows = _rows(gradient, groups)
        count = rows[0].numel() // channels
        result = torch.empty_like(gradient)
        product = torch.mul(rows, centred, out=_rows(result, groups))
        of_bias = _channel_sums(rows, channels)
        of_weight = _channel_sums(product, channels) * inverse
        scale = weight * inverse
        # scale * (gradient - its mean - normalised * mean of gradient times normalised)
        torch.addcmul(
            _spread(-scale * of_bias / count, rows),
            centred,
            _spread(-scale * inverse * of_weight / count, rows),
            out=product,
        )
        product.addcmul_(rows, _spread(scale, rows))
        return result, of_weight.sum(dim=0), of_bias.sum(dim=0), None, None


def _rows(x: Tensor, groups: int) -> Tensor:
    """View channels-last (B, C, ...) as (groups, rows, several voxels with their channels)."""
    voxels = x.numel() // x.shape[1] // groups
    return x.movedim(1, -1).reshape(groups, -1, math.gcd(voxels, FOLD) * x.shape[1])


def _channel_sums(rows: Tensor, channels: int) -> Tensor:
    """Sum rows over all voxels of a group: (groups, channels)."""
    return rows.sum(dim=1).view(len(rows), -1, channels).sum(dim=1)


def _spread(values: Tensor, rows: Tensor) -> Tensor:
    """Repeat (groups, channels) to go with every voxel of `rows`: (groups, 1, row)."""
    return values.repeat(1, rows.shape[2] // values.shape[1])[:, None]
