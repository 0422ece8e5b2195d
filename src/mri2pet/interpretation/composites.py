"""Regions put together of AAL's, and the ventricles: what Fig. 10 (a) of GLA-GAN speaks of.

A histogram of a union is the sum of its regions' histograms, so that these cost no further pass.
AAL has no ventricles: they are the largest connected piece of fluid that no AAL region covers.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.interpretation.overlap import Top
from mri2pet.interpretation.units import layer_tables

if TYPE_CHECKING:
    from mri2pet.interpretation.dissection import Layer

AAL, VENTRICLES = 116, 117  # the last label of AAL, and the one after
FLUID = 0.5  # probability of fluid, mean over the visits, above which a voxel is called so
# AAL's labels (Tzourio-Mazoyer 2002) by first and last of each run.
COMPOSITES: dict[str, Sequence[tuple[int, int]]] = {
    "Cortex": ((1, 36), (39, 40), (43, 70), (79, 90)),
    # hippocampus, amygdala; caudate, putamen, pallidum, thalamus
    "Subcortical grey matter": ((37, 38), (41, 42), (71, 78)),
    "Cerebellum": ((91, 116),),
    "Ventricles": ((VENTRICLES, VENTRICLES),),
}


def with_ventricles(atlas: NDArray, mask: NDArray, fluid: NDArray) -> NDArray:
    """Label the ventricles in an atlas.

    Parameters
    ----------
    atlas
        (X, Y, Z) AAL labels, 0 where none is.
    mask
        (X, Y, Z) bool; the brain.
    fluid
        (X, Y, Z) mean probability of fluid over the visits, 0 to 1.

    Returns
    -------
    (X, Y, Z) the atlas, with `VENTRICLES` in the largest connected piece (by faces) of the brain's
    voxels without a label whose probability is above `FLUID`; as it is if there is none.
    """
    from scipy import ndimage

    pieces, count = ndimage.label((fluid > FLUID) & mask & (atlas == 0))
    if not count:
        return atlas
    largest = 1 + np.argmax(np.bincount(pieces.ravel(), minlength=count + 1)[1:])
    return np.where(pieces == largest, VENTRICLES, atlas)


def aal_alone(layer: "Layer") -> "Layer":
    """Return a layer as it is without ventricles: their voxels have no region."""
    counts = layer.counts[:, :, : AAL + 1].copy()
    counts[:, :, 0] += layer.counts[:, :, AAL + 1 :].sum(2)
    return replace(layer, counts=counts, means=layer.means[..., :AAL])


def composite(layer: "Layer", sizes: NDArray, name: str) -> "Layer":
    """Join the regions of a layer to one, all else being no region.

    Parameters
    ----------
    layer
        Counted with an atlas of `with_ventricles`.
    sizes
        (VENTRICLES,) voxels of each label from 1 on.
    name
        A key of `COMPOSITES`.

    Returns
    -------
    Layer
        With one region, whose mean is that of its voxels; NaN without any.
    """
    own = np.zeros(VENTRICLES, dtype=bool)
    for first, last in COMPOSITES[name]:
        own[first - 1 : last] = True
    joined = layer.counts[:, :, 1:][:, :, own].sum(2, keepdims=True)
    counts = np.concatenate([layer.counts.sum(2, keepdims=True) - joined, joined], axis=2)
    weights = np.where(own, sizes, 0).astype(float)
    with np.errstate(invalid="ignore"):
        means = np.nan_to_num(layer.means) @ weights / weights.sum()
    return replace(layer, counts=counts, means=means[..., None])


def composite_tables(
    fold: int,
    layers: Sequence["Layer"],
    sizes: NDArray,
    groups: NDArray,
    positive: str,
    negative: str,
    top: Top,
) -> pd.DataFrame:
    """List every unit, side and composite region, as `units.layer_tables` lists the atlas's.

    Each region stands alone: with the atlas turned, a unit is compared with that region.

    Parameters
    ----------
    fold, groups, positive, negative, top
        As for `units.layer_tables`.
    layers, sizes
        As for `composite`.
    """
    found = []
    for number, name in enumerate(COMPOSITES, start=1):
        own = [composite(layer, sizes, name) for layer in layers]
        tables = layer_tables(fold, own, groups, positive, negative, [name], top)
        found += [table.assign(region=number) for table in tables]
    return pd.concat(found, ignore_index=True)
