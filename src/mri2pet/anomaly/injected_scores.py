"""What a detector makes of injected lesions: decision values, clusters, which of them meet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from scipy.ndimage import binary_dilation

from mri2pet.anomaly.clusters import ClusterSettings, thresholds
from mri2pet.anomaly.injection import Site, inject
from mri2pet.anomaly.maps import anomaly_maps, left_out_maps, settings_of
from mri2pet.anomaly.patients import examine
from mri2pet.anomaly.scoring import decision_maps

if TYPE_CHECKING:
    from mri2pet.models.siamese import PatchAutoencoder

Array = np.ndarray


def injected_maps(
    network: "PatchAutoencoder",
    known: Array,
    pet: Array,
    own: Array,
    site: Site,
    depths: Sequence[float],
    mask: Array,
    svm: Mapping[str, Any],
    device: str | torch.device = "cpu",
) -> Array:
    """Score one held-out person with a lesion of several depths.

    Only voxels whose patch holds something of the lesion are scored anew; a decision value depends
    on nothing else.

    Parameters
    ----------
    network
        Encoder of the fold that holds the person out, in evaluation mode.
    known
        (n, X, Y, Z), what the detector learnt from in that fold.
    pet, own
        (X, Y, Z), the person's PET, and decision values of it.
    site, depths
        As `injection.inject` takes them.
    mask
        (X, Y, Z) bool, the brain.
    svm, device
        As `scoring.decision_maps`.

    Returns
    -------
    array (depths, X, Y, Z)
        float32 decision values.
    """
    patch = np.ones((network.patch, network.patch, 1), bool)  # transverse, as the detector's are
    near = mask & binary_dilation(site.weight > 0, patch)
    asked = inject(pet, site, depths)
    again = decision_maps(network, known, asked, near, device=device, **svm)
    return np.where(near, again, own).astype(np.float32)


@dataclass(frozen=True)
class Others:
    """The other held-out controls, by whom a person is standardised and judged.

    Attributes
    ----------
    names
        n subjects; none is the person.
    decisions
        (n, X, Y, Z) decision values.
    parts
        n masks (X, Y, Z): the brain as far as it is measured.
    """

    names: Sequence[str]
    decisions: Array
    parts: Sequence[Array]

    def limit(
        self, mask: Array, affine: Array, scores: Mapping[str, Any], settings: ClusterSettings
    ) -> float | None:
        """Return the threshold of clusters; None where each map has its own."""
        if settings.threshold != "controls":
            return None
        how = (mask, *settings_of(scores, affine))
        well = left_out_maps(self.decisions, list(self.names), *how)
        return thresholds(well, self.names, self.parts, settings.quantile)[0]


def find_injected(
    who: Mapping[str, Any],
    maps: Array,
    others: Others,
    site: Site,
    depths: Sequence[float],
    mask: Array,
    affine: Array,
    scores: Mapping[str, Any],
    settings: ClusterSettings,
    part: Array,
    limit: float | None,
) -> pd.DataFrame:
    """Find the clusters of one person at each depth, and which of them meet the lesion.

    As patients are, by the same functions; standardised by the other held-out controls, so that
    nobody is compared with a group that has the person in it.

    Parameters
    ----------
    who
        `subject` and `visit`.
    maps
        (depths, X, Y, Z) decision values of the person.
    others
        The other held-out controls.
    site, depths
        Of the lesion.
    mask, affine
        (X, Y, Z) bool and 4x4.
    scores, settings
        Of score maps and of clusters.
    part
        (X, Y, Z) bool, what the person's PET has measured of the brain.
    limit
        Of `Others.limit`.

    Returns
    -------
    DataFrame
        `patients.PATIENT_COLUMNS`, `lesion` and `depth`; a row a depth.
    """
    made = anomaly_maps(others.decisions, maps, mask, *settings_of(scores, affine))
    rows = pd.DataFrame([{"subject": who["subject"], "visit": who["visit"]}] * len(depths))
    lesions = np.broadcast_to(site.mask, made.shape)
    limits = None if limit is None else [limit] * len(depths)
    parts = [part] * len(depths)
    _, _, found = examine(rows, made, lesions, mask, affine, settings, parts, limits)
    return found.assign(lesion=site.name, depth=list(depths))
