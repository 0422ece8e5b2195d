"""One generator against one discriminator by least squares: Simple-GAN of the anomaly paper (A2).

It is one half of Cycle-GAN, trained as that is: eq. 1, and eq. 2 where `l2` has a weight.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from mri2pet.models.registry import build
from mri2pet.training.data import Pairs
from mri2pet.training.losses import (
    l1_loss,
    l2_loss,
    least_squares_discriminator_loss,
    least_squares_generator_loss,
)
from mri2pet.training.pool import draw_pools, make_pool
from mri2pet.training.recipe import (
    Batch,
    Recipe,
    adam,
    as_measured,
    chosen_weights,
    detached,
    set_start,
)
from mri2pet.training.settings import Precision, TrainingSettings

TERMS = ("adversarial", "l1", "l2")


class SimpleGan(Recipe):
    """MRI to PET against a discriminator that sees PET alone.

    Each batch: the generator's step, then the discriminator's on real images and those of a pool.
    Every image is zero outside the brain mask.

    Parameters
    ----------
    config
        A model's entry: `generator`, `discriminator`; `losses`: `adversarial` and, if wanted,
        `l1` or `l2` to the real PET; `pool`, default 50; `parts`, if it does not see whole
        volumes.
    settings
        Its `training` block.
    pairs
        For the mask.

    Raises
    ------
    InputError
        For a loss that this recipe does not have, or without a weight for adversarial.
    """

    def __init__(self, config: Mapping[str, Any], settings: TrainingSettings, pairs: Pairs) -> None:
        super().__init__()
        self.weights = chosen_weights(config, TERMS, ("adversarial",))
        self.generator = build(config["generator"])
        about = (pairs.source, pairs.target, pairs.mask, pairs.seen)
        set_start(self.generator, settings, *about)
        self.discriminator = build(config["discriminator"])
        self.pool = make_pool(config, pairs)
        self.register_buffer("mask", pairs.mask, persistent=False)
        self.optimisers = {
            "generator": adam([self.generator], settings),
            "discriminator": adam([self.discriminator], settings, settings.discriminator_share),
        }

    def drawn(self, batch: Batch) -> Batch:
        """Return a batch with what its pool decides on it."""
        return draw_pools(batch, pet=self.pool)

    def step(self, batch: Batch, precision: Precision) -> dict[str, Tensor]:
        """Take one step of the generator and one of the discriminator."""
        batch = self.drawn(batch)
        mask = batch.get("mask", self.mask)  # parts come with theirs
        mri, pet = batch["source"] * mask, batch["target"]
        # The generator's gradient passes through the discriminator and leaves none in it.
        self.discriminator.requires_grad_(False)
        with precision.autocast():
            fake = as_measured(self.generator(mri) * mask, pet, batch)
            terms = self._generator_terms(fake, pet)
        total = sum(self.weights[name] * value for name, value in terms.items())
        precision.step(total, self.optimisers["generator"])

        self.discriminator.requires_grad_(True)
        shown = self.pool.exchange(fake, batch["pools"]["pet"])
        with precision.autocast():
            against = least_squares_discriminator_loss(
                self.discriminator(pet), self.discriminator(shown)
            )
        precision.step(against, self.optimisers["discriminator"])
        precision.end_batch()
        return detached({"generator": total, **terms, "discriminator": against})

    def _generator_terms(self, fake: Tensor, pet: Tensor) -> dict[str, Tensor]:
        terms = {}
        if "adversarial" in self.weights:
            terms["adversarial"] = least_squares_generator_loss(self.discriminator(fake))
        for name, loss in (("l1", l1_loss), ("l2", l2_loss)):
            if name in self.weights:
                terms[name] = loss(fake, pet)
        return terms
