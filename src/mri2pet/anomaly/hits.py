"""Which clusters of a person meet a lesion: by overlap, or by their peak."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SHARES = ("union", "lesion", "cluster")
NEVER = np.iinfo(np.int16).max  # rank of the first hit where there is none
TOGETHER = 2**22  # voxels looked up at once


@dataclass(frozen=True)
class HitSettings:
    """When a cluster counts as having found a lesion.

    Attributes
    ----------
    overlap
        Least part that the shared voxels are of `of`.
    of
        `union` of lesion and cluster, the `lesion`, or the `cluster`.
    peak
        Whether a cluster whose highest voxel lies in the lesion counts, too.
    """

    overlap: float = 0.1
    of: str = "union"
    peak: bool = True


@dataclass(frozen=True)
class Clusters:
    """One person's clusters, as lesions are compared with them.

    Attributes
    ----------
    ranks
        (X, Y, Z) int, 1 for the first cluster and so on; 0 elsewhere.
    sizes
        (K,) voxels of each.
    peaks
        (K, 3) voxel of each one's highest score.
    """

    ranks: NDArray[np.int16]
    sizes: NDArray[np.int64]
    peaks: NDArray[np.int64]

    @classmethod
    def of(cls, ranks: NDArray, table: pd.DataFrame, affine: NDArray) -> "Clusters":
        """Read them off what `find_clusters` returns; the table may have been written and read."""
        places = table[["x", "y", "z"]].to_numpy(float)
        voxels = (places - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T
        return cls(ranks, table["voxels"].to_numpy(int), np.rint(voxels).astype(int))

    def without(self, left_out: NDArray[np.bool_]) -> "Clusters":
        """Return the clusters but some (K,), ranked anew."""
        kept = np.flatnonzero(~left_out)
        new = np.zeros(len(self.sizes) + 1, np.int16)
        new[kept + 1] = np.arange(1, len(kept) + 1)
        return Clusters(new[self.ranks], self.sizes[kept], self.peaks[kept])


def meets(
    clusters: Clusters, lesion: NDArray, settings: HitSettings, shifts: NDArray | None = None
) -> NDArray[np.bool_]:
    """Tell which clusters meet a lesion, at its place or moved.

    Parameters
    ----------
    clusters
        K of one person.
    lesion
        (X, Y, Z) bool, or the (n, 3) voxels of it.
    settings
        What counts.
    shifts
        (P, 3) voxels by which the lesion is moved; it must stay inside the volume. None: it is not.

    Returns
    -------
    array (P, K), or (K,) without shifts.
    """
    voxels = np.argwhere(lesion) if lesion.ndim == 3 else lesion
    moves = np.zeros((1, 3), int) if shifts is None else shifts
    met = np.zeros((len(moves), len(clusters.sizes)), bool)
    if len(voxels) and met.size:
        shared = _shared(clusters, voxels, moves)
        whole = {"lesion": len(voxels), "cluster": clusters.sizes}
        whole["union"] = len(voxels) + clusters.sizes - shared
        met = (shared > 0) & (shared >= settings.overlap * whole[settings.of])
        if settings.peak:
            met |= _peaks_inside(clusters, voxels, moves)
    return met[0] if shifts is None else met


def touches(clusters: Clusters, lesion: NDArray) -> NDArray[np.bool_]:
    """Tell which clusters (K,) share any voxel with a lesion (X, Y, Z)."""
    counts = np.bincount(clusters.ranks[lesion], minlength=len(clusters.sizes) + 1)
    return counts[1:] > 0


def first(met: NDArray) -> NDArray[np.int16]:
    """Return the rank (P,) of the first cluster that meets, of (P, K); `NEVER` where none does."""
    if not met.shape[1]:
        return np.full(len(met), NEVER, np.int16)
    return np.where(met.any(axis=1), met.argmax(axis=1) + 1, NEVER).astype(np.int16)


def _shared(clusters: Clusters, voxels: NDArray, moves: NDArray) -> NDArray[np.int64]:
    """Count the voxels that each cluster shares with a lesion at each place, (P, K)."""
    shape, many = clusters.ranks.shape, len(clusters.sizes) + 1
    steps = np.array([shape[1] * shape[2], shape[2], 1])
    own, flat = voxels @ steps, np.ravel(clusters.ranks)
    counts = []
    for part in np.array_split(moves @ steps, -(-len(moves) * len(own) // TOGETHER)):
        found = flat[part[:, None] + own] + many * np.arange(len(part))[:, None]
        counts.append(np.bincount(found.ravel(), minlength=many * len(part)).reshape(-1, many))
    return np.concatenate(counts)[:, 1:]


def _peaks_inside(clusters: Clusters, voxels: NDArray, moves: NDArray) -> NDArray[np.bool_]:
    """Tell which peaks lie in a lesion at each place, (P, K)."""
    low, high = voxels.min(axis=0), voxels.max(axis=0)
    box = np.zeros(high - low + 1, bool)
    box[tuple((voxels - low).T)] = True
    there = clusters.peaks[None] - moves[:, None] - low
    inside = ((there >= 0) & (there < box.shape)).all(axis=2)
    return inside & box[tuple(np.where(inside[..., None], there, 0).transpose(2, 0, 1))]
