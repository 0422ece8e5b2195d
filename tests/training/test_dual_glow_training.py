"""The recipe of DUAL-GLOW: likelihood, activation norms, side information, AdaMax."""

import dataclasses

import pytest
import torch
import yaml
from snakemake.utils import update_config

from mri2pet.config.check import check_config
from mri2pet.config.systems import system_models
from mri2pet.errors import InputError
from mri2pet.models.dual_glow import objective
from mri2pet.training.data import Pairs
from mri2pet.training.glow_recipe import DualGlowRecipe
from mri2pet.training.recipes import make_recipe
from mri2pet.training.run import train_model
from mri2pet.training.settings import Precision, TrainingSettings

FP32 = Precision("fp32", torch.device("cpu"))


def make(entry, pairs):
    torch.manual_seed(0)
    return make_recipe(entry, TrainingSettings.from_config(entry["training"]), pairs).train()


def batch_of(pairs):
    side = {name: values[:2] for name, values in pairs.side.items()}
    return {"source": pairs.source[:2], "target": pairs.target[:2], "side": side}


def watch(recipe, monkeypatch):
    """Return the batch sizes that the network's losses are asked for, as they come."""
    sizes, losses = [], recipe.generator.losses

    def counted(mri, *args):
        sizes.append(len(mri))
        return losses(mri, *args)

    monkeypatch.setattr(recipe.generator, "losses", counted)
    return sizes


def test_the_loss_falls_and_the_pet_is_nearer_than_the_mean(flow_entry, pairs):
    flow_entry["training"] |= {"epochs": 30, "learning_rate": 0.01}
    generator, history = train_model(flow_entry, pairs, "tiny", 0, 1)
    for term in ("objective", "pet"):
        assert history[-1][term] < history[0][term] - 0.3
    error = (generator(pairs.source).detach() * pairs.mask - pairs.target).abs().mean()
    assert error < 0.8 * (pairs.target.mean(0) - pairs.target).abs().mean()


def test_the_objective_is_equation_16_with_the_configured_weights(told_entry, pairs):
    told_entry["losses"] = {"mri": 0.5, "side": 2.0}
    losses = make(told_entry, pairs).step(batch_of(pairs), FP32)
    assert set(losses) == {"objective", "pet", "mri", "reversed", "top"}
    torch.testing.assert_close(losses["objective"], objective(losses, mri=0.5, side=2.0))
    expected = losses["pet"] + 0.5 * losses["mri"] + 2 * (losses["reversed"] + losses["top"])
    torch.testing.assert_close(losses["objective"], expected)


@pytest.mark.parametrize("name", ["dual_glow", "dual_glow_side"])
def test_every_weight_is_trained(entries, pairs, name):
    recipe = make(entries[name], pairs)
    for optimiser in recipe.optimisers.values():
        for group in optimiser.param_groups:
            group["lr"] = 0.01
    before = {key: value.clone() for key, value in recipe.named_parameters()}
    for _ in range(3):  # layers behind one that starts at zero move from the second step on
        recipe.step(batch_of(pairs), FP32)
    still = [key for key, value in recipe.named_parameters() if torch.equal(value, before[key])]
    assert not still
    held = {id(p) for g in recipe.optimisers["generator"].param_groups for p in g["params"]}
    assert held == {id(p) for p in recipe.generator.parameters()}


def test_activation_norms_are_set_once_from_volumes_of_their_own(flow_entry, pairs, monkeypatch):
    recipe = make(flow_entry, pairs)
    sizes = watch(recipe, monkeypatch)
    recipe.step(batch_of(pairs), FP32)
    recipe.step(batch_of(pairs), FP32)
    assert sizes == [3, 2, 2]
    resumed = make(flow_entry, pairs)
    resumed.load_state_dict(recipe.state_dict())
    sizes = watch(resumed, monkeypatch)
    resumed.step(batch_of(pairs), FP32)
    assert sizes == [2]
    assert not [key for key in recipe.state_dict() if key.startswith("start_")]


