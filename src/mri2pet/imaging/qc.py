"""Numbers that tell whether a visit's preprocessing can be believed."""

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from mri2pet.errors import InputError, ScanError
from mri2pet.imaging.volume import Array

# Key of config preproc.qc: measure, whether it is a lower limit, and what it means to be outside.
LIMITS = {
    "min_brain_ml": ("brain_ml", True, ""),
    "max_brain_ml": ("brain_ml", False, ""),
    "min_template_correlation": ("template_correlation", True, ""),
    "min_template_dice": ("template_dice", True, ""),
    "max_t1_grey_white": (
        "t1_grey_white",
        False,
        "grey matter is as bright as white: this is no T1-weighted MRI",
    ),
    "min_t1_detail": ("t1_detail", True, "it is as blurred as a PET: this is no MRI"),
    "min_brain_seen": (
        "brain_seen",
        True,
        "the PET's field of view leaves part of the brain out",
    ),
    "min_reference_seen": (
        "reference_seen",
        True,
        "the PET's field of view leaves part of the reference region out",
    ),
    "min_pet_mri_information": (
        "pet_mri_information",
        True,
        "the PET does not fit the MRI: is it of this person?",
    ),
    "max_pet_mri_information": (
        "pet_mri_information",
        False,
        "the PET shows what the MRI shows: is it an MRI?",
    ),
    "max_clipped_fraction": (
        "clipped_fraction",
        False,
        "too much uptake for its reference region: is the tracer right?",
    ),
    "min_pet_grey_white": (
        "pet_grey_white",
        True,
        "FDG shows more in grey matter than in white: this is no FDG-PET",
    ),
}
OF_FDG = ("min_pet_grey_white",)  # limits that hold for FDG alone
DEEP_MM = 4.0  # below the surface of the white matter, where a PET's blur mixes in little grey
COARSE_MM = 4.0  # fwhm of what is no detail


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


def grey_and_deep_white(t1: Array, inside: Array, voxel_mm: Array) -> tuple[Array, Array]:
    """Part a T1 by intensity in three and return its grey matter and its deep white matter.

    The three means come from k-means. Deep is white matter `DEEP_MM` below its surface.

    Parameters
    ----------
    t1
        (X, Y, Z) intensities.
    inside
        (X, Y, Z) bool, the brain.
    voxel_mm
        (3,), sides of a voxel.

    Returns
    -------
    grey, white
        (X, Y, Z) bool; both empty where the brain is.
    """
    if not inside.any():
        return inside, inside
    values = np.sort(t1[inside].astype(np.float64))
    sums = np.concatenate([[0.0], np.cumsum(values)])
    means, ends = np.percentile(values, (10, 50, 90)), np.array([0, 0, 0, len(values)])
    for _ in range(50):
        parted = ends
        ends = np.searchsorted(values, (means[1:] + means[:-1]) / 2, side="right")
        ends = np.array([0, *ends, len(values)])
        if (ends == parted).all():
            break
        means = np.diff(sums[ends]) / np.maximum(np.diff(ends), 1)
    dark, bright = (means[1:] + means[:-1]) / 2
    white = inside & (t1 > bright)
    depth = ndimage.distance_transform_edt(white, voxel_mm)
    return inside & (t1 > dark) & ~white, depth > DEEP_MM


def grey_white_ratio(image: Array, grey: Array, white: Array) -> float | None:
    """Return the mean of an image in grey matter over that in white; None if one is not there."""
    if not (grey.any() and white.any()):
        return None
    means = [float(image[region].mean(dtype=np.float64)) for region in (grey, white)]
    return means[0] / means[1] if means[1] > 0 else None


def detail(image: Array, inside: Array, voxel_mm: Array) -> float:
    """Say how much of a brain's contrast is finer than some mm: 0 for a blurred image.

    The standard deviation of the difference to the image blurred (`COARSE_MM`), over that of the
    image, both inside the mask.
    """
    sigma = COARSE_MM / 2.355 / np.asarray(voxel_mm, float)
    weight = ndimage.gaussian_filter(inside.astype(np.float32), sigma)
    blurred = ndimage.gaussian_filter(np.where(inside, image, 0).astype(np.float32), sigma)
    fine = image[inside] - blurred[inside] / weight[inside]
    spread = float(image[inside].std()) if inside.any() else 0.0
    return float(fine.std()) / spread if spread > 0 else 0.0


def mri_measures(
    image: Array, mask: Array, template: Array, brain: Array, voxel_mm: Array
) -> dict[str, float]:
    """Measure a T1 in template space: its intensity, its mask and the template's, one grid."""
    ratio = grey_white_ratio(image, *grey_and_deep_white(template, brain, voxel_mm))
    both = mask & brain
    return {
        "template_correlation": round(correlation(image, template, brain), 4),
        "template_dice": round(dice(mask, brain), 4),
        "mirror_difference": round(mirror_difference(image, template, brain), 4),
        "t1_detail": round(detail(image, both, voxel_mm), 4),
    } | ({} if ratio is None else {"t1_grey_white": round(ratio, 4)})


def pet_measures(pet: Array, mri: Array, seen: Array, voxel_mm: Array) -> dict[str, float]:
    """Measure a PET against its MRI, both in template space on one grid.

    Parameters
    ----------
    pet, mri
        (X, Y, Z), 0 to 1; the MRI is zero outside its own mask.
    seen
        (X, Y, Z) bool: the brain, where the PET has measured it.
    voxel_mm
        (3,), sides of a voxel.
    """
    ratio = grey_white_ratio(pet, *grey_and_deep_white(mri, seen & (mri > 0), voxel_mm))
    return {"pet_mri_information": round(normalised_information(pet, mri, seen), 4)} | (
        {} if ratio is None else {"pet_grey_white": round(ratio, 4)}
    )


def limits_of(limits: Mapping[str, float], fdg: bool) -> dict[str, float]:
    """Return the limits that hold for a PET, whether its tracer is FDG or another."""
    return {key: limit for key, limit in limits.items() if fdg or key not in OF_FDG}


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
        measure, lower, meaning = LIMITS[key]
        value = measures.get(measure)
        if value is None:
            continue
        if not (value >= limit if lower else value <= limit):
            text = f"{measure} {value:.3g} is {'below' if lower else 'above'} {limit:g}"
            failed.append(f"{text} ({meaning})" if meaning else text)
    if failed:
        raise ScanError("quality control: " + "; ".join(failed))
