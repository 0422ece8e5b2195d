"""Training on patches of volumes that are held once, and validation on whole volumes (X2, X7)."""

import itertools
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from mri2pet.datasets.parts import patch_starts
from mri2pet.evaluation.volume_metrics import METRICS
from mri2pet.synthesis.patches import synthesise_patches
from mri2pet.training.data import Pairs, shuffled
from mri2pet.training.recipe import Recipe


def patch_pairs(source: np.ndarray, target: np.ndarray, size: int) -> Pairs:
    """Make pairs of volumes (N, X, Y, Z) whose patches a recipe trains on.

    A recipe sees patches alone: its mask is one patch, all of which counts.
    """
    cube = torch.ones(size, size, size, dtype=torch.bool)
    mri, pet = (
        torch.from_numpy(np.ascontiguousarray(v, np.float32))[:, None] for v in (source, target)
    )
    return Pairs(mri, pet, cube, torch.zeros_like(cube, dtype=torch.uint8))


class PatchBatches:
    """Batches of the patches that tile the volumes, shuffled by seed and epoch alone.

    Patches are cut when they are asked for: nothing but the volumes is held.

    Parameters
    ----------
    pairs
        Volumes; kept whole on `device`.
    batch_size
        Patches a batch. The last one of an epoch is filled up from the epoch's start.
    seed
        Of the shuffling.
    device
        Where the volumes stay.
    memory_format
        Of the patches.
    size
        Side of a patch in voxels; patches do not overlap, but for the last along an axis that
        `size` does not divide.
    """

    def __init__(
        self,
        pairs: Pairs,
        batch_size: int,
        seed: int,
        device: torch.device,
        memory_format: torch.memory_format = torch.contiguous_format,
        *,
        size: int,
    ) -> None:
        self.volumes = {"mri": pairs.mri.to(device), "pet": pairs.pet.to(device)}
        grid = (patch_starts(length, size, size) for length in pairs.mri.shape[2:])
        self.places = list(itertools.product(range(len(pairs.mri)), *grid))
        self.patch = size
        self.size = min(batch_size, len(self.places))
        self.seed = seed
        self.memory_format = memory_format

    def __len__(self) -> int:
        return -(-len(self.places) // self.size)

    def epoch(self, epoch: int) -> Iterator[dict[str, Tensor]]:
        """Yield one epoch's batches `{"mri": (B, 1, s, s, s), "pet": ...}`: source and target."""
        for chosen in shuffled(len(self.places), self.size, self.seed, epoch):
            places = [self.places[i] for i in chosen.tolist()]
            yield {
                name: torch.stack([self._cut(volumes, *place) for place in places]).contiguous(
                    memory_format=self.memory_format
                )
                for name, volumes in self.volumes.items()
            }

    def _cut(self, volumes: Tensor, volume: int, x: int, y: int, z: int) -> Tensor:
        side = self.patch
        return volumes[volume, :, x : x + side, y : y + side, z : z + side]


class WholeVolumes:
    """Measure a recipe on validation volumes put together from patches.

    Parameters
    ----------
    source, target
        (N, X, Y, Z) standardised volumes.
    size, stride, batch
        Of the patches, as for `synthesise_patches`.
    """

    def __init__(
        self, source: np.ndarray, target: np.ndarray, size: int, stride: int, batch: int
    ) -> None:
        self.source, self.target = source, target
        self.size, self.stride, self.batch = size, stride, batch

    def __call__(self, recipe: Recipe, epoch: int) -> Mapping[str, float]:
        """Return mean and sd (ddof 1) over the volumes: `validation_mae`, `validation_psnr`..."""
        del epoch
        made = synthesise_volumes(recipe.generator, self.source, self.size, self.stride, self.batch)
        found: dict[str, list[float]] = {name: [] for name in METRICS}
        for real, volume in zip(self.target, made, strict=True):
            for name, metric in METRICS.items():
                found[name].append(metric(real, volume))
        measures = {}
        for name, values in found.items():
            spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
            measures[f"validation_{name.lower()}"] = float(np.mean(values))
            measures[f"validation_{name.lower()}_sd"] = spread
        return measures


def synthesise_volumes(
    generator: torch.nn.Module, source: Iterable[np.ndarray], size: int, stride: int, batch: int
) -> Iterator[np.ndarray]:
    """Yield the generator's volume of each (X, Y, Z), put together from patches.

    The generator runs where its weights are, in evaluation mode.
    """
    device = next(generator.parameters()).device
    generator.eval()

    def predict(patches: Tensor) -> Tensor:
        return generator(patches.contiguous(memory_format=torch.channels_last_3d))

    for volume in source:
        given = torch.from_numpy(np.array(volume, np.float32))[None].to(device)
        yield synthesise_patches(predict, given, size, stride, batch)[0].cpu().numpy()
