"""What is measured on people who are not trained on, after every epoch: SSIM."""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mri2pet.datasets.parts import Parts
from mri2pet.synthesis.stack_parts import stack_parts
from mri2pet.training.data import Pairs
from mri2pet.training.losses import WINDOW, ssim_maps
from mri2pet.training.recipe import Recipe

Array = np.ndarray


def masked_ssim(predicted: Tensor, real: Tensor, mask: Tensor) -> Tensor:
    """Return the mean SSIM inside a mask, (B,): that of the tables, computed where the volumes are.

    Parameters
    ----------
    predicted, real
        (B, 1, X, Y, Z), 0 to 1.
    mask
        (X, Y, Z) bool. Within five voxels of the volume's edge the window goes over repeated
        values instead of mirrored ones, as `evaluation.image_metrics.ssim` has them.
    """
    rim = [WINDOW // 2] * 6
    padded = [F.pad(volume.float(), rim, mode="replicate") for volume in (predicted, real)]
    return ssim_maps(*padded)[0][:, mask].mean(dim=1)


def ssim_of(real: Array, synthetic: Array, mask: Array) -> float:
    """Return `masked_ssim` of arrays (X, Y, Z), as a fraction."""
    volumes = [torch.from_numpy(np.array(v, np.float32))[None, None] for v in (synthetic, real)]
    return float(masked_ssim(*volumes, torch.from_numpy(np.ascontiguousarray(mask))))


class HeldOut:
    """Measures a recipe's generator on pairs held out of its training, for `loop.Validation`.

    Parameters
    ----------
    pairs
        Held-out people.
    parts
        How the generator sees volumes; None: whole.
    scale
        What the intensities are, a key of `image_metrics.SCALES`.

    Attributes
    ----------
    NAME, KEY
        Of the measure that chooses the epoch, in the configuration and in the history; more of it
        is better.
    """

    NAME: str
    KEY: str

    def __init__(self, pairs: Pairs, parts: Parts | None, scale: str = "uptake") -> None:
        self.pairs = pairs
        self.parts = None if parts is None else parts.in_validation
        self.scale = scale

    def told(self, generator: torch.nn.Module, row: int) -> dict[str, Tensor] | None:
        """Return one pair's side information; None where the generator is told nothing."""
        if self.pairs.side is None or getattr(generator, "side", None) is None:
            return None
        device = next(generator.parameters()).device
        return {name: own[row : row + 1].to(device) for name, own in self.pairs.side.items()}

    def volumes(self, recipe: Recipe) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield made, real (1, 1, X, Y, Z) and mask, each volume put together as at synthesis.

        Where the real one is not measured, both are the same, and the mask is false.
        """
        generator = recipe.generator
        device = next(generator.parameters()).device
        mask = self.pairs.mask.to(device)
        for row, held in enumerate(zip(self.pairs.source, self.pairs.target, strict=True)):
            mri, pet = (volume.to(device) for volume in held)
            if self.parts is None:
                told = self.told(generator, row)
                made = generator(mri[None]) if told is None else generator(mri[None], told)
            else:
                made = stack_parts(generator, mri[0] * mask, self.parts)[None, None]
            if self.pairs.seen is None:
                yield made * mask, pet[None], mask
            else:
                seen = self.pairs.seen[row].to(device)
                yield torch.where(seen, made * mask, pet[None]), pet[None], mask & seen[0]


class HeldOutSsim(HeldOut):
    """SSIM, for intensities 0 to 1."""

    NAME, KEY = "ssim", "validation_ssim"

    @torch.inference_mode()
    def __call__(self, recipe: Recipe, epoch: int) -> dict[str, float]:
        """Return the mean SSIM over people."""
        del epoch
        scores = [masked_ssim(*volumes) for volumes in self.volumes(recipe)]
        return {self.KEY: float(torch.cat(scores).mean())}

    @staticmethod
    def score(real: Array, synthetic: Array, mask: Array) -> float:
        """Return what the width of the smoothing is chosen by."""
        return ssim_of(real, synthetic, mask)
