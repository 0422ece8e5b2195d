"""A generator trained on what it should give: alone, or against a discriminator (part G6)."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mri2pet.errors import InputError
from mri2pet.models.registry import build
from mri2pet.training.data import Pairs
from mri2pet.training.losses import SynthesisLoss, discriminator_loss, generator_loss
from mri2pet.training.recipe import (
    Batch,
    Recipe,
    adam,
    as_measured,
    detached,
    set_start,
)
from mri2pet.training.recipes import plain_weight
from mri2pet.training.settings import Precision, TrainingSettings


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
        if hasattr(self.generator, "use_atlas"):
            self.generator.use_atlas(pairs.atlas, pairs.mask)
        about = (pairs.source, pairs.target, pairs.mask, pairs.seen)
        set_start(self.generator, settings, *about)
        terms = {key: value for key, value in config["losses"].items() if key != "adversarial"}
        self.loss = SynthesisLoss(terms, pairs.atlas)
        self.register_buffer("mask", pairs.mask, persistent=False)
        self.optimisers = {"generator": adam([self.generator], settings)}

    def synthesise(self, batch: Batch) -> Tensor:
        """Run the generator; outside the brain the result is zero, as in the training PET."""
        mask = batch.get("mask", self.mask)  # parts come with theirs
        return as_measured(self.generator(batch["source"]) * mask, batch.get("target"), batch)

    def step(self, batch: Batch, precision: Precision) -> dict[str, Tensor]:
        """Take one step of the generator."""
        with precision.autocast():
            fake = self.synthesise(batch)
        total, terms = self.loss(fake, batch["target"])
        precision.step(total, self.optimisers["generator"])
        precision.end_batch()
        return detached({"generator": total, **terms})


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
            raise InputError(
                f"losses: the {config['recipe']} recipe needs a weight for `adversarial`"
            )
        self.adversarial_weight = plain_weight(config["losses"], "adversarial", config["recipe"])
        self.discriminator = build(config["discriminator"])
        self.optimisers["discriminator"] = adam(
            [self.discriminator], settings, settings.discriminator_share
        )

    def judge(self, mri: Tensor, pet: Tensor) -> Tensor:
        """Return the discriminator's logits of PET that belong to these MRI."""
        del mri  # eq. 1 knows the PET alone
        return self.discriminator(pet)

    def step(self, batch: Batch, precision: Precision) -> dict[str, Tensor]:
        """Take one step of the discriminator and one of the generator."""
        mri, real = batch["source"], batch["target"]
        with precision.autocast():
            fake = self.synthesise(batch)
            against = discriminator_loss(self.judge(mri, real), self.judge(mri, fake.detach()))
        precision.step(against, self.optimisers["discriminator"])

        # The generator's gradient passes through the discriminator and leaves none in it.
        self.discriminator.requires_grad_(False)
        with precision.autocast():
            adversarial = generator_loss(self.judge(mri, fake))
        total, terms = self.loss(fake, real)
        total = total + self.adversarial_weight * adversarial
        precision.step(total, self.optimisers["generator"])
        self.discriminator.requires_grad_(True)
        precision.end_batch()
        return detached(
            {"generator": total, "adversarial": adversarial, **terms, "discriminator": against}
        )


class ConditionalGan(Gan):
    """A GAN whose discriminator sees MRI and PET together (pix2pix, Isola 2017).

    It asks whether a PET is the one of this MRI, not only whether it is like a PET. The entry's
    discriminator takes two channels.
    """

    def judge(self, mri: Tensor, pet: Tensor) -> Tensor:
        """Return the discriminator's logits of pairs of MRI and PET."""
        return self.discriminator(torch.cat([mri, pet.to(mri.dtype)], dim=1))
