"""Uptake in units of other reference regions, and corrected for partial volume.

A PET's unit is the mean of a region; which one is a choice, and a synthetic PET may err in that
region as in any other. Here each image, real or synthetic, is divided by its own mean of a region,
or its grey matter is corrected for what the scanner's blur mixes into it. No model is trained anew.
Alzheimer's disease spares the pons (Minoshima 1995, Journal of Computer Assisted Tomography 19).
No atlas of this workflow has one: an ellipsoid in the middle of the pons of MNI152 stands for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from mri2pet.diagnosis.features import regional_means
from mri2pet.diagnosis.methods import AS_MADE, BRAIN, CORRECTED, PONS, REFERENCE_LABELS

FWHM_TO_SIGMA = 2.3548
# An ellipsoid in MNI152, mm: three or more inside the template's pons on all sides, so that a
# person's pons, brought there by an affine, still covers it.
PONS_CENTRE, PONS_RADII = (0.0, -26.0, -34.0), (10.0, 8.0, 9.0)
PURE_WHITE = 0.95  # of the blurred white matter: there its uptake is read
LEAST_WHITE = (
    0.01  # share of the brain's voxels, those with the most white matter, where none is so
)
LEAST_GREY = 0.3  # of the blurred grey matter: with less, dividing by it makes noise


@dataclass(frozen=True)
class Anatomy:
    """What regions are measured by.

    Attributes
    ----------
    atlas, mask
        (X, Y, Z) labels of AAL; brain.
    gm, wm
        (N, X, Y, Z) probabilities 0..1 of all visits; may be memory-mapped.
    affine
        (4, 4) from voxels to MNI152, mm.
    fwhm_mm
        Resolution of the PET.
    """

    atlas: NDArray
    mask: NDArray
    gm: NDArray
    wm: NDArray
    affine: NDArray
    fwhm_mm: float

    @property
    def voxel_mm(self) -> NDArray[np.float64]:
        """(3,) sides of a voxel."""
        return np.linalg.norm(np.asarray(self.affine)[:3, :3], axis=0)


def on_scale(
    scale: str,
    features: pd.DataFrame,
    visits: pd.DataFrame,
    images: NDArray,
    anatomy: Anatomy,
    seen: NDArray | None = None,
) -> pd.DataFrame:
    """Return features as they are on another scale.

    Parameters
    ----------
    scale
        One of `methods.SCALES`.
    features
        Long, of these visits and others; those of the PET of these visits change.
    visits
        Row `i` belongs to `images[i]`; `index` is the visit's row in `anatomy` and `seen`.
    images
        (M, X, Y, Z) PET; may be memory-mapped.
    anatomy
        See there.
    seen
        (N, X, Y, Z), where the PET is measured; None: everywhere.

    Returns
    -------
    Divided by each image's own mean of the region `scale`; of `CORRECTED`, grey matter measured
    anew; `AS_MADE`: the same.
    """
    if scale == AS_MADE:
        return features
    inside = np.where(anatomy.mask, anatomy.atlas, 0)
    count = int(features["region"].max())
    region = None if scale == CORRECTED else reference_region(scale, anatomy)
    factors, grey = {}, {}
    for position, index in enumerate(visits["index"]):
        image, own = np.asarray(images[position]), None if seen is None else seen[index]
        gm, wm = np.asarray(anatomy.gm[index]), np.asarray(anatomy.wm[index])
        if region is not None:
            factors[index] = reference_mean(image, region, gm if "grey" in scale else None, own)
            continue
        settings = anatomy.mask, anatomy.voxel_mm, anatomy.fwhm_mm
        corrected, weights = correct_grey(image, gm, wm, *settings)
        for number, value in enumerate(regional_means(corrected, weights, inside, count, own), 1):
            grey[index, number] = value
    if region is not None:
        return scaled(features, factors)
    of_grey = (features["modality"] == "PET") & (features["tissue"] == "GM")
    keys = pd.MultiIndex.from_frame(features[["index", "region"]])
    anew = pd.Series(grey).reindex(keys).to_numpy()
    changed = (of_grey & features["index"].isin(visits["index"])).to_numpy()
    return features.assign(value=np.where(changed, anew, features["value"]))


def reference_region(name: str, anatomy: Anatomy) -> NDArray[np.bool_]:
    """Return where a reference region lies.

    Parameters
    ----------
    name
        `cerebellum`, `cerebellar grey matter` (the same place), `vermis`, `pons` or `brain`.
    anatomy
        See there.

    Returns
    -------
    (X, Y, Z), inside the brain.
    """
    inside = np.asarray(anatomy.mask, dtype=bool)
    if name == BRAIN:
        return inside
    if name == PONS:
        voxels = np.moveaxis(np.indices(inside.shape), 0, -1)
        away = apply_affine(anatomy.affine, voxels) - PONS_CENTRE
        return inside & (((away / PONS_RADII) ** 2).sum(axis=-1) <= 1)
    low, high = REFERENCE_LABELS[name]
    return inside & (anatomy.atlas >= low) & (anatomy.atlas <= high)


def reference_mean(
    image: NDArray, region: NDArray, weights: NDArray | None = None, seen: NDArray | None = None
) -> float:
    """Return the mean uptake of an image in a reference region.

    Parameters
    ----------
    image, region
        (X, Y, Z) uptake; where the region is.
    weights
        How much each voxel counts, of the same shape; None: all the same.
    seen
        Where the image is measured; None: everywhere.

    Returns
    -------
    NaN where no voxel of the region is measured.
    """
    inside = region if seen is None else region & seen
    counts = np.ones(int(inside.sum())) if weights is None else np.asarray(weights, float)[inside]
    return float(np.average(image[inside], weights=counts)) if counts.any() else np.nan


def correct_grey(
    image: NDArray, gm: NDArray, wm: NDArray, mask: NDArray, voxel_mm: NDArray, fwhm_mm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Correct grey matter for partial volume: what white matter spills in, and what is lost.

    Three compartments (Mueller-Gaertner 1992, Journal of Cerebral Blood Flow and Metabolism 12):
    fluid takes up nothing, white matter the same everywhere, read where it is pure; the tissues of
    the MRI are blurred as the scanner blurs.

    Parameters
    ----------
    image
        (X, Y, Z) uptake.
    gm, wm
        Probabilities 0..1 of the same shape.
    mask
        Brain.
    voxel_mm
        (3,) sides of a voxel.
    fwhm_mm
        Resolution of the PET.

    Returns
    -------
    corrected, weights
        Uptake of grey matter; its probability where enough of it is left after the blur, else 0.
    """
    sigma = fwhm_mm / FWHM_TO_SIGMA / np.asarray(voxel_mm, dtype=float)
    grey, white = (gaussian_filter(np.asarray(tissue, float), sigma) for tissue in (gm, wm))
    inside = np.asarray(mask, dtype=bool)
    least = min(PURE_WHITE, float(np.quantile(white[inside], 1 - LEAST_WHITE)))
    pure = float(image[inside & (white >= least)].mean())
    enough = inside & (grey >= LEAST_GREY)
    corrected = np.divide(image - pure * white, grey, out=np.zeros(image.shape), where=enough)
    return corrected, np.where(enough, gm, 0.0)


def scaled(features: pd.DataFrame, factors: Mapping[int, float]) -> pd.DataFrame:
    """Divide the PET's features of each visit (`index`) by a factor; those of MRI stay."""
    of_pet = features["modality"] == "PET"
    divided = features["value"] / features["index"].map(factors)
    return features.assign(value=features["value"].where(~of_pet, divided))


def regional_error(real: pd.DataFrame, made: pd.DataFrame) -> pd.DataFrame:
    """Return how far the regions of each visit's synthetic PET are from the real one, in percent.

    Parameters
    ----------
    real, made
        Features (long), of which those of grey matter of PET count: index subject visit group
        region value.

    Returns
    -------
    index subject visit group value: mean over regions of |made - real| / real, of the visits of
    `made` that have a real PET.
    """
    keys = ["index", "region"]
    chosen = [t[(t["modality"] == "PET") & (t["tissue"] == "GM")] for t in (real, made)]
    both = chosen[1].merge(chosen[0][[*keys, "value"]], on=keys, suffixes=("", "_real"))
    error = 100 * (both["value"] - both["value_real"]).abs() / both["value_real"]
    who = ["index", "subject", "visit", "group"]
    return both.assign(value=error).groupby(who, as_index=False)["value"].mean()
