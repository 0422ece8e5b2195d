"""The local regression: its equations, what may not enter them, and its place among the models."""

import dataclasses
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.ndimage import gaussian_filter
from sklearn.linear_model import Ridge

from mri2pet.datasets.brain_box import brain_box
from mri2pet.datasets.selection import select_training
from mri2pet.datasets.volumes import Volumes
from mri2pet.errors import InputError
from mri2pet.models.local_regression import FWHM_TO_SIGMA
from mri2pet.synthesis.whole_volume import load_generator, synthesise
from mri2pet.training.data import load_pairs
from mri2pet.training.local_regression import Equations, fit
from mri2pet.training.run import finished_generator, learn, save_training
from mri2pet.training.validation import choose, validation_of

SHAPE, PEOPLE = (9, 10, 8), 24
VOXEL = (2.0, 3.0, 4.0)
MASK = np.zeros(SHAPE, bool)
MASK[1:-1, 1:-1, 1:-1] = True
NAMES = ("mri", "gm", "wm")


def entry(features=None, window=0.0, ridge=0.01):
    features = features or {"mri": [0], "gm": [0, 5.0], "wm": [5.0]}
    return {
        "recipe": "local_regression",
        "generator": {"name": "local_regression", "features": features},
        "window_mm": window,
        "ridge": ridge,
    }


def smoothed(volume, width):
    sigma = [width * FWHM_TO_SIGMA / side for side in VOXEL]
    return gaussian_filter(volume.astype(float), sigma, mode="constant") if width else volume


class Study:
    """Arrays of a few people as files, and how they are read."""

    def __init__(self, folder):
        self.folder = folder
        rng = np.random.default_rng(3)
        self.arrays = {n: rng.random((PEOPLE, *SHAPE)).astype(np.float32) for n in NAMES}
        noise = 0.1 * rng.random((PEOPLE, *SHAPE))
        self.arrays["pet"] = (0.3 + 0.4 * self.arrays["gm"] * MASK + noise).astype(np.float32)
        self.arrays["seen"] = np.ones((PEOPLE, *SHAPE), bool)
        np.save(folder / "mask.npy", MASK)
        self.rows = pd.DataFrame({"index": range(PEOPLE), "subject": range(PEOPLE), "visit": "bl"})
        self.save()

    def save(self):
        for name, array in self.arrays.items():
            np.save(self.folder / f"{name}.npy", array)

    def path(self, name):
        return self.folder / f"{name}.npy"

    def load(self, names=NAMES, crop=0):
        sources = [self.path(name) for name in names]
        others = self.path("pet"), self.path("mask"), None
        return partial(load_pairs, sources, *others, crop=crop, seen=self.path("seen"))

    def fit(self, config=None, rows=None, names=NAMES, **more):
        rows = self.rows if rows is None else rows
        solved, history = fit(config or entry(), self.load(names), rows, VOXEL, "x", 0, **more)
        return solved.generator, history


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path)


def features_of(study, person, voxel):
    return [
        smoothed(study.arrays[name][person], width)[voxel]
        for name, width in (("mri", 0), ("gm", 0), ("gm", 5.0), ("wm", 5.0))
    ]


