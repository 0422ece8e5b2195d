"""A made-up study of controls and patients, a detector learnt of it, and its bundle."""

import numpy as np
import pandas as pd
import torch
from scipy import ndimage

from mri2pet.anomaly.fold_scores import score_folds
from mri2pet.anomaly.scoring import decision_maps
from mri2pet.anomaly.training_sets import (
    TEXT,
    asked_volumes,
    split_folds,
    training_volumes,
)
from mri2pet.bundles.make_detector import MadeDetector, make_detector
from mri2pet.datasets.gaps import read_seen
from mri2pet.files import read_tsv, write_json, write_tsv
from mri2pet.models.registry import build

SHAPE, PLANTED = (14, 16, 12), ("PLANTED007", "2031-12-24", "/data/secret", "Doe^Jane")
AFFINE = np.diag([5.0, 5.0, 5.0, 1.0])
AFFINE[:3, 3] = -30, -40, -20
NETWORK = {"name": "siamese", "patch": 5, "features": 8, "filters": [4], "kernels": [3]}
NETWORK |= {"strides": [1]}
SVM = {"nu": 0.2, "gamma": "scale"}
SCORES = {"smoothing_mm": 8, "background_mm": 30, "standardise": "brain"}
CLUSTERS = {
    "threshold": "controls", "quantile": 0.98, "smallest_ml": 0.2, "most": 10,
    "connectivity": "faces", "hit": {"overlap": 0.1, "of": "union", "peak": True},
    "chance": {"places": 10, "grey": 0.5},
}  # fmt: skip


def about(**changes) -> dict:
    """What a configuration says of a detector."""
    return {
        "system": "gan_anomaly", "model": "real", "label": "Real PET", "preproc": {"qc": {}},
        "tracer": "18FFDG", "space": {"name": "anomaly", "entities": "space-X", "voxel_mm": 5.0},
        "study": {"name": "mine", "simulated": False, "licence": "CC0"}, "network": NETWORK,
        "svm": SVM, "scores": SCORES, "clusters": CLUSTERS, "direction": "low", "added": {},
        "splits": 1,
    } | changes  # fmt: skip


