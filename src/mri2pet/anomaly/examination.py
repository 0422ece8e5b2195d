"""One detector's decision values to clusters of patients and of held-out controls, beside chance.

Controls are scored, cut into clusters and counted as patients are, each by the other controls.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mri2pet.anomaly.chance import chance_table
from mri2pet.anomaly.clusters import ClusterSettings, thresholds
from mri2pet.anomaly.hits import Clusters
from mri2pet.anomaly.maps import anomaly_maps, left_out_maps, settings_of
from mri2pet.anomaly.patients import examine
from mri2pet.anomaly.training_sets import refuse_trained
from mri2pet.datasets.gaps import measured


@dataclass(frozen=True)
class Space:
    """Where the maps lie: brain and grey matter (X, Y, Z) bool, affine 4x4, what is measured.

    `seen` is (N, X, Y, Z) bool of all visits of the dataset, or None: all of it.
    """

    mask: np.ndarray
    grey: np.ndarray
    affine: np.ndarray
    seen: np.ndarray | None = None

    def parts(self, visits: pd.DataFrame) -> list[np.ndarray]:
        """Return the brain of each visit, as far as it is measured."""
        return [measured(self.mask, self.seen, index) for index in visits["dataset_index"]]


@dataclass(frozen=True)
class Examined:
    """Score maps and ranks of the patients (m, X, Y, Z), and tables.

    `clusters` has those of everybody, with their `role`; `patients` and `controls` are as
    `patients.examine` makes them; `chance` as `chance.chance_table` does.
    """

    scores: np.ndarray
    ranks: np.ndarray
    clusters: pd.DataFrame
    patients: pd.DataFrame
    controls: pd.DataFrame
    chance: pd.DataFrame


def examine_everyone(
    visits: pd.DataFrame,
    decisions: np.ndarray,
    lesions: np.ndarray,
    folds: pd.DataFrame,
    space: Space,
    scores: Mapping[str, Any],
    settings: ClusterSettings,
    seed: int,
    direction: str = "low",
) -> Examined:
    """Find the clusters of patients and of held-out controls, and what chance would find.

    Parameters
    ----------
    visits
        (n + m rows) `subject`, `visit`, `role`, `fold`, `dataset_index`; patients after controls.
    decisions
        (n + m, X, Y, Z) decision values: a control's by models that have not seen the control.
    lesions
        (m, X, Y, Z) bool of the patients; none in it: not known.
    folds
        `subject` and `fold` in which the detector holds each control out.
    space
        Where all of this lies.
    scores
        The block `gan_anomaly.detector.scores` of the configuration.
    settings
        Of clusters, hits and chance.
    seed
        Of the places of moved lesions.
    direction
        As for `maps.anomaly_maps`.

    Raises
    ------
    InputError
        If a control was scored by a fold that has learnt from the control.
    """
    patient = (visits["role"] == "patient").to_numpy()
    healthy, ill = (visits[own].reset_index(drop=True) for own in (~patient, patient))
    refuse_trained(healthy, folds)
    how = (space.mask, *settings_of(scores, space.affine), direction)
    names = healthy["subject"].tolist()
    well = left_out_maps(decisions[~patient], names, *how)
    asked = anomaly_maps(decisions[~patient], decisions[patient], *how)
    limit, limits = None, None
    if settings.threshold == "controls":
        common, limits = thresholds(well, names, space.parts(healthy), settings.quantile)
        limit = [common] * len(ill)
    fixed = (space.mask, space.affine, settings)
    none = np.zeros_like(well, dtype=bool)
    ranks, found, patients = examine(ill, asked, lesions, *fixed, space.parts(ill), limit)
    false_ranks, false, controls = examine(
        healthy, well, none, *fixed, space.parts(healthy), limits
    )
    by_control: dict[str, list[Clusters]] = {}
    for name, own in zip(names, _each(healthy, false_ranks, false, space), strict=True):
        by_control.setdefault(name, []).append(own)
    chance = chance_table(
        list(zip(ill["subject"], ill["visit"], strict=True)),
        lesions & space.mask,
        _each(ill, ranks, found, space),
        by_control,
        space.mask,
        space.grey,
        settings.hit,
        settings.chance,
        settings.most,
        seed,
    )
    clusters = pd.concat(
        [found.assign(role="patient"), false.assign(role="control")], ignore_index=True
    )
    return Examined(asked, ranks, clusters, patients, controls, chance)


def _each(
    visits: pd.DataFrame, ranks: np.ndarray, table: pd.DataFrame, space: Space
) -> list[Clusters]:
    """Return the clusters of each visit, to be compared with lesions."""
    keys = zip(visits["subject"], visits["visit"], ranks, strict=True)
    return [
        Clusters.of(
            own, table[(table["subject"] == subject) & (table["visit"] == visit)], space.affine
        )
        for subject, visit, own in keys
    ]
