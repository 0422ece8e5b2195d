"""Suspicious clusters of a score map, ranked by size and deviation (part A7)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import ndimage

CLUSTER_COLUMNS = ("rank", "voxels", "ml", "mean_score", "peak_score", "excess", "x", "y", "z")
CONNECTIVITY = {"faces": 1, "edges": 2, "corners": 3}


@dataclass(frozen=True)
class ClusterSettings:
    """How a score map is cut into clusters.

    Attributes
    ----------
    quantile
        Each patient's own threshold: voxels above this quantile of the patient's brain are kept.
    smallest_ml
        Smaller clusters are dropped.
    most
        Clusters kept a patient, best first.
    connectivity
        Voxels are neighbours through `faces`, `edges` or `corners`.
    """

    quantile: float = 0.98
    smallest_ml: float = 0.2
    most: int = 10
    connectivity: str = "faces"


def find_clusters(
    score: np.ndarray, mask: np.ndarray, affine: np.ndarray, settings: ClusterSettings
) -> tuple[np.ndarray, pd.DataFrame]:
    """Cut one score map into ranked clusters.

    A cluster's `excess` is the sum over its voxels of the score above the threshold: its size times
    its mean deviation. Clusters are ranked by it.

    Parameters
    ----------
    score
        (X, Y, Z), large where anomalous.
    mask
        (X, Y, Z) bool, the brain.
    affine
        4x4, voxel to world mm.

    Returns
    -------
    ranks : array (X, Y, Z) of int16
        1 for the voxels of the first cluster, and so on; 0 elsewhere.
    table : DataFrame
        `CLUSTER_COLUMNS`, a row a cluster by rank; x, y, z is the world place of the peak, mm.
    """
    threshold = float(np.quantile(score[mask], settings.quantile))
    above = mask & (score > threshold)
    structure = ndimage.generate_binary_structure(3, CONNECTIVITY[settings.connectivity])
    labels, count = ndimage.label(above, structure)
    voxel_ml = abs(float(np.linalg.det(affine[:3, :3]))) / 1000
    index = np.arange(1, count + 1)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    excess = ndimage.sum_labels(score - threshold, labels, index) if count else np.zeros(0)
    large = index[sizes * voxel_ml >= settings.smallest_ml - 1e-9]
    # by number where two are equal, so that the order repeats itself
    order = sorted(large, key=lambda label: (-excess[label - 1], label))[: settings.most]
    ranks, rows = np.zeros(mask.shape, np.int16), []
    for rank, label in enumerate(order, start=1):
        own = labels == label
        ranks[own] = rank
        peak = np.array(np.unravel_index(np.argmax(np.where(own, score, -np.inf)), mask.shape))
        place = affine[:3, :3] @ peak + affine[:3, 3]
        size = int(sizes[label - 1])
        values = (rank, size, size * voxel_ml, float(score[own].mean()), float(score[own].max()))
        rows.append((*values, float(excess[label - 1]), *np.round(place, 1).tolist()))
    return ranks, pd.DataFrame(rows, columns=list(CLUSTER_COLUMNS))


def overlapping(ranks: np.ndarray, lesion: np.ndarray, smallest: int = 1) -> list[int]:
    """Ranks of the clusters that share at least `smallest` voxels with a lesion's mask."""
    counts = np.bincount(ranks[lesion].ravel(), minlength=int(ranks.max()) + 1)
    return [rank for rank in range(1, len(counts)) if counts[rank] >= smallest]
