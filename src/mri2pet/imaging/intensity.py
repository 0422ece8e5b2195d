"""Head masks, intensity scaling of MRI and of PET."""

import numpy as np
from scipy import ndimage

from mri2pet.errors import InputError, ScanError
from mri2pet.imaging.volume import Array

PERCENTILES = (1.0, 99.5)
CEREBELLUM = (91, 116)  # labels of AAL


def otsu(values: Array, bins: int = 256) -> float:
    """Threshold that best parts a histogram in two (Otsu 1979)."""
    counts, edges = np.histogram(values, bins=bins)
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * centres)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = sums / below - (sums[-1] - sums) / above
        between = below.astype(float) * above * gap**2
    best = np.flatnonzero(between == np.nanmax(between))  # a gap in the histogram: its middle
    return float(edges[best + 1].mean())


def head_mask(data: Array) -> Array:
    """Rough mask of the head: above half the Otsu threshold, largest part, holes filled.

    Half of the threshold, since Otsu's own parts white matter and fat from the rest in many heads.
    """
    top = np.percentile(data, 99.5)
    mask = data > otsu(np.clip(data, None, top)) / 2
    mask = ndimage.binary_opening(mask, iterations=1)
    labels, count = ndimage.label(mask)
    if count == 0:
        raise ScanError("no head found: nothing stands out from the background")
    mask = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    mask = ndimage.binary_closing(np.pad(mask, 2), iterations=2)[2:-2, 2:-2, 2:-2]
    return ndimage.binary_fill_holes(mask)


def unit_range(data: Array, mask: Array) -> Array:
    """Scale so that the robust range inside `mask` becomes 0..1; what lies outside goes on.

    For registrations that look beyond the brain: clipped at -0.3 and 1.3 (fat, noise).

    Raises
    ------
    ScanError
        The mask is empty or what it holds has one value only.
    """
    low, high = np.percentile(data[mask], PERCENTILES) if mask.any() else (0.0, 0.0)
    if high <= low:
        raise ScanError("there is no contrast where the brain should be: registration failed")
    return np.clip((data - low) / (high - low), -0.3, 1.3).astype(np.float32)


def normalise(data: Array, mask: Array, percentiles: tuple[float, float] = PERCENTILES) -> Array:
    """Scale a brain to 0..1 by robust percentiles inside its mask, zero outside.

    Parameters
    ----------
    data, mask
        Same shape.
    percentiles
        Become 0 and 1; what lies beyond is clipped. The upper one leaves out vessels and fat,
        the lower one the darkest cerebrospinal fluid.

    Returns
    -------
    Array
        float32.

    Raises
    ------
    ScanError
        The mask is empty or the brain has one value only.
    """
    if not mask.any():
        raise ScanError("the brain mask is empty")
    inside = data[mask]
    low, high = np.percentile(inside, percentiles)
    if high <= low:
        raise ScanError("the brain has no contrast: its percentiles are equal")
    scaled = np.zeros(data.shape, np.float32)
    scaled[mask] = np.clip((inside - low) / (high - low), 0, 1)
    return scaled


def scale_uptake(
    data: Array, reference: Array, mask: Array, ceiling: float
) -> tuple[Array, dict[str, float]]:
    """Scale PET so that the reference region's mean is one, divide by a fixed ceiling, clip.

    A fixed ceiling keeps the ratio between people, which a maximum of each volume would lose.

    Parameters
    ----------
    data, reference, mask
        Same shape; `reference` and `mask` boolean.
    ceiling
        Uptake, in units of the reference region's mean, that becomes 1.

    Returns
    -------
    scaled, measures
        float32 in 0..1, zero outside `mask`; the reference's mean in the scan's own unit and the
        share of brain voxels clipped at the ceiling.

    Raises
    ------
    ScanError
        There is no uptake in the reference region.
    """
    inside = data[reference & mask]
    mean = float(inside.mean(dtype=np.float64)) if inside.size else 0.0
    if mean <= 0:
        raise ScanError("no PET uptake in the reference region")
    scaled, clipped = divide_uptake(data, mean, mask, ceiling)
    return scaled, {"reference_mean": mean, "clipped_fraction": clipped}


def divide_uptake(
    data: Array, reference_mean: float, mask: Array, ceiling: float
) -> tuple[Array, float]:
    """Scale PET by a mean that is known already: see `scale_uptake`.

    Returns
    -------
    scaled, clipped_fraction
        float32 in 0..1, zero outside `mask`; the share of brain voxels clipped at the ceiling.
    """
    ratio = data / (reference_mean * ceiling)
    clipped = float(np.mean(ratio[mask] > 1))
    return np.where(mask, np.clip(ratio, 0, 1), 0).astype(np.float32), clipped


def scale_image(
    data: Array, mask: Array, percentile: float = PERCENTILES[1]
) -> tuple[Array, dict[str, float]]:
    """Scale one PET to 0..1 by itself: no uptake is 0, a high percentile inside the mask is 1.

    Returns
    -------
    scaled, measures
        float32, clipped, zero outside `mask`; the `top` in the scan's own unit that became 1.

    Raises
    ------
    ScanError
        There is no uptake inside the mask.
    """
    top = float(np.percentile(data[mask], percentile)) if mask.any() else 0.0
    if top <= 0:
        raise ScanError("there is no PET uptake inside the brain")
    scaled = np.where(mask, np.clip(data / top, 0, 1), 0).astype(np.float32)
    return scaled, {"top": top}


def reference_region(name: str, labels: Array, brain: Array) -> Array:
    """Voxels whose mean uptake is set to one.

    Parameters
    ----------
    name
        `cerebellum` (AAL 91 to 116: hemispheres and vermis) or `brain`.
    labels, brain
        AAL labels and brain mask on one grid.
    """
    if name == "cerebellum":
        return (labels >= CEREBELLUM[0]) & (labels <= CEREBELLUM[1])
    if name == "brain":
        return brain
    raise InputError(f"preproc.pet_reference: {name!r} is not one of cerebellum, brain")
