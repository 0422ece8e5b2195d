"""Training of the siamese autoencoder on pairs of patches of the same place (part A6).

Only similar pairs are shown: two healthy controls, one place. Reconstruction keeps the codes from
collapsing (Alaverdyan et al., Medical Image Analysis 60, 2020).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from mri2pet.errors import InputError
from mri2pet.models.registry import build
from mri2pet.training.data import seed_from
from mri2pet.training.recipe import Batch, Recipe, adam, detached
from mri2pet.training.settings import Precision, TrainingSettings


class Siamese(Recipe):
    """One autoencoder for both patches of a pair.

    The loss is the mean squared error of the restored patches, plus `similarity` times
    one less the cosine of the two codes, both averaged over the batch.

    Parameters
    ----------
    config
        `network` as `models.registry.build` takes it, and `similarity`.
    settings
        The `training` block.
    """

    def __init__(self, config: Mapping[str, Any], settings: TrainingSettings) -> None:
        super().__init__()
        self.generator = build(config["network"])
        self.similarity = float(config["similarity"])
        self.optimisers = {"autoencoder": adam([self.generator], settings)}

    def step(self, batch: Batch, precision: Precision) -> dict[str, Tensor]:
        """Take one step on `patches` (2 B, 1, P, P), the second half beside the first."""
        patches = batch["patches"]
        with precision.autocast():
            codes, restored = self.generator(patches)
        one, other = codes.float().chunk(2)
        unlike = 1 - functional.cosine_similarity(one, other).mean()
        target = self.generator.standardised(patches)
        reconstruction = functional.mse_loss(restored.float(), target)
        total = reconstruction + self.similarity * unlike
        precision.step(total, self.optimisers["autoencoder"])
        precision.end_batch()
        return detached({"total": total, "reconstruction": reconstruction, "unlike": unlike})


class PatchPairs:
    """Batches of patches of the same place in two people, drawn by seed and epoch alone.

    Parameters
    ----------
    volumes
        (N, X, Y, Z) float32 of N people in one space; kept on `device`.
    mask
        (X, Y, Z) bool: voxels that a patch may lie around. A patch is of the first two axes (a
        transverse slice); beyond the volume is zero.
    patch
        Side of a patch, odd.
    pairs
        Pairs an epoch.
    batch_size
        Pairs a batch.
    seed
        Of the drawing.
    device
        Where the volumes stay.

    Raises
    ------
    InputError
        For fewer than two people.
    """

    def __init__(
        self,
        volumes: np.ndarray,
        mask: np.ndarray,
        patch: int,
        pairs: int,
        batch_size: int,
        seed: int,
        device: torch.device,
    ) -> None:
        if len(volumes) < 2:
            raise InputError(
                f"detector: {len(volumes)} control to learn from; pairs need at least two. Have "
                "more controls or fewer folds"
            )
        half = patch // 2
        padded = np.pad(volumes, ((0, 0), (half, half), (half, half), (0, 0)))
        self.values = torch.from_numpy(padded).reshape(-1).to(device)
        _, x, y, z = padded.shape
        self.step = x * y * z  # from one person to the next
        where = np.stack(np.nonzero(mask)).astype(np.int64)
        self.places = torch.from_numpy((where[0] * y + where[1]) * z + where[2])
        across = torch.arange(patch)
        self.around = ((across[:, None] * y + across) * z).reshape(-1)
        self.people, self.patch = len(volumes), patch
        self.pairs, self.size, self.seed = pairs, min(batch_size, pairs), seed

    def __len__(self) -> int:
        return -(-self.pairs // self.size)

    def epoch(self, epoch: int) -> Iterator[dict[str, Tensor]]:
        """Yield one epoch's batches `{"patches": (2 B, 1, P, P)}`: first ones, then second ones."""
        generator = torch.Generator().manual_seed(seed_from(self.seed, epoch))

        def draw(top: int) -> Tensor:
            return torch.randint(top, (self.size,), generator=generator)

        for _ in range(len(self)):
            place = self.places[draw(len(self.places))]
            one = draw(self.people)
            other = (one + 1 + draw(self.people - 1)) % self.people
            start = torch.cat([place + one * self.step, place + other * self.step])
            index = (start[:, None] + self.around).to(self.values.device)
            yield {"patches": self.values[index].view(-1, 1, self.patch, self.patch)}
