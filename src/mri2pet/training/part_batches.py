"""Batches of slices or patches, cut from volumes that are held once (parts A2 and A3)."""

from collections.abc import Iterator

import torch
from torch import Tensor

from mri2pet.datasets.parts import Parts
from mri2pet.errors import InputError
from mri2pet.training.data import Pairs, shuffled


class PartBatches:
    """Batches of parts, drawn by seed and epoch alone, so that any epoch can be resumed.

    No part exists but those of the batch: 200,000 patches are 200,000 numbers and the volumes.

    Parameters
    ----------
    pairs
        The training volumes; kept whole on `device`.
    batch_size
        Parts a batch. The last one of an epoch is filled up from the epoch's start.
    seed
        Of the drawing.
    device
        Where the volumes stay.
    memory_format
        Of the parts.
    parts
        How volumes are cut.

    Raises
    ------
    InputError
        If no part holds enough of the brain.
    """

    def __init__(
        self,
        pairs: Pairs,
        batch_size: int,
        seed: int,
        device: torch.device,
        memory_format: torch.memory_format = torch.contiguous_format,
        *,
        parts: Parts,
    ) -> None:
        self.source, self.target = pairs.source.to(device), pairs.target.to(device)
        self.mask = pairs.mask.to(device)
        self.seen = None if pairs.seen is None else pairs.seen.to(device)
        self.slices = parts.kind == "slices"
        least = max(parts.min_brain, torch.finfo(torch.float64).tiny)
        self.boxes = [
            box
            for box in parts.boxes(tuple(pairs.mask.shape))
            if float(pairs.mask[box].double().mean()) >= least
        ]
        if not self.boxes:
            raise InputError(
                f"parts.min_brain: no part of {parts.size} voxels is brain to a share of "
                f"{parts.min_brain:g}; choose less"
            )
        total = len(self.source) * len(self.boxes)
        self.count = total if parts.per_epoch is None else min(parts.per_epoch, total)
        self.size = min(batch_size, self.count)
        self.seed = seed
        self.memory_format = memory_format

    def __len__(self) -> int:
        return -(-self.count // self.size)

    def epoch(self, epoch: int) -> Iterator[dict[str, Tensor]]:
        """Yield one epoch's batches `{"source", "target", "mask"}` of parts.

        Each is (B, size, X, Y) for slices and (B, 1, size, size, size) for patches. Where the
        pairs have gaps, `seen` too.
        """
        total = len(self.source) * len(self.boxes)
        for chosen in shuffled(total, self.size, self.seed, epoch, self.count):
            places = [divmod(place, len(self.boxes)) for place in chosen.tolist()]
            cut = {
                "source": [
                    self.source[(row, slice(None), *self.boxes[box])] for row, box in places
                ],
                "target": [
                    self.target[(row, slice(None), *self.boxes[box])] for row, box in places
                ],
                "mask": [self.mask[self.boxes[box]][None] for _, box in places],
            }
            if self.seen is not None:
                cut["seen"] = [
                    self.seen[(row, slice(None), *self.boxes[box])] for row, box in places
                ]
            yield {name: self._batch(parts) for name, parts in cut.items()}

    def _batch(self, parts: list[Tensor]) -> Tensor:
        """Join parts (1, x, y, z); slices become channels."""
        joined = torch.stack([part[0].movedim(-1, 0) if self.slices else part for part in parts])
        return joined.contiguous(memory_format=self.memory_format)
