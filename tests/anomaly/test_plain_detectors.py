"""Detectors without an SVM: uptake at an age, PET less synthetic PET, restored patches."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from mri2pet.anomaly.fold_scores import score_folds
from mri2pet.anomaly.plain import (
    PlainScores,
    Sources,
    ages_of,
    expected_by_age,
    reconstruction_maps,
    restorer,
    synthetic_of,
)
from mri2pet.errors import InputError
from mri2pet.files import write_tsv
from mri2pet.models.siamese import PatchAutoencoder

SHAPE = (9, 8, 3)
NETWORKS = {
    "one layer": (5, 8, [6], [3], [1]),
    "strides": (9, 8, [4, 4], [3, 3], [2, 1]),
    "large": (15, 64, [16, 32, 32], [3, 3, 3], [1, 2, 1]),  # convolutions are faster than matrices
}


@pytest.fixture(params=list(NETWORKS))
def network(request):
    torch.manual_seed(0)
    made = PatchAutoencoder(*NETWORKS[request.param]).eval()
    made.use_range(0.4, 0.2)
    return made


def uptake(count, seed=0):
    return np.random.default_rng(seed).uniform(0, 1, (count, *SHAPE)).astype(np.float32)


def test_what_age_explains_is_expected():
    ages = np.array([20.0, 35.0, 50.0, 65.0, np.nan])
    base, slope = uptake(1)[0], -0.004 * uptake(1, seed=1)[0]
    known = base + slope * np.nan_to_num(ages, nan=40.0)[:, None, None, None]
    asked = np.array([30.0, 80.0, np.nan])
    made = expected_by_age(known, ages, asked)
    np.testing.assert_allclose(made[:2], base + slope * asked[:2, None, None, None], atol=1e-5)
    np.testing.assert_allclose(made[2], known.mean(axis=0), atol=1e-6)
    where = np.zeros(SHAPE, bool)
    where[2:4] = True
    part = expected_by_age(known, ages, asked, where)
    np.testing.assert_allclose(part[:, where], made[:, where], atol=1e-6)


@pytest.mark.parametrize(
    "ages", [[np.nan] * 5, [30.0, 40.0, 50.0, np.nan, np.nan], [44.0] * 5], ids=str
)
def test_without_enough_ages_the_mean_is_expected(ages):
    known = uptake(5)
    made = expected_by_age(known, np.array(ages), np.array([30.0, np.nan]))
    np.testing.assert_allclose(made, np.stack([known.mean(axis=0)] * 2), atol=1e-6)


def test_ages_that_are_no_numbers_are_not_known():
    rows = pd.DataFrame({"age": ["31.5", "n/a", None, 40]})
    np.testing.assert_array_equal(ages_of(rows), [31.5, np.nan, np.nan, 40])
    assert np.isnan(ages_of(rows.drop(columns="age"))).all()


def test_the_error_is_that_of_the_patch_around_the_voxel(network):
    people = uptake(2)
    mask = np.zeros(SHAPE, bool)
    mask[2:8, 1:7, 1] = mask[0, 0, 2] = True  # a corner, where beyond the edge is zero
    maps = reconstruction_maps(network, people, mask)
    assert not maps[:, ~mask].any()
    half = network.patch // 2
    padded = np.pad(people, ((0, 0), (half, half), (half, half), (0, 0)))
    for x, y, z in np.argwhere(mask)[::5]:
        patch = padded[:, x : x + network.patch, y : y + network.patch, z]
        with torch.no_grad():
            given = torch.from_numpy(patch)[:, None]
            _, restored = network(given)
            error = (restored - network.standardised(given)).square().mean((1, 2, 3))
        np.testing.assert_allclose(-maps[:, x, y, z], error, rtol=1e-4)


def test_matrices_restore_what_the_decoder_does(network):
    codes = torch.randn(7, network.features)
    with torch.no_grad():
        expected = network.decode(codes).flatten(1)
        torch.testing.assert_close(restorer(network)(codes), expected, atol=1e-5, rtol=1e-4)


DATASET = pd.DataFrame(
    {
        "index": range(6),
        "subject": ["c0", "c1", "c2", "c3", "p0", "p1"],
        "visit": "bl",
        "kind": "paired",
        "role": [*["control"] * 4, *["patient"] * 2],
        "age": [20.0, 30.0, 40.0, 50.0, 35.0, 45.0],
    }
)
FOLDS = pd.DataFrame({"subject": ["c0", "c1", "c2", "c3"], "fold": [0, 1, 0, 1]})


def written(folder, name, subjects, role, values):
    """A synthesis of some visits, each a constant but for a bright edge, which sets its scale."""
    array, table = folder / f"{name}.npy", folder / f"{name}.tsv"
    volumes = np.reshape(values, (-1, 1, 1, 1)) * np.ones(SHAPE)
    volumes[:, 0] = 1
    np.save(array, 0.8 * volumes.astype(np.float32))  # darker than real PET, as networks are
    write_tsv(table, pd.DataFrame({"subject": subjects, "visit": "bl", "role": role}))
    return str(array), str(table)


@pytest.fixture
def sources(tmp_path):
    """Two generators: fold 0 makes .1 and patients of .3, fold 1 makes .2 and .5."""
    synthetic = {
        ("model", 0): (
            written(tmp_path, "c0", ["c0", "c2"], "test", [0.1, 0.1]),
            written(tmp_path, "p0", ["p0", "p1"], "patient", [0.3, 0.3]),
        ),
        ("model", 1): (
            written(tmp_path, "c1", ["c1", "c3"], "test", [0.2, 0.2]),
            written(tmp_path, "p1", ["p0", "p1"], "patient", [0.5, 0.5]),
        ),
    }
    torch.manual_seed(0)
    network = PatchAutoencoder(*NETWORKS["one layer"])
    encoders = {("real", fold): str(tmp_path / f"{fold}.pt") for fold in range(2)}
    for path in encoders.values():
        torch.save(network.state_dict(), path)
    return Sources(
        pet=uptake(6),
        seen=None,
        mask=np.ones(SHAPE, bool),
        synthetic=synthetic,
        encoders=encoders,
        network=network,
        device=torch.device("cpu"),
    )


def scored(entry, sources, count=2, folds=FOLDS):
    table, decisions = score_folds(DATASET, folds, count, PlainScores(entry, sources, 2))
    return dict(zip(table["subject"], decisions, strict=True))


def test_pet_less_the_synthetic_pet_of_a_generator_that_has_not_seen_the_person(sources):
    made = scored({"measure": "difference", "model": "model"}, sources)
    for subject, expected in (("c0", 0.1), ("c1", 0.2), ("c3", 0.2), ("p0", 0.4), ("p1", 0.4)):
        place = DATASET["subject"].tolist().index(subject)
        difference = sources.pet[place] - expected
        np.testing.assert_allclose(made[subject][1:], difference[1:], atol=1e-6)


@pytest.mark.parametrize("role, subject", [("mri_only", "c2"), ("training", "c2")])
def test_synthetic_pet_of_others_than_held_out_people_is_refused(tmp_path, role, subject):
    source = written(tmp_path, "x", ["c0", subject], ["test", role], [0.1, 0.1])
    assert len(synthetic_of(DATASET[:1], [source])) == 1
    with pytest.raises(InputError, match="no synthetic PET of c2 bl"):
        synthetic_of(DATASET[:3:2], [source])


def test_parts_of_a_fold_have_that_folds_generator(sources):
    """Folds 2 and 3 are the second parts of folds 0 and 1."""
    folds = FOLDS.assign(fold=[0, 1, 2, 3])
    made = scored({"measure": "difference", "model": "model"}, sources, 4, folds)
    for subject, expected in (("c2", 0.1), ("c3", 0.2), ("p0", 0.4)):
        place = DATASET["subject"].tolist().index(subject)
        difference = sources.pet[place] - expected
        np.testing.assert_allclose(made[subject][1:], difference[1:], atol=1e-6)


def test_nobodys_own_pet_is_in_what_is_expected_of_them(sources):
    entry = {"measure": "pet", "age": False}
    before = scored(entry, sources)
    pet = sources.pet.copy()
    pet[0] += 1  # c0
    after = scored(entry, replace(sources, pet=pet))
    np.testing.assert_allclose(after["c0"] - before["c0"], 1, atol=1e-5)
    np.testing.assert_array_equal(after["c2"], before["c2"])  # held out with c0
    assert (after["c1"] < before["c1"]).all()


@pytest.mark.parametrize("entry", [{"measure": "reconstruction", "training_set": "real"}])
def test_reconstruction_is_of_the_folds_own_encoder(sources, entry):
    made = scored(entry, sources)
    expected = reconstruction_maps(sources.network.eval(), sources.pet, sources.mask)
    for subject, own in zip(DATASET["subject"], expected, strict=True):
        np.testing.assert_allclose(made[subject], own, rtol=1e-5)
