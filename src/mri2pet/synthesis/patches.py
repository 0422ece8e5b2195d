"""Volumes from overlapping patches: cut, predict, put together again (parts X2 and A3)."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from mri2pet.datasets.parts import patch_starts
from mri2pet.errors import InputError

T = TypeVar("T")


@torch.inference_mode()
def synthesise_patches(
    predict: Callable[[Tensor], Tensor],
    volume: Tensor,
    size: int,
    stride: int,
    batch: int,
    keep: int | None = None,
) -> Tensor:
    """Predict a volume patch by patch.

    Patches are added into one volume as they come, and what was added is divided by how many
    patches a voxel was in: memory does not grow with the number of patches. The sum is in double
    precision, so that the mean of equal values is that value.

    Parameters
    ----------
    predict
        From patches (B, C, size, size, size) to (B, C', size, size, size), on the volume's device.
    volume
        (C, X, Y, Z).
    size
        Side of a patch in voxels.
    stride
        Voxels between neighbouring patches; the last one of an axis is flush with its end.
    batch
        Patches at once, at most.
    keep
        None: the mean over all patches that hold a voxel. A number: of each patch only the middle
        so many voxels a side count (the mean where these overlap); the rim of the volume, which no
        middle reaches, is taken from the outermost patches.

    Returns
    -------
    Tensor
        (C', X, Y, Z) float32.

    Raises
    ------
    InputError
        If a patch does not fit, or stride and `keep` leave gaps.
    """
    kept = kept_width(size, stride, keep, f"patches of {size} voxels")
    axes = [kept_intervals(length, size, stride, kept) for length in volume.shape[1:]]
    places = list(itertools.product(*axes))
    total: Tensor | None = None
    for some in equal_parts(places, batch):
        cut = [volume[:, *(slice(start, start + size) for start, _, _ in each)] for each in some]
        made = predict(torch.stack(cut))
        if total is None:
            shape = (made.shape[1], *volume.shape[1:])
            total = torch.zeros(shape, dtype=torch.float64, device=made.device)
        for patch, place in zip(made, some, strict=True):
            inside = [slice(low - start, high - start) for start, low, high in place]
            total[:, *(slice(low, high) for _, low, high in place)] += patch[:, *inside]
    assert total is not None  # an axis has at least one patch
    for axis, intervals in enumerate(axes, start=1):
        counts = torch.zeros(total.shape[axis], dtype=total.dtype, device=total.device)
        for _, low, high in intervals:
            counts[low:high] += 1
        total /= counts.reshape([-1 if a == axis else 1 for a in range(4)])
    return total.float()


def kept_width(size: int, stride: int, keep: int | None, what: str) -> int:
    """Return how much of a part's side counts: `keep`, or all of it.

    Raises
    ------
    InputError
        If stride and `keep` leave gaps; the message begins with `what`.
    """
    kept = size if keep is None else keep
    if not stride <= kept <= size:
        raise InputError(
            f"{what} at stride {stride}: keeping the middle {kept} leaves gaps; "
            f"keep {stride} to {size}"
        )
    return kept


def equal_parts(places: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """Cut a sequence into parts of at most so many, equal ones rather than full ones and a rest."""
    parts = -(-len(places) // most)
    for part in range(parts):
        yield places[part * len(places) // parts : (part + 1) * len(places) // parts]


def kept_intervals(length: int, size: int, stride: int, kept: int) -> list[tuple[int, int, int]]:
    """Return start, first kept voxel and end of the kept ones, of each patch along one axis.

    The outermost patches keep all as far as the volume's edge.
    """
    starts = patch_starts(length, size, stride)
    rim = (size - kept) // 2
    return [
        (
            start,
            0 if start == 0 else start + rim,
            length if start == starts[-1] else start + rim + kept,
        )
        for start in starts
    ]
