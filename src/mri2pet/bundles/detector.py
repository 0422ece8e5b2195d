"""A detector's bundle that is opened: a PET in, a map of anomalies and ranked clusters out."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mri2pet.anomaly.clusters import ClusterSettings, find_clusters
from mri2pet.anomaly.maps import settings_of, smoothed, standardised
from mri2pet.anomaly.scoring import decision_maps
from mri2pet.bundles.manifest import DETECTOR, GRID, REGIONS, read_manifest
from mri2pet.bundles.weights import load_arrays, load_weights
from mri2pet.datasets.gaps import filled
from mri2pet.errors import InputError
from mri2pet.files import read_tsv
from mri2pet.training.settings import choose_device

Array = np.ndarray
OUTSIDE = "outside the atlas"


def load_detector(folder: str | Path) -> "Detector":
    """Open a detector's bundle and check every file of it.

    Parameters
    ----------
    folder
        As a run leaves it at `results/gan_anomaly/detector_bundles/{name}`.

    Raises
    ------
    InputError
        It is damaged, is no bundle of a detector, or is of a newer mri2pet; the message says which.
    """
    about = read_manifest(folder)
    if about["kind"] != DETECTOR:
        raise InputError(f"{folder}: is the bundle of a {about['kind']}; open it by load_bundle")
    return Detector(Path(folder), about)


class Detector:
    """An anomaly detector and the controls that it learnt from.

    Parameters
    ----------
    folder
        Of the bundle.
    about
        Its manifest, as `manifest.read_manifest` gives it.

    Attributes
    ----------
    mask
        (X, Y, Z) bool, the brain on the grid of the detector.
    atlas
        (X, Y, Z) AAL's labels on it.
    """

    def __init__(self, folder: Path, about: dict[str, Any]) -> None:
        self.folder, self.about = folder, about
        grids = load_arrays(folder / GRID)
        self.mask: Array = grids["mask"].astype(bool)
        self.atlas: Array = grids["atlas"]
        self._usual = grids["usual"]
        if list(self.mask.shape) != about["space"].get("shape"):
            raise InputError(f"{folder / GRID}: is of another grid than the manifest says")

    @property
    def affine(self) -> Array:
        """(4, 4), voxel of the detector's grid to MNI152, RAS mm."""
        return np.array(self.about["space"]["affine"], float)

    def scores(self, pet: Array, seen: Array | None = None) -> Array:
        """Score a PET at every voxel: the mean over the folds' SVMs, among held-out controls.

        Parameters
        ----------
        pet
            (X, Y, Z) float32 on the detector's grid, 0 to 1, as the space of the bundle has it.
        seen
            (X, Y, Z) bool, what of it is measured. None: everything.

        Returns
        -------
        array (X, Y, Z)
            float32, large where the PET is unlike the controls'; zero off the brain.

        Raises
        ------
        InputError
            The PET is on another grid.
        """
        if pet.shape != self.mask.shape:
            raise InputError(f"pet: shape {pet.shape}, and the detector's is {self.mask.shape}")
        one = np.asarray(pet, np.float32)[None]
        device, total = choose_device(), np.zeros((1, *self.mask.shape))
        for fold in self.about["folds"]:
            network = load_weights(self.folder / fold["weights"], self.about["network"])
            learnt = load_arrays(self.folder / fold["learnt"])
            whole = one if seen is None else filled(one, [seen], learnt["mean"])
            known = learnt["pet"]
            made = decision_maps(
                network, known, whole, self.mask, device=device, **self.about["svm"]
            )
            total = total + made
        decisions = (total / len(self.about["folds"])).astype(np.float32)
        sigma, how, background = settings_of(self.about["scores"], self.affine)
        asked = smoothed(decisions, self.mask, sigma)
        direction = self.about["direction"]
        return standardised(self._usual, asked, self.mask, how, background, direction)[0]

    def clusters(self, score: Array, seen: Array | None = None) -> tuple[Array, pd.DataFrame]:
        """Cut a map of `scores` into ranked clusters.

        Parameters
        ----------
        score
            (X, Y, Z).
        seen
            (X, Y, Z) bool, where clusters may lie. None: in all of the brain.

        Returns
        -------
        ranks : array (X, Y, Z)
            int16: 1 in the first cluster, and so on; 0 elsewhere.
        table : DataFrame
            As `anomaly.clusters.find_clusters`, and `region`, where the peak lies.
        """
        brain = self.mask if seen is None else self.mask & seen
        settings = ClusterSettings.of(self.about["clusters"])
        limit = self.about.get("threshold")
        ranks, table = find_clusters(score, brain, self.affine, settings, limit)
        names = read_tsv(self.folder / REGIONS).set_index("index")["name"]
        places = table[["x", "y", "z"]].to_numpy(float)
        voxels = np.round(
            (places - self.affine[:3, 3]) @ np.linalg.inv(self.affine[:3, :3]).T
        ).astype(int)
        labels = [int(self.atlas[tuple(voxel)]) for voxel in voxels]
        return ranks, table.assign(region=[names.get(label, OUTSIDE) for label in labels])
