"""A flow's people: who is asked, on which volumes, and what is measured of whom."""

import numpy as np
import pandas as pd
import pytest
import torch

from mri2pet.evaluation.visit_intervals import VisitIntervals
from mri2pet.models.dual_glow import DualGlow
from mri2pet.synthesis.flow_people import DRAWS, POWERS, FlowPeople, measure

GRID = (8, 8, 8)
COUNT = 6


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    mask = np.zeros(GRID, bool)
    mask[1:7, 1:7, 1:7] = True
    mri, pet = rng.random((2, COUNT, *GRID), np.float32)
    return mri, pet, mask


@pytest.fixture
def rows():
    subjects = [f"s{number}" for number in range(COUNT)]
    frame = {"index": range(COUNT), "subject": subjects, "visit": "bl", "group": "CN"}
    return pd.DataFrame(frame)


@pytest.fixture
def generator(arrays):
    torch.manual_seed(0)
    model = DualGlow([1, 1], [4, 4], {"width": 4, "own_sigma": True}, grid=GRID, standardise=True)
    mri, pet = (torch.from_numpy(volumes)[:, None] for volumes in arrays[:2])
    model.mri_norm.fit(mri)
    model.pet_norm.fit(pet * torch.from_numpy(arrays[2]))
    model.initialise(mri, pet * torch.from_numpy(arrays[2]))
    return model.eval()


def people_of(generator, arrays, seen=None):
    mri, pet, mask = arrays
    return FlowPeople(generator, mri, pet, mask, seen, None, torch.device("cpu"))


def test_what_is_left_of_a_pet_outside_the_brain_counts_in_no_likelihood(generator, arrays, rows):
    mri, pet, mask = arrays
    clean = people_of(generator, (mri, pet * mask, mask))
    left = people_of(generator, arrays)
    assert left.temperatures(rows[:2]) == clean.temperatures(rows[:2])
    spreads = clean.spreads([1.0, 1.0], 1.0)
    assert left.bits(rows[:1], spreads, 3) == clean.bits(rows[:1], spreads, 3)


def test_a_pet_with_a_gap_has_no_likelihood_and_tells_no_temperature(generator, arrays, rows):
    seen = np.ones((COUNT, *GRID), bool)
    seen[0, :, :, 4] = False
    people = people_of(generator, arrays, seen)
    assert people.bits(rows[:1], people.spreads([1.0, 1.0], 1.0), 0) == {}
    assert people.temperatures(rows[:2]) == people.temperatures(rows[1:2])
    assert people.temperatures(rows[:1]) == [1.0, 1.0]


def test_fold_is_measured_on_its_own_people_alone(generator, arrays, rows):
    people = people_of(generator, arrays)
    found, spreads = VisitIntervals(2), people.spreads([1.5, 1.5], 1.0)
    means, sds = measure(
        people, found, rows[:0], rows[3:], 9, spreads, lambda row: int(row.subject[1:])
    )
    held, scores = found.tables()
    assert set(held["subject"]) == set(scores["subject"]) == {"s3", "s4", "s5"}
    assert set(held["fold"]) == {2}
    assert np.array(means).shape == np.array(sds).shape == (3, *GRID)
    assert (held[held["chosen"] == 1]["factor"] == 1).all()
    assert set(scores["metric"]) >= {"CRPS", "error over sd", "bits per voxel"}


def test_the_temperature_widens_the_draws(generator, arrays, rows):
    people = people_of(generator, arrays)
    sds = []
    for factor in (0.5, 1.0, 2.0):
        spreads = people.spreads([1.0, 1.0], factor)
        _, draws, inside = next(people.draws(rows[:1], 30, spreads, lambda row: 0))
        sds.append(draws[:, inside].std(axis=0).mean())
    assert sds[0] < 0.8 * sds[1] < 0.8 * 0.95 * sds[2]


def test_every_position_has_a_sigma_of_its_own_from_the_training_people(generator, arrays):
    mri, pet, mask = arrays
    volumes = torch.from_numpy(pet * mask)[:, None]
    codes, _ = generator.encode_pet(volumes + 0.5 / generator.bins)
    given, _ = generator.encode_mri(torch.from_numpy(mri)[:, None])
    for code, (mean, log_sigma) in zip(codes, generator.prior(given), strict=True):
        standard = ((code - mean) * (-log_sigma).exp()).square().mean()
        assert float(standard) == pytest.approx(1, abs=0.15)
        assert log_sigma.std() > 0.05


class Drawn(FlowPeople):
    """Its draws scatter by 0.01 times a temperature of 4 to a power; noise is the same for each."""

    def spreads(self, temperatures, factor):
        return [factor * value for value in temperatures]

    def draws(self, rows, count, spreads, seed):
        for number in range(len(rows)):
            noise = np.random.default_rng(number).normal(size=(count, *GRID))
            self.asked.append((count, spreads[0]))
            yield rows.iloc[[number]], 0.5 + 0.01 * spreads[0] * noise, self.mask


@pytest.mark.parametrize("power", POWERS)
def test_draws_take_the_power_of_the_temperatures_that_errors_ask_for(arrays, rows, power):
    """Errors have the sd of draws of that power: no other has a lower CRPS."""
    mri, _, mask = arrays
    errors = np.random.default_rng(9).normal(size=(COUNT, *GRID))
    people = Drawn(None, mri, 0.5 + 0.01 * 16**power * errors, mask, None, None, None)
    people.asked = []
    assert people.eased([16.0, 1.0], rows[:3]) == pytest.approx([16**power, 1.0])
    assert people.asked == [(DRAWS, 16**each) for each in POWERS for _ in range(3)]


@pytest.mark.parametrize(
    ("temperatures", "count"), [([4.0, 2.0], 0), ([1.05, 0.95], 3), ([1.0, 1.0], 3)]
)
def test_temperatures_stay_without_held_out_people_or_near_one(arrays, rows, temperatures, count):
    people = Drawn(None, *arrays[:2], arrays[2], None, None, None)
    people.asked = []
    assert people.eased(temperatures, rows[:count]) == temperatures
    assert people.asked == []


def test_bits_are_told_by_likelihood_as_drawn_and_as_learnt(generator, arrays, rows):
    people = people_of(generator, arrays)
    narrow, wide = (people.spreads([value, value], 1.0) for value in (1.2, 2.0))
    alone = people.bits(rows[:1], narrow, 0)
    assert alone["bits per voxel"] == alone["bits per voxel, as drawn"]
    people.likely = wide
    both = people.bits(rows[:1], narrow, 0)
    assert both["bits per voxel"] == people.bits(rows[:1], wide, 0)["bits per voxel, as drawn"]
    assert both["bits per voxel, as drawn"] == alone["bits per voxel"]
    learnt = "bits per voxel, sigma as learnt"
    assert both[learnt] == alone[learnt] != alone["bits per voxel"]
