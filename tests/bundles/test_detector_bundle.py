"""A detector's bundle judges as the run did, tells what goes with it, and refuses the foreign."""

import json
import shutil

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import ndimage

from mri2pet.anomaly.clusters import ClusterSettings, find_clusters, thresholds
from mri2pet.anomaly.fold_scores import score_folds
from mri2pet.anomaly.maps import anomaly_maps, left_out_maps, settings_of
from mri2pet.anomaly.scoring import decision_maps
from mri2pet.anomaly.training_sets import (
    TEXT,
    asked_volumes,
    split_folds,
    training_volumes,
)
from mri2pet.bundles import load_bundle, load_detector
from mri2pet.bundles.apply_detector import judge, save_judged
from mri2pet.bundles.make_detector import MadeDetector, make_detector
from mri2pet.bundles.manifest import MANIFEST, read_manifest
from mri2pet.bundles.weights import load_arrays
from mri2pet.config.applied import LIMITS, applied_config
from mri2pet.datasets.gaps import read_seen
from mri2pet.errors import InputError
from mri2pet.files import read_tsv, write_json, write_tsv
from mri2pet.imaging.volume import Volume, save_volume
from mri2pet.imaging.warp import Warp
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


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return Study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def whole(study, tmp_path_factory):
    return study.bundle(tmp_path_factory.mktemp("made") / "real")


@pytest.mark.parametrize("kind", ["real", "synthetic", "matched", "own threshold", "voxel"])
def test_patients_are_judged_as_in_the_run(study, tmp_path, kind):
    """With gaps in a control's and a patient's PET; scores to rounding, clusters exactly."""
    changes, made = {}, ()
    if kind in ("synthetic", "matched"):
        made = (study.made, study.made_visits)
        changes["added"] = {"match": True} if kind == "matched" else {}
    if kind == "own threshold":
        changes["clusters"] = CLUSTERS | {"threshold": "own", "quantile": 0.95}
    if kind == "voxel":
        changes |= {"scores": SCORES | {"standardise": "voxel"}, "direction": "both"}
    folder, table, decisions = study.bundle(tmp_path / "bundle", *made, **changes)
    detector, settings = load_detector(folder), about(**changes)
    healthy = (table["role"] == "control").to_numpy()
    sigma, how, background = settings_of(settings["scores"], AFFINE)
    shared = (study.mask, sigma, how, background, settings["direction"])
    wanted = anomaly_maps(decisions[healthy], decisions[~healthy], *shared)
    limit = None
    if kind != "own threshold":
        rows = table[healthy]
        left_out = left_out_maps(decisions[healthy], rows["subject"].tolist(), *shared)
        brains = [study.mask & study.seen[index] for index in rows["dataset_index"]]
        names = rows["subject"].tolist()
        limit = thresholds(left_out, names, brains, settings["clusters"]["quantile"])[0]
    found = 0
    for index, expected in zip(table.loc[~healthy, "dataset_index"], wanted, strict=True):
        seen = study.seen[index]
        score = detector.scores(study.pet[index], seen)
        np.testing.assert_allclose(score, expected, atol=2e-5)
        ranks, clusters = detector.clusters(score, seen)
        how = ClusterSettings.of(settings["clusters"])
        brain = study.mask & seen
        own, _ = find_clusters(expected, brain, AFFINE, how, limit)
        assert np.array_equal(ranks, own)
        found += len(clusters)
        for row in clusters.itertuples():
            side = "West" if row.x < AFFINE[0, 3] + 5 * SHAPE[0] / 2 else "East"
            assert row.region == side
    assert found


def test_what_it_learnt_from_is_in_it_and_the_card_says_so(whole):
    folder = whole[0]
    card = (folder / "README.md").read_text()
    first = card.split("---\n")[2].strip().splitlines()[0]
    assert "holds PET volumes of single people" in first
    assert "| Patients | chance | detection sensitivity |" in card
    assert (
        "first 3 clusters" not in card and "first 3 clusters" in (folder / "scores.tsv").read_text()
    )
    assert {*read_tsv(folder / "scores.tsv")["method"]} == {"real", "chance"}
    assert "PET volumes in each set: 3 to 3\n" in card
    assert "people: 6 with 6 visits" in card and "age: 40 to 46 years" in card


