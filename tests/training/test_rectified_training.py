"""The rectified flow's recipe: a regression and a flow that leaves it alone."""

import dataclasses

import pytest
import torch

from mri2pet.errors import InputError
from mri2pet.training import loop
from mri2pet.training.recipes import make_recipe
from mri2pet.training.run import finished_generator, prepare, train_model, train_recipe
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


def regression(rectified, filters=(2, 2), seed=3):
    """Return the entry of a U-Net and the state of its recipe, trained."""
    entry = rectified | {
        "recipe": "regression",
        "generator": {"name": "unet3d", "filters": list(filters)},
    }

    def trained(pairs):
        return train_recipe(entry, pairs, "unet", 0, seed)[0]

    return trained


def test_a_mean_that_is_given_stays_as_it_is(rectified, pairs):
    """Weights and batch norm's statistics, through training and what follows it."""
    unet = regression(rectified)(pairs)
    given = unet.state_dict()
    recipe, history = train_recipe(rectified, pairs, "flow", 0, 1, start=given)
    for name, value in state(recipe.generator.mean).items():
        torch.testing.assert_close(value, given[f"generator.{name}"], rtol=0, atol=0, msg=name)
    fresh = prepare(rectified, pairs, "flow", 0, 1).recipe.generator.velocity
    assert any(
        not torch.equal(value, state(fresh)[name])
        for name, value in state(recipe.generator.velocity).items()
    )
    mri = pairs.source[:2]
    with torch.no_grad():
        mean = finished_generator(recipe).mean(mri)
        torch.testing.assert_close(mean, finished_generator(unet)(mri))
    assert {"flow", "l1"} <= set(history[-1])


def test_a_velocity_learns_the_same_whether_its_mean_is_trained_beside_or_not(rectified, pairs):
    """Of one mean: a step's gradient of the velocity does not depend on who trains the mean."""
    given = regression(rectified)(pairs).state_dict()
    results = []
    for fixed in (True, False):
        recipe = recipe_of(rectified, pairs)
        recipe.go_on_from(given)
        if not fixed:
            recipe.generator.mean_is_fixed = False
            recipe.generator.mean.requires_grad_(True)
        torch.manual_seed(1)
        recipe.step(batch_of(pairs), PLAIN)
        results.append(state(recipe.generator.velocity))
    for name, value in results[0].items():
        torch.testing.assert_close(value, results[1][name], msg=name)


def test_a_stopped_training_goes_on_from_the_same_mean(rectified, pairs, tmp_path, monkeypatch):
    given = regression(rectified)(pairs).state_dict()
    rectified["training"] |= {"epochs": 3}
    run = (rectified, pairs, "flow", 0, 1)
    whole, _ = train_recipe(*run, start=given)
    original = loop.save_checkpoint

    def save_and_stop(*args):
        original(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "save_checkpoint", save_and_stop)
    with pytest.raises(KeyboardInterrupt):
        train_recipe(*run, tmp_path / "checkpoint.pt", start=given)
    monkeypatch.setattr(loop, "save_checkpoint", original)
    recipe, history = train_recipe(*run, tmp_path / "checkpoint.pt", start=given)
    assert len(history) == 3
    for name, value in state(whole).items():
        torch.testing.assert_close(value, state(recipe)[name], rtol=0, atol=0, msg=name)


def test_one_goes_on_from_another_flow_too(rectified, pairs):
    first, _ = train_recipe(rectified, pairs, "flow", 0, 1)
    recipe = recipe_of(rectified, pairs)
    recipe.go_on_from(first.state_dict())
    assert not recipe.generator.mean_is_fixed
    for name, value in state(first).items():
        torch.testing.assert_close(value, state(recipe)[name], msg=name)


@pytest.mark.parametrize("filters", [(4, 2), (2, 2, 2)])
def test_a_mean_of_other_filters_is_refused(rectified, pairs, filters):
    given = regression(rectified, filters)(pairs).state_dict()
    with pytest.raises(InputError, match=r"flow: cannot go on .* filters of a unet3d"):
        prepare(rectified, pairs, "flow", 0, 1, start=given)
