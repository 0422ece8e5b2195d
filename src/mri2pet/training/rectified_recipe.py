"""A regression and a flow that goes on from it, trained at once: posterior-mean rectified flow."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mri2pet.errors import InputError
from mri2pet.models.rectified_flow import RectifiedFlow
from mri2pet.training.data import Pairs
from mri2pet.training.gan import Regression
from mri2pet.training.recipe import Batch, as_measured, detached
from mri2pet.training.settings import Precision, TrainingSettings


class RectifiedFlowRecipe(Regression):
    """Each step: the mean PET on the synthesis loss, the velocity on the squared error of its own.

    In the paper the mean is trained first. Here both take every step, and no gradient of the flow
    reaches the mean: so both end at a learning rate of zero, and a step is the same from the first
    to the last. With `l2` the mean is that of the PET given the MRI; with `l1` its median. The two
    networks share no weight, so that no weight between their losses matters to Adam.

    Parameters
    ----------
    config
        A model's entry: `generator`, a `rectified_flow`, and `losses`, of the mean PET.
    settings
        Its `training` block.
    pairs
        For mask and atlas.

    Raises
    ------
    InputError
        For another generator.
    """

    generator: RectifiedFlow

    def __init__(self, config: Mapping[str, Any], settings: TrainingSettings, pairs: Pairs) -> None:
        super().__init__(config, settings, pairs)
        if not isinstance(self.generator, RectifiedFlow):
            raise InputError("the rectified_flow recipe trains a generator 'rectified_flow' alone")

    def step(self, batch: Batch, precision: Precision) -> dict[str, Tensor]:
        """Take one step of both networks."""
        mri, pet, generator = batch["source"], batch["target"], self.generator
        mask = batch.get("mask", self.mask)  # parts come with theirs
        with precision.autocast():
            mean = generator.mean(mri)
            # Beyond the brain and in gaps the flow is to end at the mean, wherever that is: what it
            # passes there is then the same in training and at synthesis.
            start, known = mean.detach(), mask & batch.get("seen", mask)
            found, wanted = generator.matching(mri, torch.where(known, pet, start), start)
        total, terms = self.loss(as_measured(mean * mask, pet, batch), pet)
        squares = (found - wanted).square()
        seen = batch.get("seen")  # in no step a size that depends on it: a step may be recorded
        flow = squares.mean() if seen is None else (squares * seen).sum() / seen.sum()
        total = total + flow
        precision.step(total, self.optimisers["generator"])
        precision.end_batch()
        return detached({"generator": total, **terms, "flow": flow})
