"""Suspicious clusters of a score map, ranked by size and deviation (part A7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage

from mri2pet.anomaly.hits import HitSettings
from mri2pet.anomaly.placements import ChanceSettings

CLUSTER_COLUMNS = ("rank", "voxels", "ml", "mean_score", "peak_score", "excess", "x", "y", "z")
CONNECTIVITY = {"faces": 1, "edges": 2, "corners": 3}


@dataclass(frozen=True)
class ClusterSettings:
    """How a score map is cut into clusters, and what they are compared with.

    Attributes
    ----------
    threshold
        `controls`: one for everybody, the quantile of the scores of held-out controls (a control's
        is that of the others); `own`: the quantile of each person's own map, as in the paper.
    quantile
        Voxels above it are kept.
    smallest_ml
        Smaller clusters are dropped.
    most
        Clusters kept a person, best first.
    connectivity
        Voxels are neighbours through `faces`, `edges` or `corners`.
    hit
        When a cluster has found a lesion.
    chance
        Where lesions are moved to.
    """

    threshold: str = "controls"
    quantile: float = 0.999
    smallest_ml: float = 0.2
    most: int = 10
    connectivity: str = "faces"
    hit: HitSettings = field(default_factory=HitSettings)
    chance: ChanceSettings = field(default_factory=ChanceSettings)

    @classmethod
    def of(cls, block: Mapping[str, Any]) -> "ClusterSettings":
        """Read the block `gan_anomaly.detector.clusters` of the configuration."""
        parts = {"hit": HitSettings(**block["hit"]), "chance": ChanceSettings(**block["chance"])}
        return cls(**{**block, **parts})


def thresholds(
    controls: np.ndarray,
    subjects: Sequence[str],
    parts: Sequence[np.ndarray],
    quantile: float,
) -> tuple[float, list[float]]:
    """Take thresholds from the scores of held-out controls.

    Parameters
    ----------
    controls
        (n, X, Y, Z) score maps of controls whom the detector has not learnt from.
    subjects
        n labels of theirs.
    parts
        n masks (X, Y, Z): the brain as far as it is measured.
    quantile
        Of all their voxels.

    Returns
    -------
    patients : float
        The threshold for whoever is no control: of all controls.
    own : list of n floats
        The threshold of each control: of the other people among the controls, so that nobody is
        judged by a threshold that has been set on them.
    """
    values = [score[part] for score, part in zip(controls, parts, strict=True)]
    names = np.asarray(subjects)
    left_out = {
        name: float(
            np.quantile(
                np.concatenate([v for v, own in zip(values, names, strict=True) if own != name]),
                quantile,
            )
        )
        for name in dict.fromkeys(subjects)
    }
    return float(np.quantile(np.concatenate(values), quantile)), [left_out[n] for n in subjects]


def find_clusters(
    score: np.ndarray,
    mask: np.ndarray,
    affine: np.ndarray,
    settings: ClusterSettings,
    threshold: float | None = None,
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
    threshold
        Score above which voxels are kept. None: the map's own quantile.

    Returns
    -------
    ranks : array (X, Y, Z) of int16
        1 for the voxels of the first cluster, and so on; 0 elsewhere.
    table : DataFrame
        `CLUSTER_COLUMNS`, a row a cluster by rank; x, y, z is the world place of the peak, mm.
    """
    if threshold is None:
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
