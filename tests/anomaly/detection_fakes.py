"""What detectors have found, made by hand: clusters of boxes in a small brain."""

import numpy as np
import pandas as pd

from mri2pet.anomaly.clusters import ClusterSettings
from mri2pet.anomaly.examination import Space, examine_everyone
from mri2pet.anomaly.hits import Clusters

SHAPE = (16, 16, 16)
MASK = np.ones(SHAPE, bool)
AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])
AFFINE[:3, 3] = -20
SCORES = {"smoothing_mm": 0, "background_mm": 0, "standardise": "none"}


def box(corner, side):
    """A mask with a block of (corner, side)."""
    mask = np.zeros(SHAPE, bool)
    mask[tuple(slice(c, c + side) for c in corner)] = True
    return mask


def clusters(*blocks):
    """Clusters of (corner, side), ranked as they come; each one's peak is its corner."""
    ranks = np.zeros(SHAPE, np.int16)
    for rank, block in enumerate(blocks, start=1):
        ranks[box(*block)] = rank
    peaks = np.reshape([corner for corner, _ in blocks], (-1, 3)).astype(int)
    return Clusters(ranks, np.bincount(ranks.ravel(), minlength=len(blocks) + 1)[1:], peaks)


def people(controls, patients):
    """The table of visits: each control held out in a fold of its own."""
    return pd.DataFrame(
        {
            "subject": [f"c{n}" for n in range(controls)] + [f"p{n}" for n in range(patients)],
            "visit": "bl",
            "role": ["control"] * controls + ["patient"] * patients,
            "fold": [*range(controls), *[np.nan] * patients],
            "dataset_index": range(controls + patients),
        }
    )


def examined(suspicious, lesions, controls=6, seed=0, **changes):
    """Examine patients whose score is high in `suspicious` (m masks); controls are noise."""
    rng = np.random.default_rng(seed)
    decisions = rng.normal(size=(controls + len(suspicious), *SHAPE)).astype(np.float32)
    decisions[controls:] -= 20 * np.asarray(suspicious, np.float32)
    visits = people(controls, len(suspicious))
    settings = ClusterSettings(**{"quantile": 0.999, "smallest_ml": 0.0, **changes})
    space = Space(MASK, MASK, AFFINE)
    return examine_everyone(
        visits, decisions, np.asarray(lesions), visits[:controls], space, SCORES, settings, 1
    )
