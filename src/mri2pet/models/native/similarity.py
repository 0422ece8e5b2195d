"""Structural similarity by the compiled kernels, with its gradient."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mri2pet.models.native.library import kernels
from mri2pet.models.native.operations import at, fits, numbers


def fits_similarity(predicted: Tensor, real: Tensor) -> bool:
    """Tell whether the kernels take two volumes; the gradient is that of the first alone."""
    return predicted.shape[1] == 1 and not real.requires_grad and fits(predicted) and fits(real)


def similarity(predicted: Tensor, real: Tensor, window: Tensor) -> tuple[Tensor, Tensor]:
    """Return structural similarity and its contrast-structure part, means over a volume.

    Parameters
    ----------
    predicted, real
        (B, 1, X, Y, Z), such that they fit (`fits_similarity`).
    window
        (w,) weights along each axis, symmetric.

    Returns
    -------
    tuple of Tensor
        (B,) each; only places where the window fits are counted.
    """
    return _Similarity.apply(predicted, real, window)


class _Similarity(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, window: Tensor) -> tuple[Tensor, Tensor]:
        size = len(window)
        maps = x.new_empty(len(x), 5, *(side - size + 1 for side in x.shape[2:]))
        sums = x.new_empty(len(x), 2, dtype=torch.float64)
        ctx.told = numbers(len(x), *x.shape[2:], size)
        given = (at(x), at(y), at(window), at(maps), at(sums), ctx.told)
        kernels().similarity(*given, torch.get_num_threads())
        ctx.save_for_backward(x, y, window, maps)
        both, contrast = sums.float().unbind(dim=1)
        return both, contrast

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_both: Tensor, of_contrast: Tensor) -> tuple[Tensor, None, None]:
        x, y, window, maps = ctx.saved_tensors
        gradients, of_x = torch.stack([of_both, of_contrast], dim=1), torch.empty_like(x)
        given = (at(x), at(y), at(window), at(maps), at(gradients), at(of_x), ctx.told)
        kernels().similarity_back(*given, torch.get_num_threads())
        return of_x, None, None
