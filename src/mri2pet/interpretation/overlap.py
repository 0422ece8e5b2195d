"""Intersection over union of the voxels beyond a cut and a region, read from histograms."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

SIDES = ("high", "low")
Top = Literal["region"] | float


def overlaps(counts: NDArray, side: str, top: Top) -> tuple[NDArray, NDArray, NDArray]:
    """Compare the voxels beyond a cut with every region.

    The cut is the one whose set comes nearest to the wanted size; values of one bin, ties above
    all, are never parted. A unit with most voxels tied at its end may so have an empty set there,
    whose IoU is zero.

    Parameters
    ----------
    counts
        (C, regions + 1, bins), of `Layer`, of one atlas.
    side
        `high` or `low`.
    top
        Wanted share of the brain's voxels: a number, or `region` for the region's own.

    Returns
    -------
    iou, expected, share
        (C, regions) each: the intersection over union; that expected of as many voxels drawn at
        random; the share of voxels beyond the cut. NaN for a region without a voxel.
    """
    ordered = counts[..., ::-1] if side == "high" else counts
    iou = np.full((len(counts), counts.shape[1] - 1), np.nan)
    expected, share = iou.copy(), iou.copy()
    for unit, histogram in enumerate(ordered):
        sizes = np.concatenate([[0], histogram.sum(0, dtype=np.int64).cumsum()])
        inside = np.pad(histogram[1:].cumsum(-1, dtype=np.int64), ((0, 0), (1, 0)))
        regions, total = inside[:, -1], sizes[-1]
        wanted = regions.astype(float) if top == "region" else np.full(len(regions), top * total)
        after = np.searchsorted(sizes, wanted).clip(1, len(sizes) - 1)
        nearer = wanted - sizes[after - 1] <= sizes[after] - wanted
        cut = np.where(nearer, after - 1, after)
        both = inside[np.arange(len(regions)), cut]
        size = sizes[cut]
        there = regions > 0
        union = (size + regions - both)[there]
        iou[unit, there] = both[there] / union
        p, q = regions[there] / total, size[there] / total
        expected[unit, there] = p * q / (p + q - p * q)
        share[unit, there] = q
    return iou, expected, share


def turned_iou(counts: NDArray, top: Top) -> NDArray:
    """Return each unit's best IoU (C,) over sides, regions and turned atlases.

    Parameters
    ----------
    counts
        (A, C, regions + 1, bins) of the turned atlases.
    top
        As for `overlaps`.
    """
    best = [overlaps(atlas, side, top)[0] for atlas in counts for side in SIDES]
    return np.nanmax(np.concatenate([np.zeros((counts.shape[1], 1)), *best], axis=1), axis=1)
