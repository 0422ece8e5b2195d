"""How close a synthesised MR volume is to the real one, over the whole volume (part X7)."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

UNITS = {"MAE": "standardised intensity", "PSNR": "dB"}


def mae(real: NDArray, made: NDArray) -> float:
    """Mean absolute error over all voxels, in the real volume's standardised intensity."""
    return float(np.abs(_difference(real, made)).mean())


def psnr(real: NDArray, made: NDArray) -> float:
    """Peak signal-to-noise ratio over all voxels, in dB; infinite if equal.

    The peak is the range of the real volume, its largest value less its smallest. The report does
    not say what its peak is: its printed mean squared errors (.040 and .028 at about 30 dB) belong
    to one of about six standard deviations, which is that range and not, say, 1 or 255.
    """
    mse = np.square(_difference(real, made)).mean()
    peak = float(real.max()) - float(real.min())
    return float("inf") if mse == 0 else float(10 * np.log10(peak**2 / mse))


METRICS: dict[str, Callable[[NDArray, NDArray], float]] = {"MAE": mae, "PSNR": psnr}


def _difference(real: NDArray, made: NDArray) -> NDArray[np.float64]:
    return np.asarray(made, np.float64) - np.asarray(real, np.float64)
