"""Draws of PETs, and whether intervals of draws hold the truth as often as they say."""

import numpy as np
import pytest
import torch
from torch import nn

from mri2pet.errors import InputError
from mri2pet.evaluation.intervals import held_by_factor
from mri2pet.evaluation.visit_intervals import bounds_of_draws, ranks
from mri2pet.models.dual_glow import DualGlow
from mri2pet.synthesis.draws import draw_pets

VALUES = 20000


def measured(draws, real):
    rows = held_by_factor(real, *bounds_of_draws(draws))
    rows = rows[rows["factor"] == 1].to_dict("records")
    return [row["nominal"] for row in rows], [row["coverage"] for row in rows], rows


@pytest.mark.parametrize("kind", ["normal", "exponential"])
@pytest.mark.parametrize("count", [9, 39])
def test_draws_of_the_truth_cover_as_often_as_they_say(kind, count):
    rng = np.random.default_rng(0)
    draw = getattr(rng, kind)
    nominal, found, _ = measured(draw(size=(count, VALUES)), draw(size=VALUES))
    assert found == pytest.approx(nominal, abs=0.015)


def test_draws_that_are_too_sure_cover_less_and_those_too_wide_more():
    rng = np.random.default_rng(0)
    real = rng.normal(size=VALUES)
    nominal, sure, narrow = measured(rng.normal(size=(39, VALUES)) / 2, real)
    _, unsure, wide = measured(rng.normal(size=(39, VALUES)) * 2, real)
    assert all(a < n - 0.1 for a, n in zip(sure, nominal, strict=True))
    assert all(a > n for a, n in zip(unsure, nominal, strict=True))
    for a, b in zip(narrow, wide, strict=True):
        assert 3.8 < b["mean_width"] / a["mean_width"] < 4.2


def test_draws_around_the_wrong_place_cover_nothing():
    draws = np.random.default_rng(0).normal(size=(39, VALUES))
    assert max(measured(draws, np.full(VALUES, 9.0))[1]) == 0


def test_39_draws_make_the_usual_intervals():
    assert ranks(39) == {0.5: 10, 0.8: 4, 0.9: 2, 0.95: 1}
    assert ranks(3) == {0.5: 1}
    assert all(0 < 2 * rank < 8 for rank in ranks(7).values())
    with pytest.raises(InputError, match="2 are too few"):
        ranks(2)


@pytest.fixture
def generator():
    torch.manual_seed(0)
    side = {"attributes": ["age"]}
    model = DualGlow([1, 1], [4, 4], {"width": 4}, side, {"width": 4}, grid=[8, 8, 8])
    age = {"age": torch.tensor([50.0, 60.0, 70.0, 80.0])}
    model.initialise(torch.rand(4, 1, 8, 8, 8), torch.rand(4, 1, 8, 8, 8), age)
    nn.init.normal_(model.relation.networks[-1].embedding.weight, std=0.01)
    return model.eval()


@pytest.fixture
def mri():
    return np.random.default_rng(0).random((8, 8, 8), np.float32)


def test_draws_of_a_network_differ_repeat_and_stay_inside_the_mask(generator, mri):
    mask = np.zeros((8, 8, 8), bool)
    mask[2:6, 2:6, 2:6] = True
    draws = draw_pets(generator, mri, mask, 7, seed=1)
    assert draws.shape == (7, 8, 8, 8)
    assert draws.dtype == np.float32
    assert not draws[:, ~mask].any()
    assert draws[:, mask].std(axis=0).min() > 0
    np.testing.assert_array_equal(draws, draw_pets(generator, mri, mask, 7, seed=1))
    assert not np.array_equal(draws, draw_pets(generator, mri, mask, 7, seed=2))


def test_without_temperature_every_draw_is_the_synthesis_of_the_person(generator, mri):
    mask = np.ones((8, 8, 8), bool)
    pets = {}
    for age in (50.0, 90.0):
        side = {"age": torch.tensor([age])}
        pets[age] = draw_pets(generator, mri, mask, 3, seed=1, temperature=0, side=side)
        expected = generator(torch.from_numpy(mri)[None, None], side).detach()[0, 0]
        np.testing.assert_allclose(pets[age], np.stack([expected] * 3), atol=1e-4)
    assert np.abs(pets[50.0] - pets[90.0]).max() > 1e-3


def test_a_network_that_cannot_draw_is_named(mri):
    with pytest.raises(InputError, match="Identity gives one PET"):
        draw_pets(nn.Identity(), mri, np.ones((8, 8, 8), bool), 3, seed=1)