class Study:
    """Six controls, two held back, two patients; a generator's PET of two controls more."""

    def __init__(self, folder):
        self.folder, rng = folder, np.random.default_rng(0)
        names = ["PLANTED007", *"BCDEF", "H1", "H2", "P1", "P2", "M1", "M2"]
        self.visits = pd.DataFrame({
            "index": range(12), "subject": names, "visit": "bl",
            "kind": ["paired"] * 10 + ["mri_only"] * 2,
            "role": ["control"] * 6 + ["further"] * 2 + ["patient"] * 2 + ["control"] * 2,
            "group": "n/a", "age": np.arange(12) + 40.5, "sex": list("FM") * 6,
        })  # fmt: skip
        grid = np.indices(SHAPE) - np.array(SHAPE)[:, None, None, None] / 2
        self.mask = (grid**2).sum(axis=0) < 36
        base = ndimage.gaussian_filter(rng.random(SHAPE), 1)
        noise = [ndimage.gaussian_filter(rng.normal(size=SHAPE), 1) for _ in range(12)]
        self.pet = np.stack([np.clip(base + 0.2 * each, 0, 1) for each in noise])
        self.pet = (self.pet * self.mask).astype(np.float32)
        self.seen = np.ones((12, *SHAPE), bool)
        self.seen[[1, 9], :4] = False  # of a control and of a patient
        self.pet[~self.seen] = 0
        self.folds = pd.DataFrame(
            {"subject": [*names[:6], "M1", "M2"], "kind": ["paired"] * 6 + ["mri_only"] * 2}
        ).assign(fold=[0, 1, 0, 1, 0, 1, 0, 1])
        arrays = {"pet": self.pet, "seen": self.seen, "mask": self.mask}
        arrays["atlas"] = np.where(grid[0] < 0, 1, 2).astype(np.uint8) * self.mask
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array)
        write_tsv(folder / "visits.tsv", self.visits)
        write_tsv(folder / "folds.tsv", self.folds)
        write_tsv(folder / "aal.tsv", pd.DataFrame({"index": [1, 2], "name": ["West", "East"]}))
        write_json(folder / "dataset.json", {"affine": AFFINE.tolist(), "from": PLANTED[2]})
        self.weights, self.made, self.made_visits = [], [], []
        for fold in range(2):
            torch.manual_seed(fold)
            network = build(NETWORK)
            network.use_range(0.4, 0.2)
            self.weights.append(folder / f"encoder-{fold}.pt")
            torch.save(network.state_dict(), self.weights[-1])
            self._synthetic(fold)
        self.sidecars = [self._json(row) for row in self.visits.itertuples()]

    def _synthetic(self, fold):
        folder = self.folder / f"made-{fold}"
        folder.mkdir()
        np.save(folder / "pet.npy", self.pet[[fold, 10, 11]] * 0.9)
        rows = self.visits.iloc[[fold, 10, 11]].assign(role=["test", "mri_only", "mri_only"])
        write_tsv(folder / "visits.tsv", rows.assign(fold=fold))
        self.made.append(folder / "pet.npy")
        self.made_visits.append(folder / "visits.tsv")

    def _json(self, row):
        path = self.folder / f"sub-{row.subject}/ses-bl/anat/T1w.json"
        path.parent.mkdir(parents=True)
        told = {"Manufacturer": "GE", "PatientName": PLANTED[3], "AcquisitionDate": PLANTED[1]}
        write_json(path, told | {"Measures": {"brain_ml": 1400.0 + row.index}})
        return path

    def scored(self, synthetic, visits, added):
        """Score everybody as the run does; return the table and the decision values."""
        parts, seen = split_folds(self.folds, 1), read_seen(self.folder / "seen.npy")
        network = build(NETWORK)

        def score(fold, people, asked):
            network.load_state_dict(torch.load(self.weights[fold], weights_only=True))
            known = training_volumes(
                self.pet, people.training, synthetic, visits, fold, seen,
                visits=self.visits, mask=self.mask, **added,
            )  # fmt: skip
            volumes = asked_volumes(self.pet, asked, people.training, seen)
            return decision_maps(network.eval(), known, volumes, self.mask, **SVM)

        return score_folds(self.visits, parts, 2, score)

    def bundle(self, folder, synthetic=(), visits=(), **changes):
        """Make a bundle; return its folder, and who was scored with what."""
        settings = about(**changes)
        table, decisions = self.scored(synthetic, visits, settings["added"])
        write_tsv(self.folder / "scored.tsv", table)
        np.save(self.folder / "decisions.npy", decisions)
        rows = [
            {"dataset": "Patients", "method": method, "metric": metric, "unit": "fraction"}
            | {"mean": 0.5, "low": 0.25, "high": 0.75, "n": 4}
            for method in ("real", "chance_real", "chance_unreal", "other")
            for metric in ("detection sensitivity", "sensitivity of the first 3 clusters")
        ]
        write_tsv(self.folder / "detection.tsv", pd.DataFrame(rows))
        own = {name: self.folder / f"{name}.npy" for name in ("pet", "seen", "mask", "atlas")}
        given = MadeDetector(
            **own,
            visits=self.folder / "visits.tsv", folds=self.folder / "folds.tsv",
            description=self.folder / "dataset.json", weights=self.weights,
            scored=self.folder / "scored.tsv", decisions=self.folder / "decisions.npy",
            detection=self.folder / "detection.tsv", regions=self.folder / "aal.tsv",
            synthetic=synthetic, synthetic_visits=visits, sidecars=self.sidecars,
            quality=self.sidecars,
        )  # fmt: skip
        folder.mkdir()
        run = {"versions": {"Python": "3"}, "commit": {"id": "x"}, "records": []}
        make_detector(folder, given, settings, run)
        return folder, read_tsv(self.folder / "scored.tsv", dtype=TEXT), decisions
