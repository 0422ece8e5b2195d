"""Grey matter, white matter and cerebrospinal fluid."""

import numpy as np

from mri2pet.errors import ScanError
from mri2pet.imaging.antsreg import deterministic_ants, to_ants
from mri2pet.imaging.volume import Array, Volume, array, like

TISSUES = ("GM", "WM", "CSF")  # labels 1, 2, 3
BY_INTENSITY = ("CSF", "GM", "WM")  # dark to bright in a T1
BY_WATER = ("WM", "GM", "CSF")  # dark to bright in a T2 or PD


def segment(
    brain: Volume, mask: Volume, order: tuple[str, ...] = BY_INTENSITY
) -> tuple[dict[str, Array], Array, dict[str, float]]:
    """Segment a brain with Atropos (Avants 2011): k-means, then a Markov field.

    Parameters
    ----------
    brain
        Skull-stripped T1, 0..1; or another contrast.
    mask
        Where there is brain, same grid.
    order
        Tissues from dark to bright in that contrast.

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
    ants = deterministic_ants()
    inside = array(mask) > 0
    try:
        result = ants.atropos(
            a=to_ants(brain),
            x=to_ants(like(mask, inside)),
            i="kmeans[3]",
            m="[0.1,1x1x1]",
            c="[5,0]",
            priorweight=0,
            r=0,
        )
    except (RuntimeError, ValueError, IndexError) as error:
        raise ScanError(f"Atropos failed ({error})") from error
    found = np.stack([p.numpy() for p in result["probabilityimages"]])
    return order_tissues(found, array(brain), inside, order)


def order_tissues(
    found: Array, brain: Array, inside: Array, order: tuple[str, ...] = BY_INTENSITY
) -> tuple[dict[str, Array], Array, dict[str, float]]:
    """Name three classes by their mean intensity.

    Parameters
    ----------
    found
        (3, ...) probabilities in any order and scale.
    brain, inside
        Intensity and mask, of the shape of one class.
    order
        Tissues from dark to bright.
    """
    found = np.where(inside, np.clip(found, 0, None), 0).astype(np.float64)
    total = found.sum(axis=0)
    if (found.sum(axis=tuple(range(1, found.ndim))) <= 0).any():
        raise ScanError("segmentation found fewer than three tissues")
    # A voxel that no class claims goes to the middle one by intensity, which is always grey matter.
    mean = [float((p * brain).sum() / p.sum()) for p in found]
    ranks = np.argsort(mean, kind="stable")
    named = dict(zip(order, found[ranks], strict=True))
    named["GM"] = np.where(inside & (total <= 0), 1.0, named["GM"])
    total = np.where(inside, sum(named.values()), 1.0)
    probabilities = {t: (named[t] / total).astype(np.float32) for t in TISSUES}
    labels = 1 + np.argmax(np.stack([probabilities[t] for t in TISSUES]), axis=0)
    means = {t: round(mean[ranks[i]], 4) for i, t in enumerate(order)}
    return probabilities, np.where(inside, labels, 0).astype(np.uint8), means
