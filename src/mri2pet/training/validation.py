"""What is chosen on people of the training folds who are not trained on: epoch and smoothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from mri2pet.datasets.parts import Parts
from mri2pet.synthesis.smoothing import search_fwhm
from mri2pet.synthesis.stack_parts import synthesise_parts
from mri2pet.synthesis.whole_volume import synthesise
from mri2pet.training.checkpoint import History
from mri2pet.training.data import Pairs
from mri2pet.training.loop import Validation
from mri2pet.training.measures import NONE, find_measure


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
    if held is None or settings.get("measure") == NONE:
        return None
    measure = find_measure(settings, scale)(held, Parts.of(config), scale)
    return Validation(measure, measure.KEY, patience=int(settings.get("patience", 0)))


def choose(
    generator: nn.Module,
    history: History,
    held: Pairs | None,
    config: Mapping[str, Any],
    settings: Mapping[str, Any],
    voxel_mm: Sequence[float],
    scale: str = "uptake",
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
    scale
        As for `HeldOut`.

    Returns
    -------
    dict
        `epochs` trained, `epoch` kept, its `validation_ssim`, `smoothing_fwhm_mm`, and
        `smoothing_ssim`, the mean SSIM on the people held out by width (or both of PSNR).
    """
    last = {"epochs": len(history), "epoch": len(history), "smoothing_fwhm_mm": 0.0}
    if held is None or settings.get("measure") == NONE:
        return last
    measure = find_measure(settings, scale)
    best = max(history, key=lambda row: (row[measure.KEY], -row["epoch"]))
    kept = last | {"epoch": int(best["epoch"]), measure.KEY: best[measure.KEY]}
    if "fwhm_mm" not in settings:
        return kept
    mask, shown = held.mask.numpy(), held.source.numpy()
    parts = Parts.of(config)
    if parts is None:
        made = synthesise(generator, shown, mask)
    else:
        made = synthesise_parts(generator, shown[:, 0], mask, parts)
    real, widths = held.target[:, 0].numpy(), settings["fwhm_mm"]
    seen = None if held.seen is None else held.seen[:, 0].numpy()
    width, scores = search_fwhm(made, real, mask, voxel_mm, widths, measure.score, seen)
    return kept | {
        "smoothing_fwhm_mm": width,
        f"smoothing_{measure.NAME}": {f"{fwhm:g}": score for fwhm, score in scores.items()},
    }
