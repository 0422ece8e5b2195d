"""Training batches of which some volumes are shown as in a mirror, left for right."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from mri2pet.training.data import seed_from
from mri2pet.training.loop import Batches

LEFT_RIGHT = 2  # axis of batches (B, C, X, Y, Z): X goes from left to right in every template space
VOLUMES = ("source", "target", "seen")
FARTHEST = 8  # half voxels from the middle of the grid to the brain's plane of symmetry, at most


class Mirrored:
    """Batches of which each person is shown as they are or mirrored, with equal chance.

    The two halves of a brain are nearly alike, so that a person mirrored is nearly a further
    person: the usual augmentation by flips (nnU-Net, Isensee 2021), on one axis. The plane is that
    about which the brain mask is most like its mirror image, to half a voxel. The mask itself stays
    as it is; the volumes are zero where a mirrored brain does not fill it.

    Parameters
    ----------
    plain
        What is mirrored.
    mask
        (X, Y, Z) bool.
    seed
        Who is mirrored follows from it and the epoch alone, so that any epoch can be resumed.
    """

    def __init__(self, plain: Batches, mask: Tensor, seed: int) -> None:
        self.plain, self.seed, self.shift = plain, seed, plane(mask)

    def __len__(self) -> int:
        return len(self.plain)

    def epoch(self, epoch: int) -> Iterator[dict[str, Any]]:
        """Yield one epoch's batches."""
        generator = torch.Generator().manual_seed(seed_from(self.seed, "mirror", epoch))
        for batch in self.plain.epoch(epoch):
            chosen = torch.rand(len(batch["source"]), generator=generator) < 0.5
            shown = {}
            for name in VOLUMES:
                if batch.get(name) is not None:
                    own = chosen.to(batch[name].device)
                    shown[name] = batch[name].clone()  # which keeps its layout in memory
                    shown[name][own] = mirrored(batch[name][own], self.shift)
            yield {**batch, **shown}


def mirrored(volumes: Tensor, shift: int) -> Tensor:
    """Mirror volumes (B, C, X, Y, Z) in X about `shift` half voxels from the middle of the grid.

    What comes from beyond the grid is zero.
    """
    turned = volumes.flip(LEFT_RIGHT)
    if not shift:
        return turned
    turned = turned.roll(shift, LEFT_RIGHT)
    edge = slice(0, shift) if shift > 0 else slice(shift, None)
    turned[:, :, edge] = 0
    return turned


def plane(mask: Tensor) -> int:
    """Return the shift with which a mask (X, Y, Z) is most like its mirror image."""
    volume = mask[None, None]

    def unlike(shift: int) -> tuple[int, int]:
        return int((mirrored(volume, shift) != volume).sum()), abs(shift)

    return min(range(-FARTHEST, FARTHEST + 1), key=unlike)
