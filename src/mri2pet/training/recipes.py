"""From the names in a model's entry of the configuration to its recipe and losses.

A recipe or loss of one's own is a file in this folder: the configuration then says `file.Name`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mri2pet.config.by_name import check_name, find, symbol
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
    "rectified_flow": "rectified_recipe.RectifiedFlowRecipe",
}
# Without steps: functions as `local_regression.fit`, of entries without losses and training.
CLOSED_FORMS = {"local_regression": "local_regression.fit"}
# Functions of (predicted, real, settings), or classes made of the atlas's labels and the settings.
LOSSES = {
    "l1": "losses.l1_loss",
    "l2": "losses.l2_loss",
    "gradient_difference": "losses.gradient_difference_loss",
    "ssim": "losses.ssim_loss",
    "ms_ssim": "losses.ms_ssim_loss",
    "roi": "roi_loss.RoiLoss",
}
RECIPES_OWN = ("adversarial", "cycle", "identity", "kl", "mri", "side")  # losses they compute
WEIGHTS_ALONE = ("cycle_gan", "lsgan")  # recipes that compute l1 and l2 themselves, as means


def recipe_symbol(name: str) -> str:
    """Return where a recipe is defined, e.g. `mri2pet.training.gan:Gan` for `gan`."""
    return symbol(__package__, RECIPES | CLOSED_FORMS, name)


def loss_symbols(losses: Mapping[str, Any]) -> list[str]:
    """Return where the losses of a model's entry are defined, but for those of its recipe."""
    return [symbol(__package__, LOSSES, name) for name in losses if name not in RECIPES_OWN]


def find_closed_form(name: str) -> Any:
    """Return the function that solves a recipe without steps; None for one that takes steps."""
    if name not in CLOSED_FORMS:
        return None
    return find("recipe", "recipe", __package__, CLOSED_FORMS, name)


def find_loss(name: str) -> Any:
    """Return the function or class of a loss; an `InputError` if there is none of this name."""
    return find(f"losses.{name}", "loss", __package__, LOSSES, name)


def check_entry(where: str, entry: Mapping[str, Any]) -> None:
    """Look for the recipe and the losses that a model's entry names; nothing is imported.

    Its networks are looked for with the rest of the configuration (`check_networks`).

    Parameters
    ----------
    where
        Its key in the configuration.
    entry
        `recipe`, `losses`.

    Raises
    ------
    InputError
        For a recipe or loss that there is not, or settings of a loss whose recipe takes a weight
        alone. Losses of a recipe of one's own are not looked for: it may compute any.
    """
    recipes = RECIPES | CLOSED_FORMS
    check_name(f"{where}.recipe", "recipe", __package__, recipes, entry["recipe"])
    known = LOSSES | dict.fromkeys(RECIPES_OWN, "")
    for name in entry["losses"] if entry["recipe"] in RECIPES else ():
        check_name(f"{where}.losses.{name}", "loss", __package__, known, name)
        if entry["recipe"] in WEIGHTS_ALONE:
            plain_weight(entry["losses"], name, entry["recipe"], f"{where}.losses")


def make_recipe(
    config: Mapping[str, Any], settings: "TrainingSettings", pairs: "Pairs"
) -> "Recipe":
    """Make the recipe that a model's entry names, with weights from torch's random state.

    Raises
    ------
    InputError
        For an unknown recipe, or an entry that lacks what the recipe needs.
    """
    name = str(config.get("recipe"))
    recipe = find("recipe", "recipe", __package__, RECIPES, name)
    try:
        return recipe(config, settings, pairs)
    except KeyError as error:
        raise InputError(f"the {name} recipe needs an entry {error} in its model") from error


def plain_weight(losses: Mapping[str, Any], name: str, recipe: str, where: str = "losses") -> float:
    """Return the weight of a loss that a recipe computes itself, and that has no settings.

    Raises
    ------
    InputError
        If it is given with settings.
    """
    weight = losses[name]
    if not isinstance(weight, Mapping):
        return float(weight)
    if further := sorted(set(weight) - {"weight"}):
        raise InputError(
            f"{where}.{name}: takes a weight alone in the {recipe} recipe, not {', '.join(further)}"
        )
    return float(weight["weight"])
