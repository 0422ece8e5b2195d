"""From the name of a recipe in the configuration to its class."""

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mri2pet.errors import InputError

if TYPE_CHECKING:
    from mri2pet.training.data import Pairs
    from mri2pet.training.recipe import Recipe
    from mri2pet.training.settings import TrainingSettings

# By name and not by import, so that a change of one recipe trains its own models again alone.
RECIPES = {
    "regression": "gan.Regression",
    "gan": "gan.Gan",
    "conditional_gan": "gan.ConditionalGan",
    "lsgan": "lsgan.SimpleGan",
    "half_batch_gan": "half_batch.HalfBatchGan",
    "cycle_gan": "cycle.CycleGan",
    "dual_glow": "glow_recipe.DualGlowRecipe",
    "cvae": "cvae_recipe.ConditionalVae",
}


def recipe_symbol(name: str) -> str:
    """Return where a recipe is defined, e.g. `mri2pet.training.gan:Gan` for `gan`."""
    module, _, class_name = RECIPES[name].rpartition(".")
    return f"{__package__}.{module}:{class_name}"


def make_recipe(
    config: Mapping[str, Any], settings: "TrainingSettings", pairs: "Pairs"
) -> "Recipe":
    """Make the recipe that a model's entry names, with weights from torch's random state.

    Raises
    ------
    InputError
        For an unknown recipe, or an entry that lacks what the recipe needs.
    """
    name = config.get("recipe")
    if name not in RECIPES:
        raise InputError(f"recipe: '{name}' is unknown; known are {', '.join(RECIPES)}")
    module, _, class_name = recipe_symbol(name).partition(":")
    recipe = getattr(importlib.import_module(module), class_name)
    try:
        return recipe(config, settings, pairs)
    except KeyError as error:
        raise InputError(f"the {name} recipe needs an entry {error} in its model") from error
