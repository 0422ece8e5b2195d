"""The compiled kernels between a grid and one of half as many voxels a side (U-Nets)."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from mri2pet.models.native.library import kernels
from mri2pet.models.native.operations import FEW, at, fits, numbers


def max_pool(x: Tensor) -> Tensor:
    """Take the largest of 2x2x2 voxels, as `torch.nn.functional.max_pool3d(x, 2)`.

    Parameters
    ----------
    x
        (B, C, X, Y, Z); an odd voxel at the end of an axis is left out.
    """
    if fits(x) and not any(side % 2 for side in x.shape[2:]):
        return _Halved.apply(x)
    return F.max_pool3d(x, 2)


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
        few = max(self.in_channels, self.out_channels) <= FEW
        if few and output_size is None and fits(x):
            return _Doubled.apply(x, self.weight, self.bias)
        return super().forward(x, output_size)


class _Halved(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        result = x.new_empty(*x.shape[:2], *(side // 2 for side in x.shape[2:]))
        ctx.sizes = numbers(result.shape[0] * result.shape[1], *result.shape[2:])
        kernels().halve(at(x), at(result), ctx.sizes, torch.get_num_threads())
        ctx.save_for_backward(x, result)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        x, result = ctx.saved_tensors
        gradient, of_x = gradient.contiguous(), torch.empty_like(x)
        given = (at(gradient), at(x), at(result), at(of_x), ctx.sizes)
        kernels().halve_back(*given, torch.get_num_threads())
        return of_x


class _Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        weight = weight.contiguous()
        result = x.new_empty(len(x), weight.shape[1], *(2 * side for side in x.shape[2:]))
        ctx.sizes = numbers(*x.shape[:2], weight.shape[1], *x.shape[2:])
        given = (at(x), at(weight), at(bias), at(result), ctx.sizes)
        kernels().double_grid(*given, torch.get_num_threads())
        ctx.save_for_backward(x, weight)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        gradient, of_weight = gradient.contiguous(), torch.empty_like(weight)
        of_x = torch.empty_like(x) if ctx.needs_input_grad[0] else None
        given = (at(t) for t in (gradient, x, weight, of_x, of_weight))
        kernels().double_grid_back(*given, ctx.sizes, torch.get_num_threads())
        return of_x, of_weight, gradient.sum(dim=(0, 2, 3, 4))
