"""From decision values to anomaly maps: what a patient's score is worth among controls left out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from mri2pet.errors import InputError

STANDARDISE = ("none", "brain", "voxel")
FEWEST = 3  # controls held out
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
    direction: str = "low",
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
    direction
        `low`: a value below the controls' is suspicious; `both`: one above, too.

    Returns
    -------
    array (m, X, Y, Z)
        float32, large where a patient is unlike the controls; zero off the mask.
    """
    own, asked = (smoothed(maps, mask, sigma) for maps in (controls, patients))
    return standardised(usual(own), asked, mask, standardise, background, direction)


def left_out_maps(
    controls: np.ndarray,
    subjects: Sequence[str],
    mask: np.ndarray,
    sigma: float = 0.0,
    standardise: str = "voxel",
    background: float = 0.0,
    direction: str = "low",
) -> np.ndarray:
    """Score every control as a patient is scored, by the other controls alone.

    Parameters
    ----------
    controls
        (n, X, Y, Z) decision values, each by the models that left the control out.
    subjects
        n labels: no visit of a person standardises another visit of the same person.
    mask, sigma, standardise, background, direction
        As for `anomaly_maps`.

    Returns
    -------
    array (n, X, Y, Z)
        float32, as `anomaly_maps` gives it.

    Raises
    ------
    InputError
        If fewer than three controls are held out: two are needed beside the one that is scored.
    """
    names = np.asarray(subjects)
    if len(set(names)) < FEWEST:
        raise InputError(
            f"{len(set(names))} controls are held out of the detector; false alarms and "
            f"thresholds need {FEWEST}: have more controls with a PET"
        )
    smooth = smoothed(controls, mask, sigma)
    out = np.empty(smooth.shape, np.float32)
    for name in dict.fromkeys(subjects):
        own = names == name
        out[own] = standardised(
            usual(smooth[~own]), smooth[own], mask, standardise, background, direction
        )
    return out


def usual(own: np.ndarray) -> np.ndarray:
    """Return mean and standard deviation (2, X, Y, Z) of controls' smoothed decision values.

    The deviation of a single control is one.
    """
    spread = own.std(axis=0, ddof=1) if len(own) > 1 else np.ones(own.shape[1:], np.float32)
    return np.stack([own.mean(axis=0), spread])


def standardised(
    among: np.ndarray,
    asked: np.ndarray,
    mask: np.ndarray,
    standardise: str,
    background: float,
    direction: str,
) -> np.ndarray:
    """Return the scores of people (m, X, Y, Z), whose decision values are smoothed.

    Parameters
    ----------
    among
        What is usual among controls, as `usual` gives it.
    asked
        (m, X, Y, Z).
    mask, standardise, background, direction
        As for `anomaly_maps`.
    """
    if standardise == "none":
        score = -asked
    else:
        mean, spread = among
        typical = float(np.sqrt(np.mean(np.square(spread[mask])))) or 1.0
        if standardise == "brain":
            spread = np.full(mask.shape, typical, np.float32)
        score = (mean - asked) / (spread + FLOOR * typical)
    if background:
        score = score - smoothed(score, mask, background)
    if direction == "both":
        score = np.abs(score)
    return np.where(mask, score, 0).astype(np.float32)


def settings_of(scores: Mapping[str, Any], affine: np.ndarray) -> tuple[float, str, float]:
    """Read the block `gan_anomaly.detector.scores`: `sigma`, `standardise` and `background`."""
    near, far = (sigma_voxels(scores[key], affine) for key in ("smoothing_mm", "background_mm"))
    return near, scores["standardise"], far
