"""Regional mean intensities: 116 AAL regions x grey and white matter x MRI and PET."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

N_REGIONS = 116  # the AAL atlas of Tzourio-Mazoyer 2002
WHOLE = "all"  # in place of a tissue: every voxel counts
MIN_TISSUE = 0.5  # voxels: a region with less of a tissue has no mean of it
MIN_SEEN = 0.5  # of a region's tissue: with less of it measured there is no mean either
COLUMNS = (
    "index", "subject", "visit", "group", "kind", "modality", "tissue", "region", "name", "value",
)  # fmt: skip


def regional_means(
    image: NDArray,
    weights: NDArray,
    atlas: NDArray,
    n_regions: int = N_REGIONS,
    seen: NDArray | None = None,
) -> NDArray:
    """Mean of `image` over each region, weighted by a tissue's probability.

    Parameters
    ----------
    image, weights, atlas
        Volumes of one shape: intensities, probabilities 0..1, labels 0 (none) to `n_regions`.
    seen
        Boolean volume, where the image is measured; None: everywhere.

    Returns
    -------
    (n_regions,) means; NaN for a region with less than `MIN_TISSUE` voxels of the tissue, or of
    which less than `MIN_SEEN` is measured: what is left does not stand for it.
    """
    labels = np.asarray(atlas).ravel()
    weight = np.asarray(weights, dtype=np.float64).ravel()
    total = np.bincount(labels, weight, minlength=n_regions + 1)[1:]
    least: float | NDArray = MIN_TISSUE
    if seen is not None:
        weight = weight * np.asarray(seen).ravel()
        least = np.maximum(MIN_TISSUE, MIN_SEEN * total)
        total = np.bincount(labels, weight, minlength=n_regions + 1)[1:]
    summed = np.bincount(
        labels, weight * np.asarray(image, dtype=np.float64).ravel(), minlength=n_regions + 1
    )[1:]
    means = np.full(n_regions, np.nan)
    return np.divide(summed, total, out=means, where=total >= least)


def read_tissues(maps: Mapping[str, str | Path], mask: NDArray) -> dict[str, NDArray]:
    """Open the tissue maps over which a dataset's regions are measured.

    Parameters
    ----------
    maps
        Tissue's name to its array's file; an empty name for a dataset that has none.
    mask
        (X, Y, Z) boolean brain mask.

    Returns
    -------
    As `feature_table` takes them; without maps `WHOLE`, every voxel of the mask.
    """
    tissues = {name: np.load(path, mmap_mode="r") for name, path in maps.items() if path}
    return tissues or {WHOLE: mask}


def feature_table(
    visits: pd.DataFrame,
    modality: str,
    images: NDArray,
    tissues: Mapping[str, NDArray],
    atlas: NDArray,
    mask: NDArray,
    names: Sequence[str],
    seen: NDArray | None = None,
) -> pd.DataFrame:
    """Measure the regions of many visits.

    Parameters
    ----------
    visits
        Row `i` belongs to `images[i]`; `index` is the visit's row in each of `tissues`.
    modality
        `MRI` or `PET`.
    images
        (M, X, Y, Z) intensities; may be memory-mapped.
    tissues
        Tissue's name to (N, X, Y, Z) probabilities 0..1 of the whole dataset; may be
        memory-mapped. They come from the MRI, for a synthetic PET too. Or (X, Y, Z), the same
        for all visits.
    atlas, mask
        (X, Y, Z) labels; boolean brain mask outside of which nothing counts.
    names
        Name of region 1, 2, ...
    seen
        (N, X, Y, Z) boolean of the whole dataset, where the images are measured; None: everywhere.

    Returns
    -------
    One row a visit, tissue and region: index subject visit group kind modality tissue region
    name value.
    """
    n_regions = len(names)
    inside = np.where(mask, atlas, 0)
    frames = []
    for position, visit in enumerate(visits.itertuples(index=False)):
        image = images[position]
        own = None if seen is None else seen[visit.index]
        for tissue, probabilities in tissues.items():
            weights = probabilities if probabilities.ndim == 3 else probabilities[visit.index]
            frames.append(
                pd.DataFrame(
                    {
                        "index": visit.index,
                        "subject": visit.subject,
                        "visit": visit.visit,
                        "group": visit.group,
                        "kind": visit.kind,
                        "modality": modality,
                        "tissue": tissue,
                        "region": np.arange(1, n_regions + 1),
                        "name": names,
                        "value": regional_means(image, weights, inside, n_regions, own),
                    }
                )
            )
    if not frames:
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.concat(frames, ignore_index=True)


def wide(features: pd.DataFrame, modality: str) -> pd.DataFrame:
    """One row a visit (`index`), one column a tissue and region of one modality."""
    chosen = features[features["modality"] == modality]
    table = chosen.pivot(index="index", columns=["tissue", "region"], values="value")
    return table.sort_index(axis=0).sort_index(axis=1)