@pytest.mark.parametrize("gap", [False, True])
def test_without_a_window_each_voxel_is_a_ridge_regression(study, gap):
    voxels = [(1, 1, 1), (4, 5, 3), (7, 8, 6), (2, 6, 5)]
    if gap:  # a third of the people, and there their PET is anything
        study.arrays["seen"][:8, :, :6] = False
        study.arrays["pet"][:8, :, :6] = 7.0
        study.save()
    generator, _ = study.fit()
    for voxel in voxels:
        own = [p for p in range(PEOPLE) if study.arrays["seen"][(p, *voxel)]]
        x = np.array([features_of(study, p, voxel) for p in own])
        y = np.array([study.arrays["pet"][(p, *voxel)] for p in own], float)
        centred = x - x.mean(axis=0)
        diagonal = np.sort((centred**2).sum(axis=0))
        expected = Ridge(alpha=0.01 * diagonal[1]).fit(x, y)  # the lower of two middle ones
        at = (0, slice(None), *voxel)
        np.testing.assert_allclose(generator.coefficients[at], expected.coef_, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(generator.means[at], x.mean(axis=0), rtol=1e-5)
        assert generator.mean_pet[(0, 0, *voxel)] == pytest.approx(y.mean(), rel=1e-5)


def test_the_window_averages_the_equations_of_neighbours(study):
    """As a dense sum over all voxels of the brain, weighted by their distance."""
    width, voxel = 6.0, (3, 4, 5)
    generator, _ = study.fit(entry({"mri": [0], "gm": [0]}, window=width), names=("mri", "gm"))
    places = np.stack(np.nonzero(MASK), axis=1)
    scale = np.array([width * FWHM_TO_SIGMA / side for side in VOXEL])
    offsets = places - voxel
    weights = np.exp(-0.5 * ((offsets / scale) ** 2).sum(axis=1))
    weights *= (np.abs(offsets) <= np.floor(4 * scale + 0.5)).all(axis=1)
    parts = [study.arrays[name][:, MASK].astype(float) for name in ("mri", "gm", "pet")]
    first, second, pet = (part - part.mean(axis=0) for part in parts)
    x = np.stack([first, second])
    left = np.einsum("fpv,gpv,v->fg", x, x, weights)
    right = np.einsum("fpv,pv,v->f", x, pet, weights)
    left += 0.01 * np.diag(left).min() * np.eye(2)
    found = generator.coefficients[(0, slice(None), *voxel)]
    np.testing.assert_allclose(found, np.linalg.solve(left, right), rtol=1e-4)


def test_a_linear_map_is_found(study):
    pet = 0.2 + 0.3 * study.arrays["gm"] - 0.1 * study.arrays["mri"]
    pet += 0.2 * np.stack([smoothed(volume, 5.0) for volume in study.arrays["wm"]])
    study.arrays["pet"] = pet.astype(np.float32)
    study.save()
    generator, history = study.fit(entry(ridge=1e-9))
    inside = generator.coefficients[0][:, torch.from_numpy(MASK)]
    for found, true in zip(inside, (-0.1, 0.3, 0.0, 0.2), strict=True):
        np.testing.assert_allclose(found, true, atol=2e-3)
    (row,) = history
    assert list(row) == ["epoch", "mae", "seconds"]
    assert row["mae"] < 1e-5


def test_what_a_gap_holds_is_of_no_effect(study):
    made = []
    for value in (0.0, 5.0):
        study.arrays["seen"][3, :4] = False
        study.arrays["pet"][3, :4] = value
        study.save()
        made.append(study.fit(entry(window=8.0))[0].state_dict())
    assert all(torch.equal(made[0][name], made[1][name]) for name in made[0])


def test_where_nobody_was_measured_stands_the_nearest_mean(study):
    study.arrays["seen"][:, 4, 4, 4] = False
    study.arrays["pet"][:, 4, 4, 4] = 9.0
    study.save()
    generator, _ = study.fit(entry(window=8.0))
    near = generator.mean_pet[0, 0, 3:6, 3:6, 3:6].flatten().tolist()
    assert near[13] in near[:13] + near[14:]
    assert 0 < near[13] < 1
    assert all(torch.isfinite(value).all() for value in generator.state_dict().values())


def test_nobody_who_is_held_out_is_read(study):
    people = [f"P{number % 12}" for number in range(PEOPLE)]  # two visits each
    visits = study.rows.assign(subject=people, kind="paired", group="CN")
    folds = pd.DataFrame({"subject": people[:12], "fold": [number % 3 for number in range(12)]})
    rows, held = select_training(visits, folds, 1, people=2)
    outside = {*folds.query("fold == 1")["subject"], *held["subject"]}
    assert len(outside) == 6
    before = study.fit(rows=rows)[0].state_dict()
    others = visits["subject"].isin(outside).to_numpy()
    for name in (*NAMES, "pet"):
        study.arrays[name][others] = np.nan
    study.save()
    after = study.fit(rows=rows)[0].state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    with pytest.raises(InputError, match="not finite"):
        study.fit()


def test_people_are_read_one_at_a_time(study):
    read = []

    def load(rows):
        read.append(len(rows))
        return study.load()(rows)

    fit(entry(), load, study.rows, VOXEL, "x", 0)
    assert set(read) == {1}


def test_equations_take_as_many_numbers_as_they_say():
    equations = Equations(10, torch.from_numpy(MASK))
    arrays = [value for value in vars(equations).values() if torch.is_tensor(value)]
    numbers = sum(array.numel() for array in arrays if array.dtype == torch.float64)
    assert numbers == (1 + 1 + 2 * 10 + 55) * MASK.sum()


def test_a_feature_that_never_varies_has_no_weight(study):
    study.arrays["wm"][:] = 0.5
    study.arrays["mri"][:] = 0.0
    study.save()
    names = ("mri", "wm", "gm")
    generator, _ = study.fit(entry({name: [0] for name in names}), names=names)
    inside = generator.coefficients[0][:, torch.from_numpy(MASK)]
    assert torch.isfinite(inside).all()
    assert inside[:2].abs().max() < 1e-3
    assert inside[2].mean() == pytest.approx(0.4, abs=0.05)


def test_few_people_with_features_alike_give_no_wild_coefficients(study):
    """Of seven features five never vary, and two are one; three people."""
    study.arrays["wm"][:] = 0.5
    study.save()
    features = {"mri": [0], "gm": [0], "wm": [0, 0.001, 0.002, 0.003, 0.004]}
    study.arrays["mri"] = study.arrays["gm"] + 1e-7
    study.save()
    generator, _ = study.fit(entry(features), study.rows.iloc[:3])
    assert generator.coefficients.abs().max() < 3


def test_it_is_kept_loaded_and_synthesises_as_it_was_solved(study, tmp_path):
    config = entry(window=8.0)
    load, names = study.load(crop=2), [study.path(name) for name in NAMES]
    recipe, history = learn(config, load, study.rows, VOXEL, "x", 0, seed=1, checkpoint="none")
    generator = finished_generator(recipe)
    save_training(generator, history, "x", *(tmp_path / n for n in ("g.pt", "h.tsv", "c.png")))
    loaded = load_generator(config["generator"], tmp_path / "g.pt")
    made = synthesise(loaded, Volumes(names, range(5)), MASK, crop=2)
    assert made.shape == (5, *SHAPE) and made.dtype == np.float32
    assert not made[:, ~MASK].any()
    with torch.no_grad():
        own = generator(load(study.rows.iloc[[4]]).source)[0, 0].numpy()
    box = brain_box(MASK, 2)
    np.testing.assert_allclose(made[4][box], own * MASK[box], atol=1e-6)
    real = study.arrays["pet"][:5]
    mean = study.arrays["pet"].mean(axis=0)
    assert np.abs(made - real)[:, MASK].mean() < 0.5 * np.abs(mean - real)[:, MASK].mean()
    again, _ = learn(config, load, study.rows, VOXEL, "x", 0, seed=2)
    state = again.generator.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in generator.state_dict().items())


