"""How wide a rectified flow's draws must be is told by people whom its training has not seen."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from mri2pet.datasets.brain_box import brain_box
from mri2pet.evaluation.visit_intervals import VisitIntervals
from mri2pet.models.rectified_flow import RectifiedFlow
from mri2pet.synthesis.draws import draw_pets
from mri2pet.synthesis.flow_people import measure
from mri2pet.synthesis.rectified_people import RectifiedPeople
from mri2pet.synthesis.temperature import HIGHEST, widened

SHAPE = (16, 16, 16)
SIGMA = 0.02


class Still(nn.Module):
    """A velocity of zero: draws end where they start, sigma away from the mean."""

    def forward(self, place, mean, mri, time):
        return torch.zeros_like(place)


@pytest.fixture
def generator():
    torch.manual_seed(0)
    flow = RectifiedFlow(mean=[2, 2], velocity=[2, 2], sigma=SIGMA, scales=1, steps=1).eval()
    flow.velocity = Still()
    return flow


@pytest.fixture
def mask():
    inside = np.zeros(SHAPE, bool)
    inside[3:11, 4:12, 5:13] = True
    return inside


@pytest.fixture
def visits():
    rows = [(0, "A", "bl"), (1, "B", "bl"), (2, "C", "bl")]
    return pd.DataFrame(rows, columns=["index", "subject", "visit"]).assign(group="CN")


def people_of(generator, mask, times, crop=0):
    """Make three people whose PET is `times` sigma away from what the generator's mean says."""
    rng = np.random.default_rng(0)
    mri = rng.random((3, *SHAPE)).astype(np.float32)
    box = brain_box(mask, crop)
    pet = np.zeros_like(mri)
    with torch.no_grad():
        for place in range(3):
            shown = torch.from_numpy(mri[place][box])[None, None]
            pet[(place, *box)] = generator(shown)[0, 0].numpy()
    pet += times * SIGMA * rng.standard_normal(pet.shape).astype(np.float32)
    return RectifiedPeople(generator, mri, pet, mask, None, None, torch.device("cpu"), crop)


@pytest.mark.parametrize("times", [0.5, 1.0, 3.0])
def test_the_temperature_is_how_far_people_lie_from_the_mean_in_sds_of_the_draws(
    generator, mask, visits, times
):
    people = people_of(generator, mask, times)
    [temperature] = people.temperatures(visits[:2])
    assert temperature == pytest.approx(times, rel=0.06)


def test_without_people_held_out_the_temperature_is_one_and_it_has_an_end(generator, mask, visits):
    people = people_of(generator, mask, 1.0)
    assert people.temperatures(visits[:0]) == [1.0]
    people = people_of(generator, mask, 20.0)
    assert people.temperatures(visits[:1]) == [HIGHEST]


def test_draws_as_wide_as_told_hold_what_they_should(generator, mask, visits):
    people, found = people_of(generator, mask, 2.0), VisitIntervals(fold=0)
    spreads = people.spreads(people.temperatures(visits[:2]), 1.0)
    measure(people, found, visits[:0], visits[2:], 39, spreads, lambda row: 7)
    held, scores = found.tables()
    used = held[held["chosen"] == 1].set_index("nominal")["coverage"]
    for nominal in (0.5, 0.8, 0.95):
        assert used[nominal] == pytest.approx(nominal, abs=0.06)
    assert set(scores["metric"]) == {"CRPS", "error over sd", "correlation of error and sd"}


def test_a_crop_shows_the_network_the_box_around_the_brain_alone(generator, mask):
    box = brain_box(mask, 8)
    mri = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    beyond = mri.copy()
    beyond[0] = 0.9
    assert box[0].start > 0
    drawn = [draw_pets(generator, own, mask, 3, seed=1, crop=8) for own in (mri, beyond)]
    np.testing.assert_array_equal(*drawn)
    assert drawn[0].shape == (3, *SHAPE)
    assert (drawn[0][:, ~mask] == 0).all()
    assert (drawn[0][:, mask].std(axis=0) > 0).all()


def test_draws_repeat_by_seed(generator, mask):
    mri = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    first, again, other = (draw_pets(generator, mri, mask, 5, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("told", "wanted"), [(None, 0.5), ([3.0], 1.5)])
def test_a_bundle_widens_the_draws_by_its_folds_temperature(generator, mask, told, wanted):
    assert widened(generator, torch.from_numpy(mask), told, 0.5) == [wanted]
