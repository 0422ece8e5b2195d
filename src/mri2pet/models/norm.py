"""Batch and instance normalisation that are fast for few channels on a CPU."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from mri2pet.models.native import operations as native

FEW_FOR_BATCH = 8  # torch's own is slow for fewer channels than these, and the faster from there
FEW_FOR_INSTANCE = 64
FOLD = 64  # voxels put side by side instead
CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}  # by the number of axes


class BatchNorm(nn.BatchNorm3d):
    """`torch.nn.BatchNorm3d`; where torch is slow, the same sums in another order.

    Small networks spend a third of their time in batch norm: where channels are innermost in
    memory, torch's kernel works on one voxel's channels side by side. In training on a CPU the
    compiled kernels do it, or for few channels `_FewChannels` takes several voxels at once.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, X, Y, Z) to the same shape."""
        return normalised(self, x)

    def bent(self, x: Tensor, slope: float) -> Tensor:
        """Norm and leaky ReLU (slope 0: ReLU)."""
        return normalised(self, x, slope)


def normalised(
    norm: nn.BatchNorm3d, x: Tensor, slope: float = 1.0, added: Tensor | None = None
) -> Tensor:
    """Return `leaky_relu(norm(x) + added)`, in training on a CPU in as few passes as it takes.

    Parameters
    ----------
    norm
        Whose statistics are brought up to date in training.
    x, added
        (B, C, X, Y, Z); nothing is added without.
    slope
        Of the leaky ReLU; 0 for a ReLU, 1 for none.
    """
    tracked = norm.training and norm.affine and norm.track_running_stats
    compiled = tracked and native.fits(x)
    if compiled or (tracked and _fits(x, FEW_FOR_BATCH)):
        if compiled:
            given = (x, norm.weight, norm.bias, added, norm.eps, slope)
            out, mean, variance = native.normalise(*given)
            slope, added = 1.0, None  # done
        else:
            out, mean, variance = _FewChannels.apply(x, norm.weight, norm.bias, norm.eps, 1)
        with torch.no_grad():
            norm.num_batches_tracked.add_(1)
        share = norm.momentum
        if share is None:  # a plain average over all batches
            share = 1 / float(norm.num_batches_tracked)
        count = x.numel() // x.shape[1]
        track(norm.running_mean, norm.running_var, mean[0], variance[0], count, share)
    else:
        out = nn.BatchNorm3d.forward(norm, x)
    if added is not None:
        out = out + added
    return out if slope == 1 else nn.functional.leaky_relu_(out, slope)


@torch.no_grad()
def track(
    means: Tensor, variances: Tensor, mean: Tensor, variance: Tensor, count: int, share: float
) -> None:
    """Bring running statistics (C,) up to date by a share of those of `count` values a channel."""
    means.lerp_(mean, share)
    variances.lerp_(variance * (count / (count - 1)), share)


def run_bent(layers: nn.Sequential, x: Tensor) -> Tensor:
    """Run layers in a row; a norm and the (leaky) ReLU that follows it as one.

    Parameters
    ----------
    layers
        Any.
    x
        What the first of them takes.
    """
    rest = iter(range(len(layers)))
    for place in rest:
        layer = layers[place]
        after = layers[place + 1] if place + 1 < len(layers) else None
        slope = slope_of(after)
        if slope is not None and isinstance(layer, BatchNorm | InstanceNorm):
            x = layer.bent(x, slope)
            next(rest)
        else:
            x = layer(x)
    return x


def slope_of(layer: nn.Module | None) -> float | None:
    """Return the slope below zero of a (leaky) ReLU; None of any other layer."""
    if isinstance(layer, nn.LeakyReLU):
        return layer.negative_slope
    return 0.0 if isinstance(layer, nn.ReLU) else None


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
        return self.bent(x, 1.0)

    def bent(self, x: Tensor, slope: float) -> Tensor:
        """Norm and leaky ReLU (slope 0: ReLU, 1: none)."""
        compiled = native.fits(x)
        ones = x.new_ones(x.shape[1])
        if compiled:
            zeros = torch.zeros_like(ones)
            given = (x, ones, zeros, None, self.eps, slope, len(x))
            return native.normalise(*given)[0]
        if _fits(x, FEW_FOR_INSTANCE):
            out = _FewChannels.apply(x, ones, torch.zeros_like(ones), self.eps, len(x))[0]
        else:
            out = nn.functional.instance_norm(x, eps=self.eps)
        return out if slope == 1 else nn.functional.leaky_relu_(out, slope)

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
