"""Grey matter, white matter and cerebrospinal fluid."""

from collections.abc import Mapping

import numpy as np

from mri2pet.errors import ScanError
from mri2pet.files import own_temporary_files
from mri2pet.imaging.antsreg import deterministic_ants, to_ants
from mri2pet.imaging.volume import Array, Volume, array, box_of, crop, like
from mri2pet.machine_faults import not_the_scans

TISSUES = ("GM", "WM", "CSF")  # labels 1, 2, 3
MARGIN_MM = 4.0  # around the brain, of what Atropos is shown: the rest is air
BY_INTENSITY = ("CSF", "GM", "WM")  # dark to bright in a T1
# A T1's three tissues are so far apart that k-means and one round, all voxels at once, are enough:
# with five, grey matter and cerebrospinal fluid of simulated people are further from the truth.
THOROUGH, QUICK = {"c": "[5,0]"}, {"c": "[1,0]", "g": "0"}


def segment(brain: Volume, mask: Volume) -> tuple[dict[str, Array], Array, dict[str, float]]:
    """Segment a T1 in template space with Atropos (Avants 2011): k-means, then a Markov field.

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
    found = classes(brain, mask, len(TISSUES), QUICK)
    return order_tissues(found, array(brain), inside)


def classes(brain: Volume, mask: Volume, count: int, rounds: Mapping[str, str] = THOROUGH) -> Array:
    """Part a brain into classes of intensity: probabilities (count, X, Y, Z), in any order.

    `rounds` is `THOROUGH` or `QUICK`.

    Raises
    ------
    ScanError
        There are not so many classes to be told apart.
    """
    ants = deterministic_ants()
    box = box_of(like(mask, array(mask) > 0), MARGIN_MM)
    inside = crop(like(mask, array(mask) > 0), box)
    try:
        with (
            own_temporary_files() as here,
            not_the_scans(here),
        ):  # antspyx leaves its probability images
            result = ants.atropos(
                a=to_ants(crop(brain, box)),
                x=to_ants(inside),
                i=f"kmeans[{count}]",
                m="[0.1,1x1x1]",
                priorweight=0,
                r=0,
                **rounds,
            )
    except (RuntimeError, ValueError, IndexError) as error:
        raise ScanError(f"Atropos failed ({error})") from error
    found = np.zeros((len(result["probabilityimages"]), *brain.shape), np.float32)
    for whole, part in zip(found, result["probabilityimages"], strict=True):
        whole[box] = part.numpy()
    return found


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
