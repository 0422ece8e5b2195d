"""Person by person: clusters, and which of them meet the known lesion."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mri2pet.anomaly.clusters import CLUSTER_COLUMNS, ClusterSettings, find_clusters
from mri2pet.anomaly.detection import Ranked
from mri2pet.anomaly.hits import Clusters, meets

PATIENT_COLUMNS = ("subject", "visit", "lesion_ml", "clusters", "hits", "threshold")


def examine(
    visits: pd.DataFrame,
    scores: np.ndarray,
    lesions: np.ndarray,
    mask: np.ndarray,
    affine: np.ndarray,
    settings: ClusterSettings,
    seen: Sequence[np.ndarray] | None = None,
    thresholds: Sequence[float] | None = None,
) -> tuple[np.ndarray, pd.DataFrame, pd.DataFrame]:
    """Find every person's clusters and compare them with the lesion.

    Parameters
    ----------
    visits
        (m rows) `subject`, `visit`.
    scores, lesions
        (m, X, Y, Z), score maps and lesions (bool); a lesion without a voxel is not known, or not
        there.
    mask, affine
        (X, Y, Z) bool and 4x4.
    seen
        m volumes, bool: where a person's PET is measured, and so a cluster can be found. None:
        everywhere.
    thresholds
        m scores above which voxels are kept (`clusters.thresholds`). None: each map's own quantile.

    Returns
    -------
    ranks : array (m, X, Y, Z)
        As `find_clusters`.
    clusters : DataFrame
        subject, visit, `CLUSTER_COLUMNS`; `in_lesion`, voxels shared with the lesion; `hit`,
        whether the cluster has found it.
    people : DataFrame
        `PATIENT_COLUMNS`; `lesion_ml` is missing where none is known, `hits` are the ranks of the
        clusters that have found the lesion, by commas.
    """
    voxel_ml = abs(float(np.linalg.det(affine[:3, :3]))) / 1000
    maps, clusters, people = [], [], []
    parts = [mask] * len(visits) if seen is None else [mask & own for own in seen]
    given = [None] * len(visits) if thresholds is None else thresholds
    records = visits.to_dict("records")
    for row, score, lesion, part, limit in zip(records, scores, lesions, parts, given, strict=True):
        if limit is None:
            limit = float(np.quantile(score[part], settings.quantile))
        ranks, table = find_clusters(score, part, affine, settings, limit)
        who = {"subject": row["subject"], "visit": row["visit"]}
        shared = [int((lesion & (ranks == rank)).sum()) for rank in table["rank"]]
        met = meets(Clusters.of(ranks, table, affine), lesion, settings.hit)
        clusters.append(table.assign(in_lesion=shared, hit=met.astype(int), **who))
        hits = ",".join(map(str, np.flatnonzero(met) + 1))
        ml = float(lesion.sum() * voxel_ml) or None
        values = (ml, len(table), hits or None, limit)
        people.append(who | dict(zip(PATIENT_COLUMNS[2:], values, strict=True)))
        maps.append(ranks)
    columns = ["subject", "visit", *CLUSTER_COLUMNS, "in_lesion", "hit"]
    return (
        np.stack(maps),
        pd.concat(clusters, ignore_index=True)[columns],
        pd.DataFrame(people, columns=list(PATIENT_COLUMNS)),
    )


def ranked(patients: pd.DataFrame) -> list[Ranked]:
    """Read the patients whose lesion is known off a table of `examine`, as written and read."""
    some = known(patients)
    return [
        Ranked(int(count), ranks_of(hits))
        for count, hits in zip(some["clusters"], some["hits"], strict=True)
    ]


def known(patients: pd.DataFrame) -> pd.DataFrame:
    """Return the patients whose lesion is known."""
    return patients[patients["lesion_ml"].notna()].reset_index(drop=True)


def ranks_of(hits: object) -> tuple[int, ...]:
    """Read the column `hits`: ranks by commas, or nothing."""
    return () if pd.isna(hits) else tuple(int(rank) for rank in str(hits).split(","))
