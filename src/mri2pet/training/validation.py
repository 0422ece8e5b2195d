"""How well a generator does on people it is not trained on: what early stopping watches."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mri2pet.inference.parts import stack_parts
from mri2pet.losses import WINDOW, ssim_maps
from mri2pet.parts import Parts
from mri2pet.training.data import Pairs
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


class HeldOutSsim:
    """Measures a recipe's generator on pairs held out of its training, for `loop.Validation`.

    Parameters
    ----------
    pairs
        Held-out people.
    parts
        How the generator sees volumes; None: whole.
    """

    KEY = "validation_ssim"

    def __init__(self, pairs: Pairs, parts: Parts | None) -> None:
        self.pairs = pairs
        self.parts = parts

    @torch.inference_mode()
    def __call__(self, recipe: Recipe, epoch: int) -> dict[str, float]:
        """Return the mean SSIM over people, each volume put together as at synthesis."""
        del epoch
        generator = recipe.generator
        device = next(generator.parameters()).device
        mask, scores = self.pairs.mask.to(device), []
        for held in zip(self.pairs.mri, self.pairs.pet, strict=True):
            mri, pet = (volume.to(device) for volume in held)
            if self.parts is None:
                made = generator(mri[None])
            else:
                made = stack_parts(generator, mri[0] * mask, self.parts)[None, None]
            scores.append(masked_ssim(made * mask, pet[None], mask))
        return {self.KEY: float(torch.cat(scores).mean())}
