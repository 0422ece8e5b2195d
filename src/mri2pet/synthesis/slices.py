"""Volumes from adjacent transverse slices: cut, predict, stack again (part A3, semi-3D)."""

from collections.abc import Callable

import torch
from torch import Tensor

from mri2pet.synthesis.patches import equal_parts, kept_intervals, kept_width


@torch.inference_mode()
def synthesise_slices(
    predict: Callable[[Tensor], Tensor],
    volume: Tensor,
    size: int,
    stride: int,
    batch: int,
    keep: int | None = None,
) -> Tensor:
    """Predict a volume from groups of adjacent transverse slices.

    Parameters
    ----------
    predict
        From slices (B, size, X, Y), adjacent ones as channels, to as many of the other modality,
        on the volume's device.
    volume
        (X, Y, Z); slices are cut along z.
    size
        Slices of a group; three in the paper.
    stride
        Slices between neighbouring groups; the last group is flush with the volume's end. As many
        as `size` stack disjoint groups.
    batch
        Groups at once, at most.
    keep
        None: every slice of a group counts, the mean where groups overlap. A number: so many in
        the group's middle, and at the volume's ends those of the outermost groups.

    Returns
    -------
    Tensor
        (X, Y, Z) float32.

    Raises
    ------
    InputError
        If a group does not fit, or stride and `keep` leave gaps.
    """
    kept = kept_width(size, stride, keep, f"groups of {size} slices")
    intervals = kept_intervals(volume.shape[2], size, stride, kept)
    # In double precision, so that the mean of equal values is that value.
    total = torch.zeros(volume.shape, dtype=torch.float64, device=volume.device)
    counts = torch.zeros(volume.shape[2], dtype=torch.float64, device=volume.device)
    for some in equal_parts(intervals, batch):
        groups = [volume[:, :, start : start + size].movedim(2, 0) for start, _, _ in some]
        made = predict(torch.stack(groups))
        for slices, (start, low, high) in zip(made, some, strict=True):
            total[:, :, low:high] += slices[low - start : high - start].movedim(0, 2)
            counts[low:high] += 1
    return (total / counts).float()
