"""Draws of a flow are as wide as errors: of people held out, and of those learnt from."""

import numpy as np
import pandas as pd
import pytest
import torch

from mri2pet.models.dual_glow import DualGlow
from mri2pet.models.side import SideInformation
from mri2pet.models.told_mean import left_out
from mri2pet.synthesis.flow_people import DRAWS, FlowPeople
from mri2pet.synthesis.temperature import HIGHEST, LOWEST

GRID = (16, 16, 16)  # voxels enough that sd's of a few people are known to a percent
COUNT = 8
GROUPS = ["CN", "MCI", "AD"]


@pytest.fixture
def mask():
    inside = np.zeros(GRID, bool)
    inside[1:15, 1:15, 1:15] = True
    return inside


@pytest.fixture
def rows():
    frame = {"index": range(COUNT), "subject": [f"s{number // 2}" for number in range(COUNT)]}
    return pd.DataFrame(frame | {"visit": "bl", "group": "CN", "age": 70.0, "sex": "F"})


class Drawn(FlowPeople):
    """Its draws scatter by 0.01 times their temperature about 0.5."""

    def spreads(self, temperatures, factor):
        return [factor * value for value in temperatures]

    def draws(self, rows, count, spreads, seed):
        for number, index in enumerate(rows["index"]):
            noise = np.random.default_rng(index).normal(size=(count, *GRID))
            yield rows.iloc[[number]], 0.5 + 0.01 * spreads[0] * noise, self.mask


class Flow:
    """What is asked of a flow that starts at no mean image, or at one."""

    told_mean = None

    def __init__(self, grid=None):
        self.pet_norm = type("Norm", (), {"grid": grid})()


def drawn(mask, sds, grid=None):
    """Make people whose PETs err from 0.5 with an sd of their own."""
    noise = np.random.default_rng(5).normal(size=(COUNT, *GRID))
    pet = 0.5 + np.array(sds)[:, None, None, None] * noise
    return Drawn(Flow(grid), pet, pet, mask, None, None, torch.device("cpu"))


@pytest.mark.parametrize("sd", [0.006, 0.01, 0.03])
def test_draws_are_made_as_wide_as_the_errors_of_people_held_out(mask, rows, sd):
    people = drawn(mask, [sd] * COUNT)
    wide = people.widened([1.0, 2.0], rows[:3], rows[:0])
    assert wide == pytest.approx([sd / 0.01, 2 * sd / 0.01], rel=0.05)
    assert people.widened(wide, rows[:3], rows[:0]) == pytest.approx(wide, rel=0.05)


def test_without_anybody_they_stay(mask, rows):
    assert drawn(mask, [0.02] * COUNT).widened([1.5, 1.0], rows[:0], rows[:0]) == [1.5, 1.0]


@pytest.mark.parametrize(("sd", "end"), [(0.0, LOWEST), (0.4, HIGHEST)])
def test_no_temperature_goes_beyond_its_ends(mask, rows, sd, end):
    assert drawn(mask, [sd] * COUNT).widened([1.0], rows[:2], rows[:0]) == [end]


def test_people_learnt_from_count_only_where_a_flow_starts_at_their_mean(mask, rows):
    sds = [0.01, 0.01, *[0.04] * (COUNT - 2)]
    held, learnt = rows[:2], rows[2:]
    alone = drawn(mask, sds).widened([1.0], held, learnt)
    assert alone == pytest.approx([1.0], rel=0.05)
    both = drawn(mask, sds, GRID).widened([1.0], held, learnt)
    # three people of two visits: left out, one lies 3/2 of its distance from the mean of all
    apart = left_out(
        torch.zeros(6, 0, dtype=torch.float64),
        torch.from_numpy(drawn(mask, sds).pet[2:] * mask)[:, None].float(),
        torch.tensor([0, 0, 1, 1, 2, 2]),
    )[:, 0].numpy()
    errors = [*drawn(mask, sds).pet[:2], *apart]
    wanted = np.sqrt(np.mean([np.mean((each - 0.5)[mask] ** 2) for each in errors])) / 0.01
    assert both == pytest.approx([wanted], rel=0.05)


def test_left_out_of_the_mean_a_person_is_further_off():
    pet = torch.rand(4, 1, *GRID, generator=torch.Generator().manual_seed(1))
    moved = left_out(torch.zeros(4, 0, dtype=torch.float64), pet)
    assert torch.allclose(moved - pet.mean(0), 4 / 3 * (pet - pet.mean(0)), atol=1e-6)


def test_a_flow_that_is_told_is_measured_from_the_mean_of_what_is_told(mask, rows):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    ill = np.arange(COUNT) // 2 % 2
    pet = (0.6 - 0.3 * ill)[:, None, None, None] + 0.01 * rng.normal(size=(COUNT, *GRID))
    rows["group"] = [GROUPS[2 * each] for each in ill]
    side = SideInformation(["diagnosis"], GROUPS)
    settings = {"grid": GRID, "standardise": True, "wavelets": True}
    told = {"attributes": ["diagnosis"], "groups": GROUPS}
    model = DualGlow([1, 1], [4, 4], {"width": 4}, told, told_mean=True, **settings).eval()
    volumes = torch.from_numpy(pet * mask)[:, None].float()
    model.fit_norms(volumes, volumes, side.tensors(rows))
    given = (model, volumes[:, 0].numpy(), pet.astype(np.float32), mask, None)
    people = FlowPeople(*given, side, torch.device("cpu"))
    spreads = people.spreads([1.0, 1.0], 1.0)
    _, draws, inside = next(people.draws(rows[:1], DRAWS, spreads, lambda row: 0))
    of_draws = np.sqrt(draws[:, inside].var(axis=0, ddof=1).mean())
    [factor, _] = people.widened([1.0, 1.0], rows[:0], rows)
    assert factor * of_draws < 0.1  # not the 0.15 by which the groups are apart
