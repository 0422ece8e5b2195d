"""A recipe is added by CONTRIBUTING's list: its file, and its name in a model's entry."""

import pytest

import mri2pet.training
from mri2pet.errors import InputError
from mri2pet.training.recipes import check_entry, recipe_symbol

RECIPE = '''"""A regression by plain gradient descent."""

from torch.optim import SGD

from mri2pet.training.gan import Regression


class Plain(Regression):
    """As `Regression`, without Adam."""

    def __init__(self, config, settings, pairs):
        super().__init__(config, settings, pairs)
        group = {"params": list(self.generator.parameters()), "share": 1.0}
        self.optimisers = {"generator": SGD([group], lr=settings.learning_rate)}
'''
FILE = "src/mri2pet/training/toy_recipe.py"
UNET = "    unet:\n      label: U-Net\n      recipe: {}\n"


@pytest.fixture
def added(copy):
    copy.write(FILE, RECIPE)
    copy.replace("config/config.yaml", UNET.format("regression"), UNET.format("toy_recipe.Plain"))
    return copy


def test_a_recipe_is_its_file_and_its_name_in_an_entry(added):
    added.held_by("recipe")
    made = "results/gla_gan/models/unet/fold-0/generator.pt"
    assert f"output: {made}" in added.snakemake("-n", made, "--config", "systems=[gla_gan]")


def test_a_recipe_of_ones_own_trains(added, room, tiny_entry, trained):
    room(mri2pet.training)
    tiny_entry |= {"recipe": "toy_recipe.Plain"}
    check_entry("models.toy", tiny_entry)
    _, plain = trained(tiny_entry)
    _, adam = trained(tiny_entry | {"recipe": "regression"})
    assert plain[0]["l1"] == pytest.approx(adam[0]["l1"], rel=0.2)  # the same loss
    assert plain[1]["l1"] != adam[1]["l1"]  # by another way


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "toy_recipe.Plian",
            r"'toy_recipe.Plian' \(did you mean 'toy_recipe.Plain'\?\); known are regression",
        ),
        ("regresion", r"'regresion' \(did you mean 'regression'\?\)"),
        ("toy_recipe", "'toy_recipe'"),
    ],
)
def test_a_recipe_that_is_not_there_is_named_with_its_key(added, room, tiny_entry, name, said):
    room(mri2pet.training)
    with pytest.raises(InputError, match=rf"^models\.toy\.recipe: no recipe is named {said}"):
        check_entry("models.toy", tiny_entry | {"recipe": name})


def test_the_run_stops_before_anything_if_a_recipe_is_not_there(added):
    added.replace("config/config.yaml", "toy_recipe.Plain", "toy_recipe.Palin")
    with pytest.raises(pytest.fail.Exception, match=r"gla_gan\.models\.unet\.recipe: no recipe"):
        added.snakemake("-n", "--config", "systems=[gla_gan]")


@pytest.mark.parametrize(
    ("old", "new", "runs"),
    [
        ("lr=settings.learning_rate", "lr=2 * settings.learning_rate", True),
        ("without Adam", "with something else", False),
    ],
)
def test_a_change_of_its_code_alone_trains_again(added, changes, old, new, runs):
    assert changes(recipe_symbol("toy_recipe.Plain"), FILE, old, new) is runs
