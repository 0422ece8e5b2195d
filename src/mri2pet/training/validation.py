"""What is chosen on people of the training folds who are not trained on: epoch and smoothing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mri2pet.datasets.parts import Parts
from mri2pet.errors import InputError
from mri2pet.evaluation.image_metrics import measure_volume, psnr
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

    def volumes(self, recipe: Recipe) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield made, real (1, 1, X, Y, Z) and mask, each volume put together as at synthesis."""
        generator = recipe.generator
        device = next(generator.parameters()).device
        mask = self.pairs.mask.to(device)
        for held in zip(self.pairs.source, self.pairs.target, strict=True):
            mri, pet = (volume.to(device) for volume in held)
            if self.parts is None:
                made = generator(mri[None])
            else:
                made = stack_parts(generator, mri[0] * mask, self.parts)[None, None]
            yield made * mask, pet[None], mask


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


class HeldOutPsnr(HeldOut):
    """PSNR, beside it whatever the tables measure on volumes of the scale."""

    NAME, KEY = "psnr", "validation_psnr"

    @torch.inference_mode()
    def __call__(self, recipe: Recipe, epoch: int) -> dict[str, float]:
        """Return mean and sd (ddof 1) of each metric over people: `validation_psnr`, `..._sd`."""
        del epoch
        people = [
            measure_volume(
                *(volume.squeeze().cpu().numpy() for volume in (real, made, mask)), self.scale
            )
            for made, real, mask in self.volumes(recipe)
        ]
        measures = {}
        for name in people[0]:
            values = [person[name] for person in people]
            spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
            measures[f"validation_{name.lower()}"] = float(np.mean(values))
            measures[f"validation_{name.lower()}_sd"] = spread
        return measures

    @staticmethod
    def score(real: Array, synthetic: Array, mask: Array) -> float:
        """Return what the width of the smoothing is chosen by."""
        return psnr(real, synthetic, mask)


MEASURES = {measure.NAME: measure for measure in (HeldOutSsim, HeldOutPsnr)}


def measure_of(settings: Mapping[str, Any], scale: str = "uptake") -> type[HeldOut]:
    """Return what a block `validation` measures by its key `measure`.

    Raises
    ------
    InputError
        If it does not suit the intensities.
    """
    found = MEASURES[settings.get("measure", "ssim")]
    if found is HeldOutSsim and scale != "uptake":
        raise InputError(
            f"validation.measure: ssim is for intensities 0 to 1, and the dataset's are {scale}; "
            "choose psnr"
        )
    return found


def validation_of(
    held: Pairs | None,
    config: Mapping[str, Any],
    settings: Mapping[str, Any],
    scale: str = "uptake",
) -> Validation | None:
    """Make what the loop measures after every epoch.

    Parameters
    ----------
    held
        The people held out; None for none, and no validation.
    config
        The model's entry.
    settings
        The system's block `validation`: `measure`, `ssim` if not named, or `psnr`; `patience` in
        epochs, 0 for training to the last.
    scale
        As for `HeldOut`.
    """
    if held is None:
        return None
    measure = measure_of(settings, scale)(held, Parts.of(config), scale)
    return Validation(measure, measure.KEY, patience=int(settings.get("patience", 0)))


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
        As for `validation_of`; `fwhm_mm` lists the widths tried; without it nothing is smoothed.
    voxel_mm
        Sides of a voxel in mm.

    Returns
    -------
    dict
        `epochs` trained, `epoch` kept, its `validation_ssim`, `smoothing_fwhm_mm`, and
        `smoothing_ssim`, the mean SSIM on the people held out by width (or both of PSNR).
    """
    last = {"epochs": len(history), "epoch": len(history), "smoothing_fwhm_mm": 0.0}
    if held is None:
        return last
    measure = MEASURES[settings.get("measure", "ssim")]
    best = max(history, key=lambda row: (row[measure.KEY], -row["epoch"]))
    kept = last | {"epoch": int(best["epoch"]), measure.KEY: best[measure.KEY]}
    if "fwhm_mm" not in settings:
        return kept
    mask, mri = held.mask.numpy(), held.source[:, 0].numpy()
    parts = Parts.of(config)
    if parts is None:
        made = synthesise(generator, mri, mask)
    else:
        made = synthesise_parts(generator, mri, mask, parts)
    real, widths = held.target[:, 0].numpy(), settings["fwhm_mm"]
    width, scores = search_fwhm(made, real, mask, voxel_mm, widths, measure.score)
    return kept | {
        "smoothing_fwhm_mm": width,
        f"smoothing_{measure.NAME}": {f"{fwhm:g}": score for fwhm, score in scores.items()},
    }