def test_no_file_of_it_has_a_label_a_date_or_a_path(whole):
    for path in whole[0].iterdir():
        raw = path.read_bytes()
        for text in PLANTED:
            assert text.encode() not in raw, (path.name, text)


def test_further_controls_are_learnt_from_and_told(study, tmp_path):
    folder, _, _ = study.bundle(tmp_path / "more", added={"further": True})
    assert read_manifest(folder)["trained_on"]["people"] == 8
    learnt = load_arrays(folder / "learnt-0.safetensors")["pet"]
    assert len(learnt) == 3 + 2 and np.array_equal(learnt[-1], study.pet[7])


def test_each_kind_is_opened_by_its_own_function(whole, tmp_path):
    with pytest.raises(InputError, match="load_detector"):
        load_bundle(whole[0])
    copy = shutil.copytree(whole[0], tmp_path / "copy")
    content = json.loads((copy / MANIFEST).read_text())
    keys = {"entry": {}, "source": "mri", "target": "pet", "maps": [], "crop": 0}
    (copy / MANIFEST).write_text(json.dumps(content | keys | {"kind": "generator"}))
    with pytest.raises(InputError, match="load_bundle"):
        load_detector(copy)
    wrong = (
        ("oracle", "unknown kind"),
        (["x"], "unknown kind"),
        ("generator", "no usable `entry`"),
    )
    for kind, message in wrong:
        (copy / MANIFEST).write_text(json.dumps(content | {"kind": kind}))
        with pytest.raises(InputError, match=message):
            read_manifest(copy)


@pytest.mark.parametrize("name", ["learnt-1.safetensors", "encoder-0.safetensors", "regions.tsv"])
def test_damage_is_found(whole, tmp_path, name):
    copy = shutil.copytree(whole[0], tmp_path / "copy")
    (copy / name).write_bytes((copy / name).read_bytes()[:-1] + b"?")
    with pytest.raises(InputError, match=rf"{name}.*hash differs"):
        load_detector(copy)


def test_a_pet_on_another_grid_is_refused(whole):
    with pytest.raises(InputError, match="shape"):
        load_detector(whole[0]).scores(np.zeros((3, 3, 3), np.float32))


def test_a_person_is_written_on_the_grid_of_the_t1(study, whole, tmp_path):
    detector = load_detector(whole[0])
    found = judge(detector, study.pet[8], study.seen[8], {"age": 90.0}, {"brain_ml": 9e3}, LIMITS)
    assert any("age" in remark for remark in found.remarks)
    assert any("brain ml" in remark for remark in found.remarks)
    affine = np.diag([-2.5, 2.5, 2.5, 1.0])
    affine[:3, 3] = 35, -45, -25
    rng = np.random.default_rng(1)
    save_volume(tmp_path / "t1.nii.gz", Volume(rng.random((32, 36, 28), np.float32), affine))
    warp = Warp(np.zeros((3, 4, 4, 4), np.float32), np.diag([40.0, 40.0, 40.0, 1]))
    made = {name: tmp_path / f"{name}.nii.gz" for name in ("score", "clusters", "clusters_t1")}
    made |= {"picture": tmp_path / "p.png", "table": tmp_path / "t.tsv"}
    told = save_judged(found, tmp_path / "t1.nii.gz", np.eye(4), warp, made)
    assert told["Clusters"] == len(read_tsv(made["table"])) > 0
    both = [nib.load(made[name]) for name in ("clusters", "clusters_t1")]
    centres = [
        image.affine[:3] @ [*np.argwhere(np.asanyarray(image.dataobj) == 1).mean(axis=0), 1]
        for image in both
    ]
    assert np.abs(centres[0] - centres[1]).max() < 2.5
    assert made["picture"].stat().st_size > 1000


def test_the_configuration_of_apply_asks_for_pet(whole):
    made = applied_config({"seed": 1}, read_manifest(whole[0]), "/raw")
    assert made["studies"]["applied"] == {"raw": "/raw", "reader": "bids", "tracer": "18FFDG"}
    assert made["gan_anomaly"]["voxel_mm"] == 5.0 and made["systems"] == ["gan_anomaly"]
