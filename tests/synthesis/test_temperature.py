"""Temperatures of a flow's levels, and the bits that a PET takes."""

import math

import pytest
import torch
from torch import nn

from mri2pet.models.dual_glow import DualGlow
from mri2pet.models.relation import draw_code
from mri2pet.synthesis.temperature import (
    HIGHEST,
    LOWEST,
    bits_a_voxel,
    brain_of_codes,
    fit_temperatures,
    spread,
)

GRID = (16, 16, 16)
WANTED = (1.3, 0.6, 2.5)


@pytest.fixture
def generator():
    torch.manual_seed(0)
    model = DualGlow([1, 1, 1], [4, 4, 4], {"width": 4}, grid=GRID)
    model.initialise(torch.rand(4, 1, *GRID), torch.rand(4, 1, *GRID))
    for network in model.relation.networks:
        nn.init.normal_(network.layers[-1].weight, std=0.02)
    return model.eval()


@pytest.fixture
def mask():
    brain = torch.zeros(GRID, dtype=torch.bool)
    brain[1:15, 1:15, 1:15] = True
    return brain


@torch.no_grad()
def people(generator, mri, factors, seed=0):
    """Draw volumes whose codes lie as far from their mean as the factors on sigma say."""
    noise = torch.Generator().manual_seed(seed)
    priors = generator._prior_of(mri, None)
    codes = [draw_code(*prior, own, noise) for prior, own in zip(priors, factors, strict=True)]
    volume = generator.pet_flow.inverse(codes) + generator.centre
    return generator.pet_norm.inverse(volume) - 0.5 / generator.bins


def test_temperatures_are_how_far_held_out_codes_lie_from_their_mean(generator, mask):
    mri = torch.rand(40, 1, *GRID)
    pet = people(generator, mri, WANTED)
    assert fit_temperatures(generator, mri, pet, mask) == pytest.approx(WANTED, rel=0.04)


def test_what_lies_outside_the_brain_does_not_count_and_stays(generator, mask):
    mri = torch.rand(20, 1, *GRID)
    inside = brain_of_codes(mask, 3)
    factors = [torch.where(brain, own, 9.0) for brain, own in zip(inside, WANTED, strict=True)]
    found = fit_temperatures(generator, mri, people(generator, mri, factors), mask)
    assert found == pytest.approx(WANTED, rel=0.06)
    for brain, own, factor in zip(
        inside, WANTED, spread(generator, mask, WANTED, factor=2.0), strict=True
    ):
        torch.testing.assert_close(factor[brain], torch.full_like(factor[brain], 2 * own))
        assert torch.all(factor[~brain] == 2.0)


def test_a_level_that_no_brain_reaches_stays_as_learnt(generator):
    small = torch.zeros(GRID, dtype=torch.bool)
    small[2:6, 2:6, 2:6] = True
    mri = torch.rand(10, 1, *GRID)
    found = fit_temperatures(generator, mri, people(generator, mri, WANTED), small)
    assert found[2] == 1.0
    assert found[0] == pytest.approx(WANTED[0], rel=0.15)


def test_temperatures_stay_within_bounds(generator, mask):
    mri = torch.rand(3, 1, *GRID)
    for factor, bound in ((100.0, HIGHEST), (0.001, LOWEST)):
        pet = people(generator, mri, [factor] * 3)
        assert fit_temperatures(generator, mri, pet, mask) == [bound] * 3


def test_the_right_temperature_takes_the_fewest_bits(generator, mask):
    everywhere = torch.ones(GRID, dtype=torch.bool)
    mri = torch.rand(8, 1, *GRID)
    pet = people(generator, mri, WANTED, seed=1)

    def bits(factor):
        spreads = spread(generator, everywhere, [factor * own for own in WANTED])
        return float(bits_a_voxel(generator, mri, pet, spreads=[spreads]).mean())

    assert bits(1.0) < min(bits(0.6), bits(1.7))
    assert bits(1.0) < float(bits_a_voxel(generator, mri, pet).mean())


def test_bits_are_those_of_the_objective(generator):
    torch.manual_seed(1)
    mri, pet = torch.rand(3, 1, *GRID), torch.rand(3, 1, *GRID)
    noise = torch.Generator().manual_seed(0)
    with torch.no_grad():
        objective = [float(generator.losses(mri, pet, generator=noise)["pet"]) for _ in range(2)]
    found = float(bits_a_voxel(generator, mri, pet, seed=0).mean())
    assert found == pytest.approx(sum(objective) / 2, abs=1e-4)
    assert math.isfinite(found)
