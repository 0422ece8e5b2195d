"""The compiled kernels between a grid and one of half as many voxels a side (U-Nets)."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from mri2pet.models.native.library import kernels
from mri2pet.models.native.operations import FEW, at, fits, numbers


def max_pool(x: Tensor) -> tuple[Tensor, Tensor]:
    """Take the largest of 2x2x2 voxels, as `torch.nn.functional.max_pool3d(x, 2)`.

    Parameters
    ----------
    x
        (B, C, X, Y, Z); an odd voxel at the end of an axis is left out.

    Returns
    -------
    x, halved : Tensor
        What was given, for whatever else needs it: gradients of both then meet in one pass; and
        (B, C, X // 2, Y // 2, Z // 2).
    """
    if fits(x) and not any(side % 2 for side in x.shape[2:]):
        return _Halved.apply(x)
    return x, F.max_pool3d(x, 2)


class DoublingConv(nn.ConvTranspose3d):
    """`torch.nn.ConvTranspose3d` of kernel and stride 2, fast for few channels on a CPU.

    Parameters
    ----------
    channels_in, channels_out
        Width before and after.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, 2, stride=2)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Map (B, channels_in, X, Y, Z) to (B, channels_out, 2 X, 2 Y, 2 Z)."""
        if output_size is None and self._fits(x):
            return _Doubled.apply(x, self.weight, self.bias, None)
        return super().forward(x, output_size)

    def joined(self, x: Tensor, skip: Tensor) -> Tensor:
        """Return `torch.cat([self(x), skip], dim=1)`, written once."""
        if self._fits(x) and fits(skip):
            return _Doubled.apply(x, self.weight, self.bias, skip)
        return torch.cat([self(x), skip], dim=1)

    def _fits(self, x: Tensor) -> bool:
        return max(self.in_channels, self.out_channels) <= FEW and fits(x)


class _Halved(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        result = x.new_empty(*x.shape[:2], *(side // 2 for side in x.shape[2:]))
        ctx.sizes = result.shape[0] * result.shape[1], *result.shape[2:], x.shape[1]
        kernels().halve(at(x), at(result), numbers(*ctx.sizes), torch.get_num_threads())
        ctx.save_for_backward(x, result)
        ctx.set_materialize_grads(False)
        return x, result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, other: Tensor | None, gradient: Tensor | None) -> Tensor | None:
        if gradient is None:
            return other
        x, result = ctx.saved_tensors
        if other is not None and not other[0].is_contiguous():
            other = other.contiguous()
        gradient, of_x = gradient.contiguous(), torch.empty_like(x)
        told = numbers(*ctx.sizes, 0 if other is None else other.stride(0))
        given = (at(t) for t in (gradient, x, result, other, of_x))
        kernels().halve_back(*given, told, torch.get_num_threads())
        return of_x


class _Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, skip: Tensor | None) -> Tensor:
        weight = weight.contiguous()
        channels = weight.shape[1] + (0 if skip is None else skip.shape[1])
        result = x.new_empty(len(x), channels, *(2 * side for side in x.shape[2:]))
        ctx.sizes = numbers(*x.shape[:2], weight.shape[1], *x.shape[2:], channels)
        given = (at(x), at(weight), at(bias), at(result), ctx.sizes)
        kernels().double_grid(*given, torch.get_num_threads())
        if skip is not None:
            result[:, weight.shape[1] :] = skip
        ctx.save_for_backward(x, weight)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        gradient, of_weight = gradient.contiguous(), torch.empty_like(weight)
        of_x = torch.empty_like(x) if ctx.needs_input_grad[0] else None
        given = (at(t) for t in (gradient, x, weight, of_x, of_weight))
        kernels().double_grid_back(*given, ctx.sizes, torch.get_num_threads())
        own, of_skip = gradient.split_with_sizes(
            [weight.shape[1], gradient.shape[1] - weight.shape[1]], dim=1
        )
        of_skip = of_skip if ctx.needs_input_grad[3] else None
        return of_x, of_weight, own.sum(dim=(0, 2, 3, 4)), of_skip
