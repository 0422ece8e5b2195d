"""What differs between ways of training: networks, optimisers and one step on a batch.

The loop knows nothing else of a model. A new way (cycle, flow, autoencoder) is a new recipe.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from mri2pet.errors import InputError
from mri2pet.losses import SynthesisLoss, discriminator_loss, generator_loss
from mri2pet.models.registry import build
from mri2pet.training.data import Pairs
from mri2pet.training.settings import Precision, TrainingSettings

Batch = Mapping[str, Tensor]


class Recipe(nn.Module, ABC):
    """One way of training.

    Everything in `state_dict()` (networks, and buffers such as a pool of images) and in
    `optimisers` goes into checkpoints.

    Attributes
    ----------
    generator
        The network that is kept and synthesises.
    optimisers
        By name; the loop sets their learning rates.
    """

    generator: nn.Module
    optimisers: dict[str, Optimizer]

    @abstractmethod
    def step(self, batch: Batch, precision: Precision) -> dict[str, Tensor]:
        """Train on one batch; return the losses, detached, by name."""


class Regression(Recipe):
    """A generator alone, trained on the synthesis loss.

    Parameters
    ----------
    config
        A model's entry: `generator`, `losses`.
    settings
        Its `training` block.
    pairs
        For mask and atlas.
    """

    def __init__(self, config: Mapping[str, Any], settings: TrainingSettings, pairs: Pairs) -> None:
        super().__init__()
        self.generator = build(config["generator"])
        terms = {key: value for key, value in config["losses"].items() if key != "adversarial"}
        self.loss = SynthesisLoss(terms, pairs.atlas)
        self.register_buffer("mask", pairs.mask, persistent=False)
        self.optimisers = {"generator": adam(self.generator, settings)}

    def synthesise(self, mri: Tensor) -> Tensor:
        """Run the generator; outside the brain the result is zero, as in the training PET."""
        return self.generator(mri) * self.mask

    def step(self, batch: Batch, precision: Precision) -> dict[str, Tensor]:
        """Take one step of the generator."""
        with precision.autocast():
            fake = self.synthesise(batch["mri"])
        total, terms = self.loss(fake, batch["pet"])
        precision.step(total, self.optimisers["generator"])
        precision.end_batch()
        return _detached({"generator": total, **terms})


class Gan(Regression):
    """A generator against a discriminator that sees PET alone (GLA-GAN, eq. 1 and 8).

    Each batch: the discriminator's step on the real and the synthesised PET, then the
    generator's on the weighted sum, with the discriminator as it then is (Goodfellow 2014).

    Parameters
    ----------
    config
        A model's entry: `generator`, `discriminator`, `losses` (with `adversarial`).
    settings
        Its `training` block.
    pairs
        For mask and atlas.
    """

    def __init__(self, config: Mapping[str, Any], settings: TrainingSettings, pairs: Pairs) -> None:
        super().__init__(config, settings, pairs)
        if "adversarial" not in config["losses"]:
            raise InputError("losses: the gan recipe needs a weight for `adversarial`")
        self.adversarial_weight = float(config["losses"]["adversarial"])
        self.discriminator = build(config["discriminator"])
        self.optimisers["discriminator"] = adam(self.discriminator, settings)

    def step(self, batch: Batch, precision: Precision) -> dict[str, Tensor]:
        """Take one step of the discriminator and one of the generator."""
        real = batch["pet"]
        with precision.autocast():
            fake = self.synthesise(batch["mri"])
            against = discriminator_loss(
                self.discriminator(real), self.discriminator(fake.detach())
            )
        precision.step(against, self.optimisers["discriminator"])

        # The generator's gradient passes through the discriminator and leaves none in it.
        self.discriminator.requires_grad_(False)
        with precision.autocast():
            adversarial = generator_loss(self.discriminator(fake))
        total, terms = self.loss(fake, real)
        total = total + self.adversarial_weight * adversarial
        precision.step(total, self.optimisers["generator"])
        self.discriminator.requires_grad_(True)
        precision.end_batch()
        return _detached(
            {"generator": total, "adversarial": adversarial, **terms, "discriminator": against}
        )


RECIPES: Mapping[str, type[Regression]] = {"regression": Regression, "gan": Gan}


def make_recipe(config: Mapping[str, Any], settings: TrainingSettings, pairs: Pairs) -> Recipe:
    """Make the recipe that a model's entry names, with weights from torch's random state.

    Raises
    ------
    InputError
        For an unknown recipe, or an entry that lacks what the recipe needs.
    """
    name = config.get("recipe")
    if name not in RECIPES:
        raise InputError(f"recipe: '{name}' is unknown; known are {', '.join(RECIPES)}")
    try:
        return RECIPES[name](config, settings, pairs)
    except KeyError as error:
        raise InputError(f"the {name} recipe needs an entry {error} in its model") from error


def adam(network: nn.Module, settings: TrainingSettings) -> Adam:
    """Make Adam for a network's parameters."""
    betas = (settings.beta1, settings.beta2)
    return Adam(network.parameters(), lr=settings.learning_rate, betas=betas)


@torch.no_grad()
def recalibrate_batch_norm(recipe: Recipe, batches: Any, precision: Precision) -> None:
    """Replace the generator's batch-norm statistics by their mean over one epoch of batches."""
    layers = [m for m in recipe.generator.modules() if isinstance(m, nn.BatchNorm3d)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # a plain average over the batches
    recipe.generator.train()
    for batch in batches.epoch(0):
        with precision.autocast():
            recipe.generator(batch["mri"])
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum


def _detached(losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach() for name, value in losses.items()}
