"""The rectified flow's recipe: a regression and a flow that leaves it alone."""

import dataclasses

import pytest
import torch

from mri2pet.errors import InputError
from mri2pet.training.recipes import make_recipe
from mri2pet.training.run import train_model
from mri2pet.training.settings import Precision, TrainingSettings

PLAIN = Precision("fp32", torch.device("cpu"))


@pytest.fixture
def rectified(entries):
    return entries["rectified_flow"]


def recipe_of(entry, pairs):
    torch.manual_seed(0)
    return make_recipe(entry, TrainingSettings.from_config(entry["training"]), pairs)


def batch_of(pairs, rows=slice(2)):
    return {"source": pairs.source[rows], "target": pairs.target[rows]}


def state(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def test_the_mean_learns_as_if_there_were_no_flow(rectified, pairs):
    recipe = recipe_of(rectified, pairs)
    torch.manual_seed(1)
    recipe.step(batch_of(pairs), PLAIN)
    alone = recipe_of(rectified, pairs)
    mean = alone.generator.mean(pairs.source[:2]) * pairs.mask
    total, _ = alone.loss(mean, pairs.target[:2])
    PLAIN.step(total, alone.optimisers["generator"])
    for name, value in state(recipe.generator.mean).items():
        torch.testing.assert_close(value, state(alone.generator.mean)[name], msg=name)


def test_training_improves_the_mean_and_the_velocity(rectified, pairs):
    rectified["training"] |= {"epochs": 40}
    trained, history = train_model(rectified, pairs, "rectified_flow", 0, seed=0)
    assert history[-1]["l1"] < 0.7 * history[0]["l1"]
    flow = [row["flow"] for row in history]
    assert sum(flow[-5:]) < 0.7 * sum(flow[:5])
    draws = torch.stack([*trained.draws(pairs.source[:1], 8)])[..., pairs.mask]
    assert float(draws.std(dim=0).mean()) > 0.001


def test_beyond_the_brain_the_flow_ends_at_the_mean(rectified, pairs):
    """What the target holds there, which training never shows as such, changes nothing."""
    results = []
    for beyond in (0.0, 0.7):
        target = torch.where(pairs.mask, pairs.target, torch.tensor(beyond))
        recipe = recipe_of(rectified, pairs)
        torch.manual_seed(1)
        losses = recipe.step({"source": pairs.source[:2], "target": target[:2]}, PLAIN)
        results.append(float(losses["flow"]))
    assert results[0] == results[1]


def test_what_a_pet_has_not_measured_teaches_nothing(rectified, pairs):
    seen = torch.ones_like(pairs.target, dtype=torch.bool)
    seen[:, :, :, :, 6:9] = False
    results = []
    for value in (0.0, 0.9):
        target = torch.where(seen, pairs.target, torch.tensor(value))
        own = dataclasses.replace(pairs, target=pairs.target, seen=seen)
        recipe = recipe_of(rectified, own)
        torch.manual_seed(1)
        recipe.step({"source": own.source[:2], "target": target[:2], "seen": seen[:2]}, PLAIN)
        results.append(state(recipe))
    for name, value in results[0].items():
        torch.testing.assert_close(value, results[1][name], msg=name)


def test_another_generator_is_refused(rectified, pairs):
    rectified["generator"] = {"name": "unet3d", "filters": [2, 2]}
    with pytest.raises(InputError, match="rectified_flow' alone"):
        recipe_of(rectified, pairs)
