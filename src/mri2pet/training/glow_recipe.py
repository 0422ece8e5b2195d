"""Two flows and the relation of their codes, trained on likelihood: part D4 of DUAL-GLOW."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.optim import Adamax

from mri2pet.errors import InputError
from mri2pet.models.dual_glow import DualGlow, objective
from mri2pet.models.registry import build
from mri2pet.training.data import Pairs
from mri2pet.training.recipe import Batch, Recipe, detached
from mri2pet.training.settings import Precision, TrainingSettings

TERMS = ("mri", "side")
START = 8  # volumes that set the activation norms


class DualGlowRecipe(Recipe):
    """DUAL-GLOW trained on eq. 12, or with side information on eq. 16, by AdaMax.

    Before the first step, some volumes of the training set drawn by the seed set the activation
    norms: one batch is little for that where a batch is one volume, as in the paper.

    Parameters
    ----------
    config
        A model's entry: `generator`, a `dual_glow`; `losses`: `mri` (the paper's lambda, default
        .001) and `side` (weight of each classifier's loss, default .01);
        `initialisation_batch`, default 8.
    settings
        Its `training` block.
    pairs
        For the voxels' statistics, if the generator standardises, and for the activation norms.

    Raises
    ------
    InputError
        For another generator, a loss that this recipe does not have, side information that is
        missing, or precision fp16, whose range the likelihood of an empty background exceeds.
    """

    begun: Tensor
    start_mri: Tensor
    start_pet: Tensor

    def __init__(self, config: Mapping[str, Any], settings: TrainingSettings, pairs: Pairs) -> None:
        super().__init__()
        if settings.precision == "fp16":
            raise InputError("training.precision: fp16 has too small a range for a flow; use bf16")
        self.weights = _weights(config["losses"])
        generator = build(config["generator"])
        if not isinstance(generator, DualGlow):
            raise InputError("the dual_glow recipe trains a generator 'dual_glow' alone")
        if generator.side is not None and pairs.side is None:
            raise InputError("the generator takes side information, and the pairs have none")
        self.generator: DualGlow = generator
        self.target = generator.fit_norms(pairs.source, pairs.target, pairs.side, pairs.people)
        count = len(pairs.source)
        chosen = torch.randperm(count)[: int(config.get("initialisation_batch", START))]
        self.start_side = pairs.side and {name: v[chosen] for name, v in pairs.side.items()}
        self.register_buffer("start_mri", pairs.source[chosen], persistent=False)
        self.register_buffer("start_pet", self.target[chosen], persistent=False)
        self.register_buffer("begun", torch.tensor(False))  # in checkpoints
        self.known = False  # spares a GPU the question of the buffer at every step
        steps = math.ceil(count / min(settings.batch_size, count))
        beta2 = 1 - 1 / steps if settings.beta2 is None else settings.beta2
        group = {"params": list(generator.parameters()), "share": 1.0}
        adamax = Adamax([group], lr=settings.learning_rate, betas=(settings.beta1, beta2))
        self.optimisers = {"generator": adamax}

    def learnt_from(self, pairs: Pairs) -> Pairs:
        """Return the pairs, their targets moved where the generator has a `told_mean`."""
        return replace(pairs, target=self.target)

    def step(self, batch: Batch, precision: Precision) -> dict[str, Tensor]:
        """Take one step on the likelihood of a batch of pairs."""
        self.begin(precision)
        with precision.autocast():
            terms = self.generator.losses(batch["source"], batch["target"], batch.get("side"))
        total = objective(terms, **self.weights)
        precision.step(total, self.optimisers["generator"])
        precision.end_batch()
        return detached({"objective": total, **terms})

    def begin(self, precision: Precision) -> None:
        """Set the activation norms, once in a training: on the device, since that takes time."""
        if self.known or self.begun:
            self.known = True
            return
        place, side = self.start_mri.device, self.start_side
        if side is not None:
            side = {name: values.to(place) for name, values in side.items()}
        with precision.autocast():
            self.generator.initialise(self.start_mri, self.start_pet, side)
        self.begun.fill_(True)


def _weights(losses: Mapping[str, Any]) -> dict[str, float]:
    unknown = set(losses) - set(TERMS)
    if unknown:
        raise InputError(f"losses.{min(unknown)}: the dual_glow recipe knows {', '.join(TERMS)}")
    return {name: float(weight) for name, weight in losses.items()}
