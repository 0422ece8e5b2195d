"""Two generators and two discriminators: Cycle-GAN (Zhu 2017), parts G8 and A2.

On whole volumes as in Pan et al. (2018), or on the slices and patches of the anomaly paper.
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

TERMS = ("adversarial", "cycle", "identity", "l1", "l2")


class CycleGan(Recipe):
    """MRI to PET and back, each against a discriminator.

    Each batch: both generators' step, then both discriminators' on real volumes and those of a
    pool. Every volume is zero outside the brain mask. Only the MRI-to-PET generator is kept.

    Parameters
    ----------
    config
        A model's entry: `generator` and `discriminator`, of which two each are made;
        `losses`: `adversarial`, `cycle` (eq. 3 of the anomaly paper) and, if wanted, `identity`,
        and `l1` or `l2` (eq. 2) to the other scan of the pair, without which nothing uses that
        the scans are paired; `pool`, default 50; `parts`, if it does not see whole volumes.
    settings
        Its `training` block.
    pairs
        For the mask.

    Raises
    ------
    InputError
        For a loss that this recipe does not have, or without a weight for adversarial and cycle.
    """

    def __init__(self, config: Mapping[str, Any], settings: TrainingSettings, pairs: Pairs) -> None:
        super().__init__()
        self.weights = chosen_weights(config, TERMS, ("adversarial", "cycle"))
        self.generator = build(config["generator"])
        self.back = build(config["generator"])
        about = (pairs.source, pairs.target)
        set_start(self.generator, settings, *about, pairs.mask, pairs.seen)
        set_start(self.back, settings, *reversed(about), pairs.mask)
        self.pet_discriminator = build(config["discriminator"])
        self.mri_discriminator = build(config["discriminator"])
        self.pet_pool, self.mri_pool = make_pool(config, pairs), make_pool(config, pairs)
        self.register_buffer("mask", pairs.mask, persistent=False)
        self.discriminators = [self.pet_discriminator, self.mri_discriminator]
        self.optimisers = {
            "generators": adam([self.generator, self.back], settings),
            "discriminators": adam(self.discriminators, settings, settings.discriminator_share),
        }

    def drawn(self, batch: Batch) -> Batch:
        """Return a batch with what its pools decide on it."""
        return draw_pools(batch, pet=self.pet_pool, mri=self.mri_pool)

    def step(self, batch: Batch, precision: Precision) -> dict[str, Tensor]:
        """Take one step of the generators and one of the discriminators."""
        batch = self.drawn(batch)
        mask = batch.get("mask", self.mask)  # parts come with theirs
        mri, pet = batch["source"] * mask, batch["target"]
        # The generators' gradient passes through the discriminators and leaves none in them.
        for network in self.discriminators:
            network.requires_grad_(False)
        with precision.autocast():
            fake_pet = as_measured(self.generator(mri) * mask, pet, batch)
            fake_mri = as_measured(self.back(pet) * mask, mri, batch)
            terms = self._generator_terms(mri, pet, fake_mri, fake_pet, mask, batch)
        total = sum(self.weights[name] * value for name, value in terms.items())
        precision.step(total, self.optimisers["generators"])

        for network in self.discriminators:
            network.requires_grad_(True)
        shown_pet = self.pet_pool.exchange(fake_pet, batch["pools"]["pet"])
        shown_mri = self.mri_pool.exchange(fake_mri, batch["pools"]["mri"])
        with precision.autocast():
            against = least_squares_discriminator_loss(
                self.pet_discriminator(pet), self.pet_discriminator(shown_pet)
            ) + least_squares_discriminator_loss(
                self.mri_discriminator(mri), self.mri_discriminator(shown_mri)
            )
        precision.step(against, self.optimisers["discriminators"])
        precision.end_batch()
        return detached({"generator": total, **terms, "discriminator": against})

    def _generator_terms(
        self,
        mri: Tensor,
        pet: Tensor,
        fake_mri: Tensor,
        fake_pet: Tensor,
        mask: Tensor,
        batch: Batch,
    ) -> dict[str, Tensor]:
        """Compute the terms that have a weight, each the sum over both directions."""
        terms = {}
        if "adversarial" in self.weights:
            terms["adversarial"] = least_squares_generator_loss(
                self.pet_discriminator(fake_pet)
            ) + least_squares_generator_loss(self.mri_discriminator(fake_mri))
        if "cycle" in self.weights:
            again_mri = as_measured(self.back(fake_pet) * mask, mri, batch)
            again_pet = as_measured(self.generator(fake_mri) * mask, pet, batch)
            terms["cycle"] = l1_loss(again_mri, mri) + l1_loss(again_pet, pet)
        if "identity" in self.weights:
            same_pet = as_measured(self.generator(pet) * mask, pet, batch)
            terms["identity"] = l1_loss(same_pet, pet) + l1_loss(self.back(mri) * mask, mri)
        for name, loss in (("l1", l1_loss), ("l2", l2_loss)):
            if name in self.weights:
                terms[name] = loss(fake_pet, pet) + loss(fake_mri, mri)
        return terms
