"""The network of deepbet (Fisch 2024), a LinkNet in 3D, in two thirds of the time.

deepbet brings it as a TorchScript program, whose weights are used as they are, in the same layers.
But maxima of 27 voxels are taken along one axis after the other, and of the last layer, which turns
each voxel into eight, only the difference between brain and not brain is made: one product of
matrices in place of a transposed convolution and a softmax.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

EPS = 1e-5  # of the instance norms

Weights = Mapping[str, Tensor]


def brain_logit(weights: Weights, head: Tensor) -> Tensor:
    """Return the log odds of brain at each voxel.

    Parameters
    ----------
    weights
        The parameters of deepbet's network by their names, in the type that is to be computed in.
    head
        (1, 1, X, Y, Z), sides divisible by 32, as deepbet scales it.

    Returns
    -------
    Tensor
        (X, Y, Z) of the weights' type: more than zero where deepbet's probability is above a half.
    """
    first = weights["init.0.weight"]
    skipped = [_maxima(_active(F.conv3d(head.to(first.dtype), first, None, 2, 3)))]
    for level in range(4):
        skipped.append(_down(weights, f"down{level}.", skipped[-1]))
    made = skipped.pop()
    for level in range(4):
        made = _up(weights, f"up{level}.", made, 1 if level == 3 else 2) + skipped.pop()
    own = weights["tp_conv1.0.weight"], weights["tp_conv1.0.bias"]
    made = _active(F.conv_transpose3d(made, *own, 2, 1, 1))
    made = _active(F.conv3d(made, weights["conv.0.weight"], weights["conv.0.bias"], padding=1))
    weight, bias = weights["tp_conv2.weight"], weights["tp_conv2.bias"]
    difference = (weight[:, 1] - weight[:, 0]).flatten(1)  # (channels, 8)
    x, y, z = made.shape[2:]
    parts = (difference.T @ made[0].flatten(1)).reshape(2, 2, 2, x, y, z)
    return (parts + (bias[1] - bias[0])).permute(3, 0, 4, 1, 5, 2).reshape(2 * x, 2 * y, 2 * z)


def _maxima(x: Tensor) -> Tensor:
    """Return the maxima of 3x3x3 voxels around every second, as `max_pool3d(x, 3, 2, 1)`."""
    for axis in (2, 3, 4):
        even, odd = x.unflatten(axis, (-1, 2)).unbind(axis + 1)
        x = torch.maximum(even, odd)
        after = x.narrow(axis, 1, x.shape[axis] - 1)
        torch.maximum(after, odd.narrow(axis, 0, x.shape[axis] - 1), out=after)
    return x


def _active(x: Tensor) -> Tensor:
    return F.relu_(F.instance_norm(x, eps=EPS))


def _down(weights: Weights, name: str, x: Tensor) -> Tensor:
    for block in ("block1.", "block2."):
        first, second, shorter = (
            weights.get(f"{name}{block}{part}.weight")
            for part in ("double_conv.0", "double_conv.3", "downsample.0")
        )
        made = _active(F.conv3d(x, first, None, 1 if shorter is None else 2, 1))
        made = F.instance_norm(F.conv3d(made, second, padding=1), eps=EPS)
        if shorter is not None:
            x = F.instance_norm(F.conv3d(x, shorter, stride=2), eps=EPS)
        x = F.relu_(made.add_(x))
    return x


def _up(weights: Weights, name: str, x: Tensor, stride: int) -> Tensor:
    x = _active(F.conv3d(x, weights[f"{name}conv1.0.weight"]))
    x = F.conv_transpose3d(x, weights[f"{name}tp_conv.0.weight"], None, stride, 1, stride - 1)
    return _active(F.conv3d(_active(x), weights[f"{name}conv2.0.weight"]))