def test_people_held_out_measure_it_and_choose_the_smoothing(study):
    config, settings = entry(window=8.0), {"people": 4, "fwhm_mm": [0, 4.0]}
    held = study.load()(study.rows.iloc[:4])
    validation = validation_of(held, config, settings)
    generator, history = study.fit(config, study.rows.iloc[4:], validation=validation)
    assert history[0]["validation_ssim"] > 0.5
    chosen = choose(generator, history, held, config, settings, VOXEL)
    assert chosen["epochs"] == chosen["epoch"] == 1
    assert set(chosen["smoothing_ssim"]) == {"0", "4"}


def test_another_grid_or_number_of_maps_is_refused(study):
    generator, _ = study.fit()
    with pytest.raises(InputError, match=r"\(9, 10, 9\) voxels; it takes \(9, 10, 8\)"):
        generator(torch.zeros(1, 3, 9, 10, 9))
    with pytest.raises(InputError, match="2 maps are given; it is made for mri, gm, wm"):
        generator(torch.zeros(1, 2, *SHAPE))


def test_weights_of_other_features_are_refused(study, tmp_path):
    generator, _ = study.fit()
    torch.save(generator.state_dict(), tmp_path / "g.pt")
    for features in ({"mri": [0]}, {"mri": [0], "gm": [0, 5, 9], "wm": [5]}):
        with pytest.raises(InputError, match=r"no weights of local_regression"):
            load_generator({"name": "local_regression", "features": features}, tmp_path / "g.pt")


def test_several_sources_are_channels(study):
    pairs = study.load()(study.rows.iloc[2:4])
    assert pairs.source.shape == (2, 3, *SHAPE)
    for channel, name in enumerate(NAMES):
        np.testing.assert_array_equal(pairs.source[:, channel], study.arrays[name][2:4])
    alone = study.load(["gm"])(study.rows.iloc[2:4])
    assert torch.equal(alone.source[:, 0], pairs.source[:, 1])
    assert dataclasses.replace(pairs, source=alone.source).digest() == alone.digest()
    study.arrays["wm"][3, 4, 4, 4] = np.inf
    study.save()
    with pytest.raises(InputError, match=r"wm\.npy: the volume of 3 bl \(row 3\)"):
        study.load()(study.rows)
