"""Decision maps: scikit-learn's values at every voxel, slice by slice, in bounded memory."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.svm import OneClassSVM

from mri2pet.anomaly import scoring
from mri2pet.anomaly.scoring import decision_maps, slice_features, slice_groups
from mri2pet.anomaly.training_sets import fold_people, split_folds, training_volumes
from mri2pet.errors import InputError
from mri2pet.files import write_tsv
from mri2pet.models.siamese import PatchAutoencoder

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return PatchAutoencoder(5, 8, [6], [3], [1]).eval()


def volumes(count, shape=(10, 11, 3), seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 1, (count, *shape)).astype(np.float32)


def test_every_voxel_has_the_value_of_its_own_model(network):
    controls, people = volumes(9), volumes(3, seed=1)
    mask = np.zeros(controls.shape[1:], bool)
    mask[2:6, 3:9, 0] = mask[4:7, 4:6, 2] = True
    maps = decision_maps(network, controls, people, mask, nu=0.3)
    assert maps.shape == people.shape and not maps[:, ~mask].any()
    for x, y, z in np.argwhere(mask)[::7]:
        with torch.no_grad():
            known, asked = (
                network.dense(torch.from_numpy(one[..., z])[:, None])[:, :, x, y].numpy()
                for one in (controls, people)
            )
        model = OneClassSVM(nu=0.3, gamma="scale", tol=1e-9).fit(known)
        expected = model.decision_function(asked) / (0.3 * 9)
        np.testing.assert_allclose(maps[:, x, y, z], expected, atol=1e-4)


def test_who_is_scored_beside_whom_does_not_matter(network):
    controls, people = volumes(6), volumes(4, seed=1)
    mask = np.ones(controls.shape[1:], bool)
    together = decision_maps(network, controls, people, mask, nu=0.3)
    alone = decision_maps(network, controls, people[2:3], mask, nu=0.3)
    np.testing.assert_allclose(together[2], alone[0], atol=1e-5)


def test_slices_at_once_change_nothing(network):
    slices = volumes(7)[..., 0]
    where = slices[0] > 0.3
    first = slice_features(network, slices, where, CPU, at_once=7)
    assert first.shape == (where.sum(), 7, 8)
    np.testing.assert_allclose(slice_features(network, slices, where, CPU, 2), first, atol=1e-6)


@pytest.mark.parametrize("together", [1, 30 * 4 * 8 * 8, 2**28])
def test_slices_scored_together_change_nothing(network, monkeypatch, together):
    controls, people = volumes(6), volumes(2, seed=1)
    mask = controls[0] > 0.4
    expected = decision_maps(network, controls, people, mask, nu=0.3)
    monkeypatch.setattr(scoring, "TOGETHER", together)
    maps = decision_maps(network, controls, people, mask, nu=0.3)
    np.testing.assert_allclose(maps, expected, atol=1e-5)


def test_slices_are_grouped_up_to_a_number_of_voxels():
    mask = np.zeros((4, 5, 7), bool)
    for z, count in enumerate([0, 3, 4, 9, 2, 0, 2]):
        mask.reshape(-1, 7)[:count, z] = True
    assert list(slice_groups(mask, 7)) == [[1, 2], [3], [4, 6]]
    assert list(slice_groups(mask, 1)) == [[1], [2], [3], [4], [6]]
    assert list(slice_groups(np.zeros((2, 2, 2), bool), 5)) == []


def test_memory_is_bounded(network, tmp_path, monkeypatch):
    shape = (40, 40, 60)
    controls = np.lib.format.open_memmap(tmp_path / "c.npy", "w+", np.float32, (6, *shape))
    controls[:] = volumes(6, shape)
    mask, people, sizes = np.ones(shape, bool), volumes(1, shape), []

    def fake(known, asked, **_):
        sizes.append(known.nbytes + asked.nbytes)
        values = np.zeros(asked.shape[:2], np.float32)
        return type("Scores", (), {"patients": values, "rescued": 0})()

    monkeypatch.setattr(scoring, "fit_score", fake)
    monkeypatch.setattr(scoring, "TOGETHER", 2**20)
    tracemalloc.start()
    decision_maps(network, controls, people, mask, nu=0.3)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert max(sizes) <= 2**20 and len(sizes) == 30
    assert peak < people.nbytes + 6 * 2**20 < sum(sizes) / 2


VISITS = pd.DataFrame(
    {
        "index": range(7),
        "subject": ["c1", "c2", "c3", "c4", "m1", "p1", "p2"],
        "visit": "bl",
        "kind": [*["paired"] * 4, "mri_only", "paired", "mri_only"],
        "role": [*["control"] * 5, "patient", "patient"],
    }
)
FOLDS = pd.DataFrame({"subject": ["c1", "c2", "c3", "c4", "m1"], "fold": [0, 1, 0, 1, 0]})


def test_people_of_a_fold():
    people = fold_people(VISITS, FOLDS, 0)
    assert people.training["subject"].tolist() == ["c2", "c4"]
    assert people.held_out["subject"].tolist() == ["c1", "c3"]
    assert people.patients["subject"].tolist() == ["p1"]  # the other has no PET left


@pytest.mark.parametrize(
    "folds, message",
    [(FOLDS[1:], "control c1 has no fold"), (FOLDS.assign(fold=[0, 0, 0, 1, 1]), "needs two")],
)
def test_people_that_do_not_suffice(folds, message):
    with pytest.raises(InputError, match=message):
        fold_people(VISITS, folds, 0)


def test_folds_in_parts():
    folds = pd.DataFrame({"subject": list("abcdefgh"), "kind": "paired", "fold": [0, 1] * 4})
    parts = split_folds(folds, 2)
    assert parts["fold"].value_counts().to_dict() == {0: 2, 1: 2, 2: 2, 3: 2}
    assert (parts["fold"] % 2 == folds["fold"]).all()
    assert split_folds(folds, 1).equals(folds)


def test_synthetic_pet_is_that_of_the_folds_generator(tmp_path):
    pet, rows = volumes(7), fold_people(VISITS, FOLDS, 1).training
    paths = [], []
    for fold in range(2):
        made = np.where(np.arange(3) > fold, 0.5, 1) * np.ones((2, 10, 11, 3))
        np.save(tmp_path / f"{fold}.npy", made.astype(np.float32))
        table = pd.DataFrame({"subject": ["c2", "m1"], "visit": "bl", "role": ["test", "mri_only"]})
        write_tsv(tmp_path / f"{fold}.tsv", table)
        paths[0].append(tmp_path / f"{fold}.npy")
        paths[1].append(tmp_path / f"{fold}.tsv")
    about = {"visits": VISITS, "mask": np.ones(pet.shape[1:], bool)}
    made = training_volumes(pet, rows, *paths, fold=1, **about)
    assert len(made) == 3 and made[2, 0, 0].tolist() == [1, 1, 0.5]
    np.testing.assert_array_equal(made[:2], pet[[0, 2]])
    assert len(training_volumes(pet, rows)) == 2
    first = training_volumes(pet, rows, *paths, fold=2, **about)  # part 1 of fold 0
    assert first[2, 0, 0].tolist() == [1, 0.5, 0.5]
    write_tsv(tmp_path / "1.tsv", table.assign(role="test"))
    with pytest.raises(InputError, match="mri_only"):
        training_volumes(pet, rows, *paths, fold=1, **about)
    write_tsv(tmp_path / "1.tsv", table[:1])
    with pytest.raises(InputError, match="2 volumes, 1 rows"):
        training_volumes(pet, rows, *paths, fold=1, **about)
