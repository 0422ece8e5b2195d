"""Where networks start, and at which rates they are trained."""

import pytest
import torch

from mri2pet.models.blocks import SMALL, ResidualBlock
from mri2pet.training.loop import train
from mri2pet.training.recipes import make_recipe
from mri2pet.training.settings import Precision, TrainingSettings

FP32 = Precision("fp32", torch.device("cpu"))


def make(entry, pairs, **training):
    torch.manual_seed(0)
    settings = TrainingSettings.from_config({**entry["training"], **training})
    return make_recipe(entry, settings, pairs), settings


@pytest.mark.parametrize("name", ["gan", "conditional_gan", "regression", "cycle_gan", "cvae"])
def test_generators_start_at_the_mean_of_their_targets(entries, pairs, name):
    mean = pairs.target[..., pairs.mask].mean()
    far, near = (
        (make(entries[name], pairs, start_at_mean=wanted)[0].generator(pairs.source) - mean)
        for wanted in (False, True)
    )
    assert near.mean().abs() < 0.05
    assert near.abs().mean() < 0.5 * far.abs().mean()


def test_the_way_back_of_a_cycle_starts_at_the_mean_mri(entries, pairs):
    recipe, _ = make(entries["cycle_gan"], pairs)
    mean = pairs.source[..., pairs.mask].mean()
    assert (recipe.back(pairs.target).mean() - mean).abs() < 0.05


def test_residual_blocks_start_near_the_identity(entry, pairs):
    recipe, _ = make(entry, pairs)
    blocks = [m for m in recipe.generator.modules() if isinstance(m, ResidualBlock)]
    assert blocks
    assert all((block.body[-1].weight == SMALL).all() for block in blocks)


@pytest.mark.parametrize("name", ["gan", "cycle_gan"])
def test_discriminators_learn_at_their_share_of_the_rate(entries, pairs, name):
    recipe, settings = make(
        entries[name], pairs, epochs=1, schedule="constant", discriminator_share=0.25
    )

    class Once:
        def __len__(self):
            return 1

        def epoch(self, epoch):
            yield {"source": pairs.source[:2], "target": pairs.target[:2]}

    train(recipe, Once(), settings, FP32, "test")
    rates = {key: o.param_groups[0]["lr"] for key, o in recipe.optimisers.items()}
    for key, rate in rates.items():
        share = 0.25 if key.startswith("discriminator") else 1
        assert rate == pytest.approx(share * settings.learning_rate)
