"""Several residual paths of the same widths as one computation, with their weights as they are."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mri2pet.models.blocks import LEAK, ResidualBlock, ResidualPath, memory_format_of
from mri2pet.models.native import operations as native
from mri2pet.models.norm import track


def run_grouped(paths: Sequence[ResidualPath], pieces: Sequence[Tensor]) -> Tensor:
    """Run each path on its own piece, all of them side by side as groups of channels.

    The weights of equal layers are put together for the call, so that parameters, statistics and
    their names remain the paths' own. The same products and sums as path by path.

    Parameters
    ----------
    paths
        K paths of equal widths.
    pieces
        K tensors (B, C, x, y, z).

    Returns
    -------
    Tensor
        What each path gives of its piece, side by side: (B, K * filters[-1], x, y, z).
    """
    layout = memory_format_of(paths[0][0].body[3].weight)  # one input channel alone does not tell
    x = torch.cat(list(pieces), dim=1).contiguous(memory_format=layout)
    for blocks in zip(*paths, strict=True):
        x = _block(blocks, x)
    return x


def _block(blocks: Sequence[ResidualBlock], x: Tensor) -> Tensor:
    """Map (B, K C, x, y, z) as K residual blocks map C channels each."""
    first, norm, _, second, last = zip(*(block.body for block in blocks), strict=True)
    features = _convolve(second, _normalised(norm, _convolve(first, x), LEAK))
    shortcuts = [block.shortcut for block in blocks]
    if isinstance(shortcuts[0], nn.Sequential):
        narrow, of_narrow = zip(*shortcuts, strict=True)
        x = _normalised(of_narrow, _convolve(narrow, x))
    return _normalised(last, features, LEAK, added=x)


def _convolve(layers: Sequence[nn.Conv3d], x: Tensor) -> Tensor:
    weight = torch.cat([layer.weight for layer in layers])
    own = layers[0].in_channels, layers[0].out_channels
    if layers[0].kernel_size[0] == 3 and native.faster(x, *own):
        return native.convolve(x, weight, groups=len(layers))
    return F.conv3d(x, weight, padding=layers[0].padding, groups=len(layers))


def _normalised(
    layers: Sequence[nn.BatchNorm3d], x: Tensor, slope: float = 1.0, added: Tensor | None = None
) -> Tensor:
    """Normalise as K batch norms side by side do (`norm.normalised`)."""
    names = ("running_mean", "running_var", "weight", "bias")
    mean, variance, weight, bias = (
        torch.cat([getattr(layer, name) for layer in layers]) for name in names
    )
    training, share = layers[0].training, layers[0].momentum
    if training:
        counts = [layer.num_batches_tracked for layer in layers]
        torch._foreach_add_(counts, 1)
        if share is None:  # a plain average over all batches
            share = 1 / float(counts[0])
    if training and native.fits(x):
        given = (x, weight, bias, added, layers[0].eps, slope)
        out, own_mean, own_variance = native.normalise(*given)
        track(mean, variance, own_mean[0], own_variance[0], x.numel() // x.shape[1], share)
    else:
        given = (mean, variance, weight, bias, training, share or 0.0, layers[0].eps)
        out = F.batch_norm(x, *given)
        if added is not None:
            out = out + added
        out = out if slope == 1 else F.leaky_relu_(out, slope)
    if training:
        for name, whole in (("running_mean", mean), ("running_var", variance)):
            own = [getattr(layer, name) for layer in layers]
            torch._foreach_copy_(own, list(whole.split(layers[0].num_features)))
    return out
