"""A GAN whose discriminator learns from half real and half generated batches (part X5)."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mri2pet.errors import InputError
from mri2pet.training.data import Pairs
from mri2pet.training.gan import ConditionalGan
from mri2pet.training.losses import discriminator_loss, generator_loss
from mri2pet.training.recipe import Batch, detached
from mri2pet.training.settings import Precision, TrainingSettings


class HalfBatchGan(ConditionalGan):
    """A conditional GAN with the steps of the IXI report (after Nie et al. 2018).

    Each mini-batch: the discriminator's step on one batch, of which the first half are real
    targets and the second half generated ones, each with its source; then the generator's step on
    all sources. For the generator the discriminator is frozen, its batch norm too (as Keras
    freezes it): its own batches are mixed ones, and statistics of generated patches alone would
    hide from it what it has learnt to see.

    Parameters
    ----------
    config
        A model's entry: `generator`, `discriminator` of two channels, `losses` with `adversarial`.
    settings
        Its `training` block.
    pairs
        For mask and atlas.
    """

    def __init__(self, config: Mapping[str, Any], settings: TrainingSettings, pairs: Pairs) -> None:
        super().__init__(config, settings, pairs)
        if settings.batch_size < 2:
            raise InputError("training.batch_size: half real and half generated needs at least 2")

    def step(self, batch: Batch, precision: Precision) -> dict[str, Tensor]:
        """Take one step of the discriminator and one of the generator."""
        source, real = batch["source"], batch["target"]
        half = (len(source) + 1) // 2
        with precision.autocast():
            fake = self.synthesise(batch)
            shown = torch.cat([real[:half], fake.detach()[half:].to(real.dtype)])
            logits = self.judge(source, shown)
            against = discriminator_loss(logits[:half], logits[half:])
        precision.step(against, self.optimisers["discriminator"])

        self.discriminator.requires_grad_(False).eval()
        with precision.autocast():
            adversarial = generator_loss(self.judge(source, fake))
        total, terms = self.loss(fake, real)
        total = total + self.adversarial_weight * adversarial
        precision.step(total, self.optimisers["generator"])
        self.discriminator.requires_grad_(True).train()
        precision.end_batch()
        return detached(
            {"generator": total, "adversarial": adversarial, **terms, "discriminator": against}
        )
