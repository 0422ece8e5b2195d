"""What is chosen on people of the training folds who are not trained on: epoch and smoothing."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mri2pet.datasets.parts import Parts
from mri2pet.synthesis.smoothing import search_fwhm
from mri2pet.synthesis.stack_parts import stack_parts, synthesise_parts
from mri2pet.synthesis.whole_volume import synthesise
from mri2pet.training.checkpoint import History
from mri2pet.training.data import Pairs
from mri2pet.training.loop import Validation
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


def validation_of(
    held: Pairs | None, config: Mapping[str, Any], settings: Mapping[str, Any]
) -> Validation | None:
    """Make what the loop measures after every epoch.

    Parameters
    ----------
    held
        The people held out; None for none, and no validation.
    config
        The model's entry.
    settings
        The system's block `validation`: `patience` in epochs, 0 for training to the last.
    """
    if held is None:
        return None
    measure = HeldOutSsim(held, Parts.of(config))
    return Validation(measure, HeldOutSsim.KEY, patience=int(settings.get("patience", 0)))


def choose(
    generator: nn.Module,
    history: History,
    held: Pairs | None,
    config: Mapping[str, Any],
    settings: Mapping[str, Any],
    voxel_mm: Sequence[float],
) -> dict[str, Any]:
    """Say which epoch a generator is of, and how wide its PET is to be smoothed.

    Parameters
    ----------
    generator, history
        As trained.
    held
        People held out; None: the last epoch and no smoothing.
    config, settings
        As for `validation_of`; `fwhm_mm` lists the widths tried.
    voxel_mm
        Sides of a voxel in mm.

    Returns
    -------
    dict
        `epochs` trained, `epoch` kept, its `validation_ssim`, `smoothing_fwhm_mm`, and
        `smoothing_ssim`, the mean SSIM on the people held out by width.
    """
    last = {"epochs": len(history), "epoch": len(history), "smoothing_fwhm_mm": 0.0}
    if held is None:
        return last
    best = max(history, key=lambda row: (row[HeldOutSsim.KEY], -row["epoch"]))
    mask, mri = held.mask.numpy(), held.mri[:, 0].numpy()
    parts = Parts.of(config)
    if parts is None:
        made = synthesise(generator, mri, mask)
    else:
        made = synthesise_parts(generator, mri, mask, parts)
    widths = settings.get("fwhm_mm", [0.0])
    width, scores = search_fwhm(made, held.pet[:, 0].numpy(), mask, voxel_mm, widths, ssim_of)
    return last | {
        "epoch": int(best["epoch"]),
        HeldOutSsim.KEY: best[HeldOutSsim.KEY],
        "smoothing_fwhm_mm": width,
        "smoothing_ssim": {f"{fwhm:g}": score for fwhm, score in scores.items()},
    }
