"""Every recipe lets a network that can start at the mean image; memory and entries know it."""

import copy
import dataclasses

import pytest
import torch

from mri2pet.config.systems import system_models
from mri2pet.errors import InputError
from mri2pet.models.registry import build
from mri2pet.models.signatures import check_network
from mri2pet.training.footprint import count
from mri2pet.training.recipes import make_recipe
from mri2pet.training.run import train_model
from mri2pet.training.settings import TrainingSettings

SIDE = 16
UNET = {"name": "unet3d", "filters": [2, 2, 2]}
START = {"standardise": True, "grid": [SIDE] * 3}
RECIPES = ["regression", "conditional_gan", "cgan", "pix2pix", "lsgan", "cycle_gan", "cvae"]


@pytest.fixture
def started(entries):
    """Return entries of several recipes with networks that start at the mean image."""
    changed = {}
    for name in RECIPES:
        entry = copy.deepcopy(entries[name])
        own = entry["generator"]
        kept = own if own["name"] in ("unet3d", "cvae") else UNET
        changed[name] = {**entry, "generator": {**kept, **START}}
    return changed


def made_by(recipe, pairs):
    network = recipe.generator.eval()
    with torch.no_grad():
        return network(pairs.source) * pairs.mask


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("start_at_mean", [True, False])
def test_training_begins_at_the_mean_image(started, pairs, name, start_at_mean):
    entry = started[name]
    training = {**entry["training"], "start_at_mean": start_at_mean}
    recipe = make_recipe(entry, TrainingSettings.from_config(training), pairs)
    mean = pairs.target.mean(0)
    torch.testing.assert_close(
        made_by(recipe, pairs), mean.expand_as(pairs.target), atol=1e-5, rtol=0
    )


def test_the_way_back_begins_at_the_mean_mri(started, pairs):
    entry = started["cycle_gan"]
    recipe = make_recipe(entry, TrainingSettings.from_config(entry["training"]), pairs)
    with torch.no_grad():
        back = recipe.back.eval()(pairs.target)
    torch.testing.assert_close(back, pairs.source.mean(0).expand_as(back), atol=1e-5, rtol=0)


def test_where_a_pet_is_not_measured_the_mean_is_of_those_who_are(started, pairs):
    seen = torch.ones_like(pairs.target, dtype=torch.bool)
    seen[0, :, :, :8] = False
    mean = (pairs.target * seen).sum(0) / seen.sum(0)
    holes = torch.where(seen, pairs.target, mean)  # as `load_pairs` fills them
    given = dataclasses.replace(pairs, target=holes, seen=seen)
    entry = started["regression"]
    recipe = make_recipe(entry, TrainingSettings.from_config(entry["training"]), given)
    torch.testing.assert_close(made_by(recipe, given)[0], mean, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["regression", "pix2pix", "cvae"])
def test_people_are_told_apart_after_a_training(started, pairs, name):
    entry = started[name]
    entry["training"] = {**entry["training"], "epochs": 20}
    generator, history = train_model(entry, pairs, name, 0, 1, device="cpu")
    with torch.no_grad():
        made = generator(pairs.source) * pairs.mask
    mean = pairs.target.mean(0)
    own, real = made - mean, pairs.target - mean
    assert (own * real).mean() > 0  # towards the person's own PET
    assert (made - pairs.target).abs().mean() < real.abs().mean()
    assert len(history) == 20


def test_its_statistics_and_its_second_pass_are_counted(started):
    entry = started["regression"]
    plain = {**entry, "generator": UNET}
    found, without = (count(each, (SIDE,) * 3) for each in (entry, plain))
    state = build(entry["generator"]).state_dict()
    assert found["generator"] == sum(value.numel() for value in state.values())
    assert found["generator"] - without["generator"] > 4 * SIDE**3
    assert found["step"] > 1.8 * without["step"]  # the mirrored MRI goes through the network, too
    assert found["forward"] > 1.8 * without["forward"]


def test_the_configuration_knows_the_setting_and_gives_the_grid(config):
    flow = config["dual_glow"]
    flow["models"]["pix2pix"]["generator"] |= {"standardise": True}
    flow["models"]["pix2pix"]["generator"].pop("grid", None)
    assert system_models(config, "dual_glow")["pix2pix"]["generator"]["grid"] == flow["grid"]
    own = {"name": "unet3d", "standardise": True, "grid": [8, 8, 8]}
    flow["models"]["pix2pix"]["generator"] = own
    assert system_models(config, "dual_glow")["pix2pix"]["generator"]["grid"] == [8, 8, 8]
    flow["models"]["pix2pix"]["generator"] = {"name": "unet3d", "standardise": False}
    assert "grid" not in system_models(config, "dual_glow")["pix2pix"]["generator"]
    # a system without one grid for all gives none, and the network says so
    config["gla_gan"]["models"]["unet"]["generator"] |= {"standardise": True}
    with pytest.raises(InputError, match="needs the volumes' grid"):
        build(system_models(config, "gla_gan")["unet"]["generator"])


@pytest.mark.parametrize("name", ["gla_gan", "cycle_gan", "resnet"])
def test_networks_that_cannot_say_so(name):
    with pytest.raises(InputError, match="no such setting"):
        check_network("where", {"name": name, "standardise": True})
    check_network("where", {"name": "cvae", "standardise": True})
