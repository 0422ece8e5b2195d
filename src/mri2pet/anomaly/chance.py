"""Chance in space: how often clusters meet a lesion that is not there.

The clusters are those of held-out controls, who have no lesion; or those of the patient, without
any that touch the true lesion. The lesion's mask lies at many places (`placements`).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.anomaly.hits import Clusters, HitSettings, first, meets, touches
from mri2pet.anomaly.placements import ChanceSettings, Places, places

CONTROLS, PATIENTS = "controls", "patients"  # whose clusters
KEYS = ("subject", "visit", "among", "other", "places")


def within(k: int) -> str:
    """Return the name of the column with the share of places found by the first k clusters."""
    return f"within_{k}"


def chance_table(
    people: Sequence[tuple[str, str]],
    lesions: NDArray,
    own: Sequence[Clusters],
    controls: Mapping[str, Sequence[Clusters]],
    brain: NDArray,
    grey: NDArray,
    hit: HitSettings,
    chance: ChanceSettings,
    most: int,
    seed: int,
) -> pd.DataFrame:
    """Move every patient's lesion over the clusters of people who do not have it there.

    Parameters
    ----------
    people
        Subject and visit of m patients.
    lesions
        (m, X, Y, Z) bool; patients without a known lesion have no row.
    own
        Clusters of each patient: those that share a voxel with the lesion are left out, and so are
        places that do.
    controls
        Subject to the clusters of each of their visits: held-out controls alone.
    brain, grey
        (X, Y, Z) bool.
    hit, chance
        What counts as found; how many places.
    most
        Length of the detection curve.
    seed
        With a patient's label it draws the places: they are the same for all detectors.

    Returns
    -------
    DataFrame
        A row a patient and person whose clusters are looked at: `KEYS` and `within(k)` for k from
        1 to `most`, the share of places found by the first k clusters; missing without a place.
        `among` is `CONTROLS` or `PATIENTS`; `other` whose clusters they are.
    """
    rows = []
    for (subject, visit), lesion, clusters in zip(people, lesions, own, strict=True):
        if not lesion.any():
            continue
        rng = np.random.default_rng([seed, *f"{subject}/{visit}".encode()])
        anywhere = places(lesion, brain, grey, chance, rng)
        apart = places(lesion, brain, grey, chance, rng, apart=lesion)
        rest = clusters.without(touches(clusters, lesion))
        keys = {"subject": subject, "visit": visit}
        for other, visits in controls.items():
            found = np.mean([_curve(one, anywhere, hit, most) for one in visits], axis=0)
            rows.append(
                keys
                | {"among": CONTROLS, "other": other, "places": len(anywhere)}
                | {within(k): value for k, value in enumerate(found, start=1)}
            )
        rows.append(
            keys
            | {"among": PATIENTS, "other": subject, "places": len(apart)}
            | {within(k): value for k, value in enumerate(_curve(rest, apart, hit, most), start=1)}
        )
    columns = [*KEYS, *(within(k) for k in range(1, most + 1))]
    return pd.DataFrame(rows, columns=columns)


def _curve(clusters: Clusters, where: Places, hit: HitSettings, most: int) -> NDArray[np.float64]:
    """Return the share of places that the first k clusters find, (most,)."""
    if not len(where):
        return np.full(most, np.nan)
    ranks = np.concatenate(
        [first(meets(clusters, own, hit, shifts)) for own, shifts in where.parts()]
    )
    return (ranks[:, None] <= np.arange(1, most + 1)).mean(axis=0)
