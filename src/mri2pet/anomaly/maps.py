"""From decision values to anomaly maps: what a patient's score is worth among controls left out."""

import numpy as np
from scipy.ndimage import gaussian_filter

STANDARDISE = ("none", "brain", "voxel")
FLOOR = 0.1  # of the mean deviation: no voxel where controls happen to agree becomes an alarm


def sigma_voxels(fwhm_mm: float, affine: np.ndarray) -> float:
    """Turn a full width at half maximum in mm into a standard deviation in (cubic) voxels."""
    size = abs(float(np.linalg.det(affine[:3, :3]))) ** (1 / 3)
    return fwhm_mm / np.sqrt(8 * np.log(2)) / size


def smoothed(maps: np.ndarray, mask: np.ndarray, sigma: float) -> np.ndarray:
    """Average maps (..., X, Y, Z) over a Gaussian within the mask; `sigma` in voxels."""
    if not sigma:
        return np.where(mask, maps, 0).astype(np.float32)
    shape = maps.shape
    inside = gaussian_filter(mask.astype(np.float32), sigma)
    flat = [gaussian_filter(np.where(mask, one, 0), sigma) for one in maps.reshape(-1, *mask.shape)]
    return np.where(mask, np.stack(flat) / np.maximum(inside, 1e-3), 0).reshape(shape)


def anomaly_maps(
    controls: np.ndarray,
    patients: np.ndarray,
    mask: np.ndarray,
    sigma: float = 0.0,
    standardise: str = "voxel",
    background: float = 0.0,
) -> np.ndarray:
    """Standardise patients' decision values by those of controls that no model has seen.

    Parameters
    ----------
    controls
        (n, X, Y, Z) decision values of controls, each by the models that left it out.
    patients
        (m, X, Y, Z), means over the same models.
    mask
        (X, Y, Z) bool.
    sigma
        Gaussian smoothing of all decision values before, voxels.
    standardise
        `voxel`: by mean and standard deviation of the controls at the voxel; `brain`: by their
        mean at the voxel and one deviation, that of the brain; `none`: only the sign is turned.
    background
        Standard deviation of a Gaussian, voxels: a score's average over it is taken off, since a
        lesion is focal and people differ by whole regions; 0 for nothing.

    Returns
    -------
    array (m, X, Y, Z)
        float32, large where a patient is unlike the controls; zero off the mask.
    """
    own, asked = (smoothed(maps, mask, sigma) for maps in (controls, patients))
    if standardise == "none":
        return _focal(-asked, mask, background)
    spread = own.std(axis=0, ddof=1) if len(own) > 1 else np.ones(mask.shape, np.float32)
    typical = float(np.sqrt(np.mean(np.square(spread[mask])))) or 1.0
    if standardise == "brain":
        spread = np.full(mask.shape, typical, np.float32)
    score = (own.mean(axis=0) - asked) / (spread + FLOOR * typical)
    return _focal(score, mask, background)


def _focal(score: np.ndarray, mask: np.ndarray, background: float) -> np.ndarray:
    if background:
        score = score - smoothed(score, mask, background)
    return np.where(mask, score, 0).astype(np.float32)
