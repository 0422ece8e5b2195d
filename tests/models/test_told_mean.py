"""The mean PET of people of whom the same is told: a ridge regression, and where a flow begins."""

import numpy as np
import pytest
import torch
from dual_glow_small import SMALL

from mri2pet.errors import InputError
from mri2pet.models.dual_glow import DualGlow
from mri2pet.models.side import UNKNOWN, SideInformation
from mri2pet.models.told_mean import AGE, GROUP, PRODUCT, RIDGE, SEX, ToldMean
from mri2pet.training.data import Pairs
from mri2pet.training.run import prepare

GRID = (8, 8, 8)
GROUPS = ("CN", "MCI", "AD")
TOLD = SideInformation(groups=GROUPS)


def people(count, seed=0):
    """Return what is told of some people, and PETs that fall with age and from group to group."""
    draw = torch.Generator().manual_seed(seed)
    side = {
        "age": 60 + 30 * torch.rand(count, generator=draw),
        "sex": torch.randint(0, 2, (count,), generator=draw),
        "diagnosis": torch.arange(count) % 3,
    }
    fall = 0.1 * side["diagnosis"] + 0.004 * (side["age"] - 75)
    noise = 0.01 * torch.randn(count, 1, *GRID, generator=draw)
    return side, (0.6 - fall)[:, None, None, None, None] + noise


def written(side):
    """Write what is told as numbers, by NumPy alone."""
    age = (side["age"].numpy() - 75) / 10
    trend = side["diagnosis"].numpy() / 2
    own = np.eye(3)[side["diagnosis"].numpy()]
    columns = [AGE * age, SEX * side["sex"].numpy(), trend, *(GROUP * own.T)]
    return np.stack([*columns, PRODUCT * age * (trend - 0.5)], axis=1)


def by_numpy(side, pet, asked):
    """Return the PET of some people by a ridge regression on others."""
    x, y = written(side), pet.double().numpy().reshape(len(pet), -1)
    apart = x - x.mean(0)
    square = apart.T @ apart / len(x) + RIDGE * np.eye(x.shape[1])
    slopes = np.linalg.solve(square, apart.T @ (y - y.mean(0)) / len(x))
    return (y.mean(0) + (written(asked) - x.mean(0)) @ slopes).reshape(-1, 1, *GRID)


def test_it_is_the_ridge_regression_of_each_voxel():
    side, pet = people(30)
    asked, _ = people(5, seed=1)
    layer = ToldMean(TOLD, GRID)
    layer.fit(side, pet)
    made = pet.mean(0) + layer(asked)
    assert np.abs(made.numpy() - by_numpy(side, pet, asked)).max() < 1e-5


@pytest.mark.parametrize("visits", [1, 2])
def test_training_people_are_as_far_off_as_if_they_had_not_been_there(visits):
    side, pet = people(12)
    whose = torch.arange(12) // visits
    layer = ToldMean(TOLD, GRID)
    moved = layer.fit(side, pet, whose)
    off = moved - pet.mean(0) - layer(side)
    for row in range(12):
        others = whose != whose[row]
        known = {name: values[others] for name, values in side.items()}
        one = {name: values[row : row + 1] for name, values in side.items()}
        wanted = pet[row].double().numpy() - by_numpy(known, pet[others], one)[0]
        assert np.abs(off[row].numpy() - wanted).max() < 1e-5
    plain = pet - pet.mean(0) - layer(side)
    assert off.square().mean() > 1.2 * plain.square().mean()


def test_of_one_person_nothing_is_moved():
    side, pet = people(3)
    layer = ToldMean(TOLD, GRID)
    assert torch.equal(layer.fit(side, pet, torch.zeros(3, dtype=torch.long)), pet)


@pytest.mark.parametrize(
    ("name", "unknown"), [("age", torch.nan), ("sex", UNKNOWN), ("diagnosis", UNKNOWN)]
)
def test_what_is_not_known_counts_as_the_mean(name, unknown):
    layer = ToldMean(SideInformation(attributes=[name], groups=GROUPS), GRID)
    side, pet = people(12)
    layer.fit({name: side[name]}, pet)
    assert layer({name: torch.full_like(side[name][:2], unknown)}).abs().max() == 0
    assert layer({name: side[name]}).abs().max() > 0
    assert layer(None) == 0.0


def flow(**settings):
    torch.manual_seed(0)
    side = {"groups": list(GROUPS)}
    return DualGlow(**{**SMALL, "grid": GRID, "side": side, "standardise": True, **settings})


def test_a_flow_begins_at_the_mean_of_what_it_is_told():
    side, pet = people(12)
    mri = torch.rand(12, 1, *GRID, generator=torch.Generator().manual_seed(3))
    model = flow(told_mean=True, wavelets=True).eval()
    moved = model.fit_norms(mri, pet, side)
    assert (moved - pet).abs().max() > 1e-3
    model.initialise(mri, moved, side)
    model.eval()
    ill = {name: values[:1] for name, values in side.items()} | {"diagnosis": torch.tensor([2])}
    well = ill | {"diagnosis": torch.tensor([0])}
    with torch.no_grad():
        shown = model(mri[:1], ill) - model(mri[:1], well)
    assert torch.allclose(shown, model.told_mean(ill) - model.told_mean(well), atol=1e-5)
    assert -0.21 < shown.mean() < -0.12


def test_codes_and_back_are_of_the_same_person():
    side, pet = people(12)
    model = flow(told_mean=True).eval()
    model.fit_norms(pet, pet, side)
    with torch.no_grad():
        codes, _ = model.encode_pet(pet + 0.5 / 256, side)
        again = model.decode_pet(codes, side)
    assert (again - pet).abs().max() < 1e-4
    drawn = next(model.draws(pet, 1, 0.0, side))
    with torch.no_grad():
        assert torch.allclose(drawn, model(pet, side), atol=1e-5)


@pytest.mark.parametrize("settings", [{"standardise": False}, {"side": None}])
def test_it_needs_a_mean_and_something_told(settings):
    with pytest.raises(InputError, match="told_mean needs standardise, and side information"):
        flow(told_mean=True, **settings)


def test_a_training_learns_from_people_who_were_left_out():
    side, pet = people(6)
    mask = torch.ones(GRID, dtype=torch.bool)
    pairs = Pairs(pet, pet, mask, mask.byte(), side=side, people=torch.arange(6) // 2)
    generator = {"name": "dual_glow", **SMALL, "grid": GRID, "side": {"groups": list(GROUPS)}}
    entry = {
        "recipe": "dual_glow",
        "generator": generator | {"standardise": True, "told_mean": True},
        "losses": {},
        "training": {"epochs": 1, "batch_size": 6, "learning_rate": 0.001},
    }
    made = prepare(entry, pairs, "flow", 0, 1)
    [batch] = made.plain.epoch(1)
    moved = ToldMean(TOLD, GRID).fit(side, pet, pairs.people)
    order = [
        int((batch["source"][:, None] == pet[row]).flatten(1).all(1).nonzero()) for row in range(6)
    ]
    assert torch.allclose(batch["target"][order], moved, atol=1e-6)
    entry["generator"]["told_mean"] = False
    [batch] = prepare(entry, pairs, "flow", 0, 1).plain.epoch(1)
    assert torch.equal(batch["target"], batch["source"])


def test_a_flow_is_laid_out_with_channels_last():
    """As trainings lay it out where the project's own kernels do not run."""
    model = flow(told_mean=True).to(memory_format=torch.channels_last_3d)
    side, pet = people(4)
    model.fit_norms(pet, pet, side)
    assert model(pet, side).shape == pet.shape