def test_voxels_are_standardised_over_the_whole_training_set(flow_entry, pairs):
    norm = make(flow_entry, pairs).generator.pet_norm
    torch.testing.assert_close(norm.mean[0], pairs.target.mean(0) + 0.5 / 256)


def test_the_age_that_a_pet_is_told_darkens_it_as_it_did_in_training(told_entry):
    """The PET falls by .004 a year; all have the same MRI, which tells nothing of them."""
    torch.manual_seed(0)
    age = torch.linspace(50, 95, 10)
    mri = torch.rand(1, 1, 8, 8, 8).repeat(10, 1, 1, 1, 1)
    level = 0.8 - 0.004 * (age - 50)
    pet = (level[:, None, None, None, None] + 0.02 * torch.randn(10, 1, 8, 8, 8)).clamp(0, 1)
    kinds = torch.zeros(10, dtype=torch.long)
    side = {"age": age, "sex": kinds, "diagnosis": kinds}
    pairs = Pairs(mri, pet, torch.ones(8, 8, 8, dtype=torch.bool), torch.ones(8, 8, 8), side)
    told_entry["generator"]["grid"] = [8, 8, 8]
    told_entry["training"] |= {"epochs": 30, "batch_size": 5, "learning_rate": 0.01, "beta2": 0.9}
    generator, _ = train_model(told_entry, pairs, "tiny", 0, 1)
    with torch.no_grad():
        young, old = (
            generator(mri, side | {"age": torch.full((10,), years)}).mean() for years in (50, 90)
        )
    assert young - old == pytest.approx(0.16, rel=0.35)


@pytest.mark.parametrize(("beta2", "expected"), [(None, 1 - 1 / 3), (0.99, 0.99)])
def test_adamax_has_the_configured_rates(flow_entry, pairs, beta2, expected):
    flow_entry["training"] |= {"beta1": 0.8, "beta2": beta2}
    optimiser = make(flow_entry, pairs).optimisers["generator"]
    assert isinstance(optimiser, torch.optim.Adamax)
    assert optimiser.defaults["betas"] == pytest.approx((0.8, expected))


def test_adam_wants_a_beta2(entry, pairs):
    entry["training"]["beta2"] = None
    with pytest.raises(InputError, match=r"training\.beta2: Adam needs a number"):
        make(entry, pairs)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training": {"precision": "fp16"}}, "fp16"),
        ({"losses": {"l1": 1.0}}, r"losses\.l1"),
        ({"generator": {"name": "unet3d", "filters": [2, 2]}}, "'dual_glow' alone"),
    ],
)
def test_faulty_entries_are_refused(flow_entry, pairs, changes, message):
    changes = {key: {**flow_entry[key], **value} if key == "training" else value
               for key, value in changes.items()}  # fmt: skip
    with pytest.raises(InputError, match=message):
        make({**flow_entry, **changes}, pairs)


def test_pairs_without_side_information_are_refused(told_entry, pairs):
    assert isinstance(make(told_entry, pairs), DualGlowRecipe)
    with pytest.raises(InputError, match="side information"):
        make(told_entry, dataclasses.replace(pairs, side=None))


@pytest.mark.parametrize("name", ["dual_glow", "dual_glow_side"])
@pytest.mark.parametrize("paper", ["dual_glow", "dual_glow_code"])
def test_the_paper_s_entry_trains_when_its_networks_are_narrow(root, pairs, name, paper):
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    update_config(config, yaml.safe_load((root / f"config/paper/{paper}.yaml").read_text()))
    check_config(config, root / "workflow/schemas/config.schema.yaml")
    entry = system_models(config, "dual_glow")[name]
    relation = entry["generator"]["relation"] | {"width": 4}
    entry["generator"] |= {"depth": [1] * 4, "width": [4] * 4, "relation": relation}
    assert entry["generator"]["grid"] is None
    assert entry["generator"]["checkpointing"]
    entry["training"]["epochs"] = 2
    generator, history = train_model(entry, pairs, name, 0, 1)
    assert history[-1]["learning_rate"] == pytest.approx(0.001 * (2 - 1 / 5) / 10)
    assert generator(pairs.source[:1]).shape == pairs.source[:1].shape
