"""Two generators and two discriminators: Cycle-GAN (Zhu 2017) in 3D as in Pan et al. (2018)."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mri2pet.errors import InputError
from mri2pet.losses import (
    l1_loss,
    least_squares_discriminator_loss,
    least_squares_generator_loss,
)
from mri2pet.models.blocks import memory_format_of
from mri2pet.models.registry import build
from mri2pet.training.data import Pairs
from mri2pet.training.recipe import Batch, Recipe, adam, detached, start_at_mean
from mri2pet.training.settings import Precision, TrainingSettings

TERMS = ("adversarial", "cycle", "identity", "l1")
POOL = 50  # volumes, as in Cycle-GAN


class ImagePool(nn.Module):
    """Earlier synthetic volumes, shown to a discriminator among the new ones (Shrivastava 2017).

    Until it is full, it keeps and returns what comes. Then each volume is, with even odds,
    returned itself or exchanged for one of the pool. The pool is part of the state, and draws
    from torch's random state, so that a resumed training sees the same volumes.

    Parameters
    ----------
    size
        Volumes kept; 0 returns what comes.
    shape
        Of one volume (X, Y, Z).
    """

    def __init__(self, size: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("volumes", torch.zeros(size, 1, *shape))
        self.register_buffer("filled", torch.tensor(0))

    @torch.no_grad()
    def exchange(self, new: Tensor) -> Tensor:
        """Return as many volumes as come, (B, 1, X, Y, Z)."""
        size = len(self.volumes)
        if not size:
            return new.detach()
        shown = []
        for volume in new.detach().float():
            filled = int(self.filled)
            if filled < size:
                self.volumes[filled] = volume
                self.filled += 1
                shown.append(volume)
            elif torch.rand(()) < 0.5:
                place = int(torch.randint(size, ()))
                shown.append(self.volumes[place].clone())
                self.volumes[place] = volume
            else:
                shown.append(volume)
        return torch.stack(shown).contiguous(memory_format=memory_format_of(new))


class CycleGan(Recipe):
    """MRI to PET and back, each against a discriminator.

    Each batch: both generators' step, then both discriminators' on real volumes and those of a
    pool. Every volume is zero outside the brain mask. Only the MRI-to-PET generator is kept.

    Parameters
    ----------
    config
        A model's entry: `generator` and `discriminator`, of which two each are made;
        `losses`: `adversarial`, `cycle` and, if wanted, `identity` and `l1` (to the other scan
        of the pair; without it nothing uses that the scans are paired); `pool`, default 50.
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
        self.weights = _weights(config["losses"])
        self.generator = build(config["generator"])
        self.back = build(config["generator"])
        if settings.start_at_mean:
            start_at_mean(self.generator, pairs.pet, pairs.mask)
            start_at_mean(self.back, pairs.mri, pairs.mask)
        self.pet_discriminator = build(config["discriminator"])
        self.mri_discriminator = build(config["discriminator"])
        shape, size = tuple(pairs.mask.shape), int(config.get("pool", POOL))
        self.pet_pool, self.mri_pool = ImagePool(size, shape), ImagePool(size, shape)
        self.register_buffer("mask", pairs.mask, persistent=False)
        self.discriminators = [self.pet_discriminator, self.mri_discriminator]
        self.optimisers = {
            "generators": adam([self.generator, self.back], settings),
            "discriminators": adam(self.discriminators, settings, settings.discriminator_share),
        }

    def to_pet(self, mri: Tensor) -> Tensor:
        """Synthesise the PET of an MRI; zero outside the brain."""
        return self.generator(mri) * self.mask

    def to_mri(self, pet: Tensor) -> Tensor:
        """Synthesise the MRI of a PET; zero outside the brain."""
        return self.back(pet) * self.mask

    def step(self, batch: Batch, precision: Precision) -> dict[str, Tensor]:
        """Take one step of the generators and one of the discriminators."""
        mri, pet = batch["mri"] * self.mask, batch["pet"]
        # The generators' gradient passes through the discriminators and leaves none in them.
        for network in self.discriminators:
            network.requires_grad_(False)
        with precision.autocast():
            fake_pet, fake_mri = self.to_pet(mri), self.to_mri(pet)
            terms = self._generator_terms(mri, pet, fake_mri, fake_pet)
        total = sum(self.weights[name] * value for name, value in terms.items())
        precision.step(total, self.optimisers["generators"])

        for network in self.discriminators:
            network.requires_grad_(True)
        shown_pet, shown_mri = self.pet_pool.exchange(fake_pet), self.mri_pool.exchange(fake_mri)
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
        self, mri: Tensor, pet: Tensor, fake_mri: Tensor, fake_pet: Tensor
    ) -> dict[str, Tensor]:
        """Compute the terms that have a weight, each the sum over both directions."""
        terms = {}
        if "adversarial" in self.weights:
            terms["adversarial"] = least_squares_generator_loss(
                self.pet_discriminator(fake_pet)
            ) + least_squares_generator_loss(self.mri_discriminator(fake_mri))
        if "cycle" in self.weights:
            terms["cycle"] = l1_loss(self.to_mri(fake_pet), mri) + l1_loss(
                self.to_pet(fake_mri), pet
            )
        if "identity" in self.weights:
            terms["identity"] = l1_loss(self.to_pet(pet), pet) + l1_loss(self.to_mri(mri), mri)
        if "l1" in self.weights:
            terms["l1"] = l1_loss(fake_pet, pet) + l1_loss(fake_mri, mri)
        return terms


def _weights(losses: Mapping[str, Any]) -> dict[str, float]:
    unknown = set(losses) - set(TERMS)
    if unknown:
        raise InputError(
            f"losses.{min(unknown)}: the cycle_gan recipe has no such loss; it has "
            f"{', '.join(TERMS)}"
        )
    for name in ("adversarial", "cycle"):
        if name not in losses:
            raise InputError(f"losses: the cycle_gan recipe needs a weight for `{name}`")
    return {name: float(weight) for name, weight in losses.items() if float(weight) > 0}
