"""From the measure that a block `validation` names to its class."""

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mri2pet.errors import InputError

if TYPE_CHECKING:
    from mri2pet.training.held_out import HeldOut

# By name and not by import, so that a new metric trains no model again that is not validated by it.
MEASURES = {
    "ssim": "held_out.HeldOutSsim",
    "psnr": "held_out_psnr.HeldOutPsnr",
    "likelihood": "held_out_likelihood.HeldOutLikelihood",
}
NONE = "none"  # the last epoch is kept


def measure_symbol(settings: Mapping[str, Any]) -> str:
    """Return where the measure of a block `validation` is defined; SSIM if it names none."""
    module, _, class_name = MEASURES[settings.get("measure", "ssim")].rpartition(".")
    return f"{__package__}.{module}:{class_name}"


def find_measure(settings: Mapping[str, Any], scale: str = "uptake") -> "type[HeldOut]":
    """Return the class of a block's measure.

    Parameters
    ----------
    settings
        The block `validation`: `measure`, `ssim` if not named, or another of `MEASURES`.
    scale
        What the intensities are, a key of `image_metrics.SCALES`.

    Raises
    ------
    InputError
        If the measure does not suit the intensities.
    """
    if settings.get("measure", "ssim") == "ssim" and scale != "uptake":
        raise InputError(
            f"validation.measure: ssim is for intensities 0 to 1, and the dataset's are {scale}; "
            "choose psnr"
        )
    module, _, class_name = measure_symbol(settings).partition(":")
    return getattr(importlib.import_module(module), class_name)
