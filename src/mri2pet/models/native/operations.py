"""The compiled kernels as operations of torch, with their gradients.

A processor multiplies eight or sixteen numbers at once. torch's convolutions fill them with
channels, of which the networks of short trainings have four; these fill them with neighbours along
z. Volumes are (B, C, X, Y, Z), float32, contiguous, on a CPU; what does not fit takes torch's own
way (`fits`). The same products and sums as torch's, in another order.
"""

import ctypes
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mri2pet.models.native.library import kernels

FEW, MANY = 8, 16  # of channels before and after a convolution: one at most FEW, both at most MANY
SHORTEST = 12  # voxels along z, below which torch is the faster
ALONE = 20480  # channels * x * y of a single volume, up to which torch leaves its fast convolutions


def fits(x: Tensor) -> bool:
    """Tell whether volumes are such that the kernels take them, and there are kernels."""
    plain = x.device.type == "cpu" and x.dtype == torch.float32 and x.is_contiguous()
    traced = torch.compiler.is_compiling() or torch.is_autocast_enabled("cpu")
    return plain and not traced and kernels() is not None


def few_channels(before: int, after: int) -> bool:
    """Tell whether a convolution has so few channels that the kernel is faster than torch."""
    return min(before, after) <= FEW and max(before, after) <= MANY


def faster(x: Tensor, before: int, after: int) -> bool:
    """Tell whether the kernel takes volumes, and is faster than torch's own convolution.

    Parameters
    ----------
    x
        (B, groups * before, X, Y, Z).
    before, after
        Channels of a group.
    """
    if few_channels(before, after) and x.shape[4] >= SHORTEST:
        return fits(x)
    small = x.shape[1] * x.shape[2] * x.shape[3] <= ALONE and max(before, after) <= 4 * MANY
    return len(x) == 1 and small and fits(x)


def conv3d(x: Tensor, weight: Tensor, bias: Tensor | None = None, padding: int = 1) -> Tensor:
    """Convolve with a kernel of 3, whichever way is the faster.

    Parameters
    ----------
    x
        (B, I, X, Y, Z).
    weight, bias
        (O, I, 3, 3, 3) and (O,).
    padding
        Zeros around, 0 to 2.
    """
    if faster(x, weight.shape[1], len(weight)):
        return convolve(x, weight, bias, padding=padding)
    return torch.nn.functional.conv3d(x, weight, bias, padding=padding)


def convolve(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    groups: int = 1,
    padding: int = 1,
    dilation: int = 1,
) -> Tensor:
    """Convolve as `torch.nn.functional.conv3d` does, kernel 3, stride 1.

    Parameters
    ----------
    x
        (B, groups * I, X, Y, Z), such that it `fits`.
    weight, bias
        (groups * O, I, 3, 3, 3) and (groups * O,).
    groups
        Of channels.
    padding
        Zeros around, 0 to 2 * dilation.
    dilation
        Voxels from one tap to the next, 1 to 4.

    Returns
    -------
    Tensor
        (B, groups * O, X + 2 padding - 2 dilation, ...).
    """
    return _Convolution.apply(x, weight, bias, groups, padding, dilation)


def normalise(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    added: Tensor | None = None,
    eps: float = 1e-5,
    slope: float = 1.0,
    groups: int = 1,
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise volumes, add something, and bend what is below zero, in two passes.

    Parameters
    ----------
    x
        (B, C, X, Y, Z), such that it `fits`.
    weight, bias
        (C,).
    added
        As x; added after the norm.
    eps
        Added to the variance.
    slope
        Of a leaky ReLU at the end; 0 for a ReLU, 1 for none.
    groups
        1 for batch norm, B for instance norm.

    Returns
    -------
    result, means, variances : Tensor
        As x; (groups, C) twice, the variance divided by the number of voxels.
    """
    return _Normalisation.apply(x, weight, bias, added, eps, slope, groups)


def at(tensor: Tensor | None) -> ctypes.c_void_p | None:
    """Return where a tensor's values lie."""
    return None if tensor is None else ctypes.c_void_p(tensor.data_ptr())


def numbers(*values: int) -> Any:
    """Return whole numbers as the kernels take them."""
    return (ctypes.c_long * len(values))(*values)


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        groups: int,
        padding: int,
        dilation: int,
    ) -> Tensor:
        weight = weight.contiguous()
        more = 2 * padding - 2 * dilation
        result = x.new_empty(len(x), len(weight), *(size + more for size in x.shape[2:]))
        sizes = len(x), weight.shape[1], len(weight) // groups, groups, *x.shape[2:]
        told = numbers(*sizes, padding, dilation)
        given = (at(x), at(weight), at(bias), at(result), told)
        kernels().convolve(*given, 0, torch.get_num_threads())
        ctx.save_for_backward(x, weight)
        ctx.settings = sizes, padding, dilation, bias is not None
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        (batch, before, after, groups, *shape), padding, dilation, biased = ctx.settings
        gradient, threads = gradient.contiguous(), torch.get_num_threads()
        of_x = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            of_x = torch.empty_like(x)
            turned = (batch, after, before, groups, *gradient.shape[2:], 2 * dilation - padding)
            given = (at(gradient), at(weight), None, at(of_x), numbers(*turned, dilation))
            kernels().convolve(*given, 1, threads)
        if ctx.needs_input_grad[1]:
            of_weight = torch.empty_like(weight)
            told = numbers(batch, before, after, groups, *shape, padding, dilation)
            given = (at(x), at(gradient), at(of_weight), told)
            kernels().convolve_weight(*given, threads)
        if biased and ctx.needs_input_grad[2]:
            of_bias = gradient.sum(dim=(0, 2, 3, 4))
        return of_x, of_weight, of_bias, None, None, None


class _Normalisation(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        added: Tensor | None,
        eps: float,
        slope: float,
        groups: int,
    ) -> tuple[Tensor, Tensor, Tensor]:
        added = None if added is None else added.contiguous()
        result = torch.empty_like(x)
        means, variances = x.new_empty(2, groups, x.shape[1]).unbind()
        sizes = (*x.shape[:2], x[0, 0].numel(), groups)
        given = (at(t) for t in (x, weight, bias, added, result, means, variances))
        rest = (ctypes.c_float(eps), ctypes.c_float(slope), torch.get_num_threads())
        kernels().normalise(*given, numbers(*sizes), *rest)
        # Where nothing was added, x tells on which side of the bend the result was.
        kept = result if added is not None and slope != 1 else None
        ctx.save_for_backward(x, kept, weight, bias, means, variances)
        ctx.settings = sizes, rest, added is not None
        ctx.mark_non_differentiable(means, variances)
        return result, means, variances

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        x, kept, weight, bias, means, variances = ctx.saved_tensors
        sizes, rest, with_added = ctx.settings
        gradient = gradient.contiguous()
        of_x = torch.empty_like(x)
        of_added = torch.empty_like(x) if with_added else None
        of_weight, of_bias = torch.empty_like(means), torch.empty_like(means)
        given = (gradient, x, kept, weight, bias, means, variances)
        given = (at(t) for t in (*given, of_x, of_added, of_weight, of_bias))
        kernels().normalise_back(*given, numbers(*sizes), *rest)
        return of_x, of_weight.sum(dim=0), of_bias.sum(dim=0), of_added, None, None, None
