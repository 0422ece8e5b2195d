"""Whether a synthetic PET shows how a person differs from the mean, or the mean alone.

All brains are alike, so that the mean PET of other people is like anybody's (CorCoef, SSIM). What
is left when it is subtracted from both is the person: a model that knows nothing of people scores
about zero here, however good its mean is.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.errors import InputError
from mri2pet.evaluation.image_metrics import LIKENESS, comparable, correlation, listed

CAPTION = (
    "Correlation of differences from Mean PET: Pearson's correlation, over the voxels of the mask, "
    "of (synthetic - Mean PET) with (real - Mean PET), with the Mean PET of the fold's training "
    "people. It tells a model of persons from a model of the mean, whose CorCoef and SSIM are high "
    "too: about 0 of what says nothing of a person, n/a of Mean PET itself."
)


def correlation_of_differences(
    real: NDArray, synthetic: NDArray, mask: NDArray, mean: NDArray
) -> float:
    """Correlate how two volumes differ from a mean volume.

    Parameters
    ----------
    real, synthetic, mean
        (X, Y, Z).
    mask
        (X, Y, Z) bool: voxels that count.

    Returns
    -------
    -1 to 1; NaN where one of the two is the mean volume itself.
    """
    inside = np.asarray(mean[mask], dtype=np.float64)
    differences = [volume[mask] - inside for volume in (real, synthetic)]
    return correlation(*differences, np.ones(inside.shape, dtype=bool))


def measure_differences(
    visits: pd.DataFrame,
    real: NDArray,
    synthetic: NDArray,
    mask: NDArray,
    fold: int,
    mean: NDArray,
    seen: NDArray | None = None,
) -> pd.DataFrame:
    """Measure every held-out visit of one model and fold, as `image_metrics.measure_visits` does.

    Parameters
    ----------
    visits, real, synthetic, mask, fold, seen
        As for `measure_visits`.
    mean
        (M, X, Y, Z) the synthesis of Mean PET in this fold, the same volume for each visit.

    Returns
    -------
    One row a visit: subject visit group fold metric unit value.

    Raises
    ------
    InputError
        If the Mean PET is of other visits.
    """
    if mean.shape != synthetic.shape:
        raise InputError(
            f"fold {fold}: Mean PET has shape {mean.shape}, and the synthetic PET "
            f"{synthetic.shape}: synthesise both again"
        )
    rows = []
    for position, visit in enumerate(visits.to_dict("records")):
        if visit["role"] == "test":
            pair = comparable(real, synthetic[position], mask, seen, visit["index"])
            value = correlation_of_differences(*pair, mean[position])
            told = {name: visit[name] for name in ("subject", "visit", "group")}
            told |= {"fold": fold, "metric": LIKENESS.name, "unit": LIKENESS.unit}
            rows.append(told | {"value": value})
    columns = ["subject", "visit", "group", "fold", "metric", "unit", "value"]
    return pd.DataFrame(rows, columns=columns)


def listed_in(values: pd.DataFrame, system: str) -> list[str]:
    """Name what the tables of a system list (`listed`), and this metric where it was measured.

    Parameters
    ----------
    values
        One row a visit and metric, with a column `metric`.
    system
        A key of `image_metrics.PRINTED`.
    """
    measured = LIKENESS.name in set(values["metric"])
    return [*listed(system), *([LIKENESS.name] if measured else [])]
