"""How close a synthetic PET is to the real one: SSIM, PSNR, MAE and correlation inside one mask.

Every model of a table is measured with the same mask, data range and SSIM window. They are fixed
here, and nowhere else.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.errors import InputError

DATA_RANGE = 1.0  # PET intensities are 0..1: the MAX of the PSNR and the L of SSIM's constants
SSIM_SIGMA = 1.5  # voxels; Wang et al. 2004, truncated at 3.5 sigma: a window of 11 voxels a side
UNITS = {
    "SSIM": "percent",  # as GLA-GAN prints it
    "PSNR": "dB",
    "MAE": "intensity in 0..1",
    "CorCoef": "fraction",
    "LPIPS": "distance",  # measured in evaluation/lpips.py
}
HIGHER_IS_BETTER = {"SSIM": True, "PSNR": True, "MAE": False, "CorCoef": True, "LPIPS": False}
GLA_GAN = ("SSIM", "PSNR", "MAE")  # what Table I of GLA-GAN shows

DESCRIPTION = (
    "SSIM, PSNR and MAE are taken over the voxels of one brain mask, the template's, which is the "
    f"same for all visits and models; data range {DATA_RANGE:g}; SSIM in 3D with a Gaussian window "
    f"of sigma {SSIM_SIGMA:g} voxels (11 voxels a side), its map averaged inside the mask."
)


def ssim(real: NDArray, synthetic: NDArray, mask: NDArray) -> float:
    """Mean structural similarity inside `mask`, in percent (GLA-GAN, Eq. 4).

    The similarity map is computed on the whole volumes, so that the windows at the mask's edge
    are full, and averaged over the mask.

    Parameters
    ----------
    real, synthetic
        Volumes of one shape, intensities 0..1.
    mask
        Boolean volume of that shape.
    """
    from skimage.metrics import structural_similarity

    _, similarity = structural_similarity(
        np.asarray(real, dtype=np.float64),
        np.asarray(synthetic, dtype=np.float64),
        data_range=DATA_RANGE,
        gaussian_weights=True,
        sigma=SSIM_SIGMA,
        use_sample_covariance=False,
        full=True,
    )
    return float(100 * similarity[mask].mean())


def psnr(real: NDArray, synthetic: NDArray, mask: NDArray) -> float:
    """Peak signal-to-noise ratio inside `mask`, in dB (GLA-GAN, Eq. 10); infinite if equal."""
    mse = np.mean(np.square(_difference(real, synthetic, mask)))
    return float("inf") if mse == 0 else float(10 * np.log10(DATA_RANGE**2 / mse))


def mae(real: NDArray, synthetic: NDArray, mask: NDArray) -> float:
    """Mean absolute error inside `mask`, in intensity (GLA-GAN, Eq. 9)."""
    return float(np.mean(np.abs(_difference(real, synthetic, mask))))


def correlation(real: NDArray, synthetic: NDArray, mask: NDArray) -> float:
    """Pearson correlation of the voxels inside `mask` (DUAL-GLOW, Table 1); NaN if one is flat."""
    pair = np.stack([np.asarray(volume[mask], dtype=np.float64) for volume in (real, synthetic)])
    pair -= pair.mean(axis=1, keepdims=True)
    norms = np.sqrt(np.square(pair).sum(axis=1))
    return float(pair[0] @ pair[1] / norms.prod()) if norms.all() else float("nan")


METRICS = {"SSIM": ssim, "PSNR": psnr, "MAE": mae, "CorCoef": correlation}


def measure_visits(
    visits: pd.DataFrame, real: NDArray, synthetic: NDArray, mask: NDArray, fold: int
) -> pd.DataFrame:
    """Measure every held-out visit of one model and fold.

    Parameters
    ----------
    visits
        Row `i` belongs to `synthetic[i]`; `index` is the row in `real`, `role` is `test` for a
        visit with a real PET that the generator has not seen. Others are not measured.
    real
        (N, X, Y, Z) PET of the whole dataset, 0..1; may be memory-mapped.
    synthetic
        (M, X, Y, Z) synthetic PET, 0..1; may be memory-mapped.
    mask
        (X, Y, Z) boolean.
    fold
        Written into the table.

    Returns
    -------
    One row a visit and metric: subject visit group fold metric unit value.

    Raises
    ------
    InputError
        If the table and the volumes do not belong together.
    """
    if len(visits) != len(synthetic) or synthetic.shape[1:] != mask.shape:
        raise InputError(
            f"visits.tsv has {len(visits)} rows for a mask of shape {mask.shape}, but pet.npy "
            f"has shape {synthetic.shape}: synthesise this fold again"
        )
    rows = []
    for position, visit in enumerate(visits.itertuples(index=False)):
        if visit.role != "test":
            continue
        truth = real[visit.index]
        rows += [
            {
                "subject": visit.subject,
                "visit": visit.visit,
                "group": visit.group,
                "fold": fold,
                "metric": name,
                "unit": UNITS[name],
                "value": metric(truth, synthetic[position], mask),
            }
            for name, metric in METRICS.items()
        ]
    columns = ["subject", "visit", "group", "fold", "metric", "unit", "value"]
    return pd.DataFrame(rows, columns=columns)


def _difference(real: NDArray, synthetic: NDArray, mask: NDArray) -> NDArray:
    """Return synthetic minus real inside the mask, in double precision."""
    return np.asarray(synthetic[mask], dtype=np.float64) - np.asarray(real[mask], dtype=np.float64)
