"""What a flow and its peers are measured by on people held out of the training."""

import pytest
import torch

from mri2pet.synthesis.temperature import bits_a_voxel
from mri2pet.training.held_out import HeldOutSsim
from mri2pet.training.measures import MEASURES, find_measure, measure_symbol
from mri2pet.training.recipes import make_recipe
from mri2pet.training.run import train_model
from mri2pet.training.settings import TrainingSettings
from mri2pet.training.validation import choose, validation_of

LIKELIHOOD = {"people": 2, "measure": "likelihood"}


def recipe_of(entry, pairs):
    torch.manual_seed(0)
    settings = TrainingSettings.from_config(entry["training"])
    recipe = make_recipe(entry, settings, pairs)
    if hasattr(recipe.generator, "initialise"):
        recipe.generator.initialise(pairs.source, pairs.target, pairs.side)
    return recipe.eval()


@pytest.mark.parametrize("name", ["dual_glow", "dual_glow_side"])
def test_a_flow_is_measured_by_its_bits_told_each_persons_side(entries, pairs, name):
    recipe = recipe_of(entries[name], pairs)
    if name == "dual_glow_side":
        torch.nn.init.normal_(recipe.generator.relation.networks[-1].embedding.weight, std=0.1)
    found = find_measure(LIKELIHOOD)(pairs, None)(recipe, 1)
    each = [
        bits_a_voxel(
            recipe.generator,
            *(volumes[row : row + 1] for volumes in (pairs.source, pairs.target)),
            {key: value[row : row + 1] for key, value in pairs.side.items()},
        )
        for row in range(len(pairs.source))
    ]
    assert found == {"validation_likelihood": pytest.approx(-float(torch.cat(each).mean()))}


def test_other_models_are_measured_by_ssim(entry, pairs):
    recipe = recipe_of(entry, pairs)
    likelihood = find_measure(LIKELIHOOD)(pairs, None)(recipe, 1)
    ssim = HeldOutSsim(pairs, None)(recipe, 1)
    assert likelihood["validation_likelihood"] == ssim["validation_ssim"]


def test_ssim_of_a_flow_is_of_the_pet_of_the_person_it_is_told(told_entry, pairs):
    recipe = recipe_of(told_entry, pairs)
    blind = HeldOutSsim(pairs, None)(recipe, 1)
    torch.nn.init.normal_(recipe.generator.relation.networks[-1].embedding.weight, std=0.1)
    assert HeldOutSsim(pairs, None)(recipe, 1) != blind


def test_the_epoch_kept_is_the_one_of_the_highest_likelihood(flow_entry, pairs):
    flow_entry["training"] |= {"epochs": 12, "learning_rate": 0.05}
    validation = validation_of(pairs, flow_entry, LIKELIHOOD)
    generator, history = train_model(flow_entry, pairs, "tiny", 0, 1, validation=validation)
    chosen = choose(generator, history, pairs, flow_entry, LIKELIHOOD, (2.0, 2.0, 2.0))
    best = max(row["validation_likelihood"] for row in history)
    assert chosen["validation_likelihood"] == best
    assert history[chosen["epoch"] - 1]["validation_likelihood"] == best


def test_none_keeps_the_last_epoch(flow_entry, pairs):
    settings = {"people": 2, "measure": "none"}
    assert validation_of(pairs, flow_entry, settings) is None
    history = [{"epoch": 1}, {"epoch": 2}]
    chosen = choose(None, history, pairs, flow_entry, settings, (2.0, 2.0, 2.0))
    assert chosen == {"epochs": 2, "epoch": 2, "smoothing_fwhm_mm": 0.0}


@pytest.mark.parametrize("name", MEASURES)
def test_the_code_of_every_measure_is_named(name):
    module, _, symbol = measure_symbol({"measure": name}).partition(":")
    assert module.startswith("mri2pet.training.held_out")
    assert find_measure({"measure": name}).__name__ == symbol
