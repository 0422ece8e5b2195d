"""A detector's bundle judges as the run did, tells what goes with it, and refuses the foreign."""

import json
import shutil

import nibabel as nib
import numpy as np
import pytest
from detector_fakes import AFFINE, CLUSTERS, PLANTED, SCORES, SHAPE, Study, about

from mri2pet.anomaly.clusters import ClusterSettings, find_clusters, thresholds
from mri2pet.anomaly.maps import anomaly_maps, left_out_maps, settings_of
from mri2pet.bundles import load_bundle, load_detector
from mri2pet.bundles.apply_detector import judge, save_judged
from mri2pet.bundles.manifest import MANIFEST, read_manifest
from mri2pet.bundles.weights import load_arrays
from mri2pet.config.applied import LIMITS, applied_config
from mri2pet.errors import InputError
from mri2pet.files import read_tsv
from mri2pet.imaging.volume import Volume, save_volume
from mri2pet.imaging.warp import Warp


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
