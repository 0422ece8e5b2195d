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

    As in the paper, the mean can be trained first: `start` names a model with a U-Net, which then
    stays as it is while the velocity is learnt, and `losses` are told in the history alone. Without
    `start` both take every step, and no gradient of the flow reaches the mean: so both end at a
    learning rate of zero. With `l2` the mean is that of the PET given the MRI; with `l1` its
    median. The two networks share no weight, so that no weight between their losses matters to
    Adam.

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

    def go_on_from(self, start: Mapping[str, Tensor]) -> None:
        """Take a regression's U-Net as the mean from now on, or go on from another such flow."""
        if any(name.startswith("generator.velocity.") for name in start):
            super().go_on_from(start)
            return
        inside = "generator."
        mean = {name.removeprefix(inside): v for name, v in start.items() if inside in name}
        self.generator.mean.load_state_dict(mean)
        self.generator.fix_mean()

    def step(self, batch: Batch, precision: Precision) -> dict[str, Tensor]:
        """Take one step of both networks, or of the velocity's alone."""
        mri, pet, generator = batch["source"], batch["target"], self.generator
        mask = batch.get("mask", self.mask)  # parts come with theirs
        with precision.autocast():
            with torch.set_grad_enabled(not generator.mean_is_fixed):
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
