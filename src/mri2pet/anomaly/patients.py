"""Patient by patient: clusters, and which of them meet the known lesion."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mri2pet.anomaly.clusters import CLUSTER_COLUMNS, ClusterSettings, find_clusters, overlapping
from mri2pet.anomaly.detection import Ranked

PATIENT_COLUMNS = ("subject", "visit", "lesion_ml", "clusters", "hits")


def examine(
    visits: pd.DataFrame,
    scores: np.ndarray,
    lesions: np.ndarray,
    mask: np.ndarray,
    affine: np.ndarray,
    settings: ClusterSettings,
    seen: Sequence[np.ndarray] | None = None,
) -> tuple[np.ndarray, pd.DataFrame, pd.DataFrame]:
    """Find every patient's clusters and compare them with the lesion.

    Parameters
    ----------
    visits
        (m rows) `subject`, `visit`.
    scores, lesions
        (m, X, Y, Z), score maps and lesions (bool); a lesion without a voxel is not known.
    mask, affine
        (X, Y, Z) bool and 4x4.
    seen
        m volumes, bool: where a patient's PET is measured, and so a cluster can be found. None:
        everywhere.

    Returns
    -------
    ranks : array (m, X, Y, Z)
        As `find_clusters`.
    clusters : DataFrame
        subject, visit, `CLUSTER_COLUMNS`, and `in_lesion`: voxels shared with the lesion.
    patients : DataFrame
        `PATIENT_COLUMNS`; `lesion_ml` is missing where none is known, `hits` are the ranks of the
        clusters that share a voxel with the lesion, by commas.
    """
    voxel_ml = abs(float(np.linalg.det(affine[:3, :3]))) / 1000
    maps, clusters, patients = [], [], []
    parts = [mask] * len(visits) if seen is None else [mask & own for own in seen]
    records = visits.to_dict("records")
    for row, score, lesion, part in zip(records, scores, lesions, parts, strict=True):
        ranks, table = find_clusters(score, part, affine, settings)
        who = {"subject": row["subject"], "visit": row["visit"]}
        shared = [int((lesion & (ranks == rank)).sum()) for rank in table["rank"]]
        clusters.append(table.assign(in_lesion=shared, **who))
        hits = ",".join(map(str, overlapping(ranks, lesion)))
        ml = float(lesion.sum() * voxel_ml) or None
        patients.append({**who, "lesion_ml": ml, "clusters": len(table), "hits": hits or None})
        maps.append(ranks)
    columns = ["subject", "visit", *CLUSTER_COLUMNS, "in_lesion"]
    return (
        np.stack(maps),
        pd.concat(clusters, ignore_index=True)[columns],
        pd.DataFrame(patients, columns=list(PATIENT_COLUMNS)),
    )


def ranked(patients: pd.DataFrame) -> list[Ranked]:
    """Read the patients whose lesion is known off a table of `examine`, as written and read."""
    known = patients[patients["lesion_ml"].notna()]
    return [
        Ranked(int(count), ranks_of(hits))
        for count, hits in zip(known["clusters"], known["hits"], strict=True)
    ]


def ranks_of(hits: object) -> tuple[int, ...]:
    """Read the column `hits`: ranks by commas, or nothing."""
    return () if pd.isna(hits) else tuple(int(rank) for rank in str(hits).split(","))
