"""Numbers that tell whether a visit's preprocessing can be believed."""

from collections.abc import Mapping

import numpy as np

from mri2pet.errors import InputError, ScanError
from mri2pet.imaging.volume import Array

LIMITS = {  # key of config preproc.qc: (measure, whether it is a lower limit)
    "min_brain_ml": ("brain_ml", True),
    "max_brain_ml": ("brain_ml", False),
    "min_template_correlation": ("template_correlation", True),
    "min_template_dice": ("template_dice", True),
    "min_pet_mri_information": ("pet_mri_information", True),
    "max_clipped_fraction": ("clipped_fraction", False),
}


def dice(one: Array, other: Array) -> float:
    """Dice overlap of two boolean arrays; 1 when both are empty."""
    total = int(one.sum()) + int(other.sum())
    return 2 * int((one & other).sum()) / total if total else 1.0


def correlation(one: Array, other: Array, mask: Array) -> float:
    """Pearson correlation of two arrays inside a mask; 0 where one is constant."""
    a, b = (x[mask].astype(np.float64) for x in (one, other))
    a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / scale) if scale > 0 else 0.0


def normalised_information(one: Array, other: Array, mask: Array, bins: int = 32) -> float:
    """Normalised mutual information (H(a) + H(b)) / H(a, b) - 1 inside a mask: 0 to 1.

    Studholme 1999, less one, so that 0 means that neither image tells of the other.
    """
    counts, _, _ = np.histogram2d(one[mask], other[mask], bins=bins)
    joint = counts / counts.sum()

    def entropy(p: Array) -> float:
        p = p[p > 0]
        return float(-(p * np.log(p)).sum())

    both = entropy(joint)
    return (entropy(joint.sum(0)) + entropy(joint.sum(1))) / both - 1 if both > 0 else 0.0


def mirror_difference(brain: Array, template: Array, mask: Array) -> float:
    """Say by how much a brain resembles the template more than the template's mirror image.

    Both on the same grid whose first axis is left to right. Positive for a brain the right way
    round, as far as the template's own asymmetry can tell: a hint in a report, never a reason
    to exclude.
    """
    both = mask & mask[::-1]
    return correlation(brain, template, both) - correlation(brain, template[::-1], both)


def mri_measures(image: Array, mask: Array, template: Array, brain: Array) -> dict[str, float]:
    """Measure a T1 in template space: its intensity, its mask and the template's, one grid."""
    return {
        "template_correlation": round(correlation(image, template, brain), 4),
        "template_dice": round(dice(mask, brain), 4),
        "mirror_difference": round(mirror_difference(image, template, brain), 4),
    }


def pet_measures(pet: Array, mri: Array, brain: Array) -> dict[str, float]:
    """Measure a PET against its MRI, both in template space on one grid."""
    return {"pet_mri_information": round(normalised_information(pet, mri, brain), 4)}


def verdict(measures: Mapping[str, float], limits: Mapping[str, float]) -> None:
    """Exclude a visit whose measures lie outside the limits of config `preproc.qc`.

    Measures that were not taken (those of PET in a visit without) are not judged.

    Raises
    ------
    InputError
        A limit's name is unknown.
    ScanError
        A measure is outside its limits, or is no number; the message names all of them.
    """
    unknown = sorted(set(limits) - set(LIMITS))
    if unknown:
        raise InputError(f"preproc.qc: unknown limits {unknown}, known are {sorted(LIMITS)}")
    failed = []
    for key, limit in sorted(limits.items()):
        measure, lower = LIMITS[key]
        value = measures.get(measure)
        if value is None:
            continue
        if not (value >= limit if lower else value <= limit):
            failed.append(f"{measure} {value:.3g} is {'below' if lower else 'above'} {limit:g}")
    if failed:
        raise ScanError("quality control: " + "; ".join(failed))
