"""Conditional variational autoencoder (Sohn 2015): the recipe of DUAL-GLOW's C-VAE, part D7."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mri2pet.errors import InputError
from mri2pet.models.relation import Gaussian, draw_code
from mri2pet.training.data import Pairs
from mri2pet.training.gan import Regression
from mri2pet.training.recipe import Batch, adam, as_measured, detached
from mri2pet.training.settings import Precision, TrainingSettings


def divergence(posterior: Gaussian, prior: Gaussian) -> Tensor:
    """Return KL(posterior || prior) of diagonal Gaussians in nats, (B,).

    Parameters
    ----------
    posterior, prior
        Mean and log sigma, (B, code, x, y, z) each.
    """
    (mean, log_sigma), (prior_mean, prior_log_sigma) = posterior, prior
    ratio = (2 * (log_sigma - prior_log_sigma)).exp()
    distance = (mean - prior_mean) * (-prior_log_sigma).exp()
    terms = prior_log_sigma - log_sigma + (ratio + distance.square() - 1) / 2
    return terms.flatten(1).sum(dim=1)


class ConditionalVae(Regression):
    """A generator that decodes a code, beside a network that recognises it in the real PET.

    Each batch: a code is drawn from q(code | MRI, PET), the generator makes the PET of MRI and
    code, and the loss is the synthesis loss plus the divergence of q from the prior of the MRI.
    Divided by the number of voxels and with L1 of weight 1, that is the negative evidence lower
    bound of a Laplace likelihood whose scale is the weight `kl`; with L2 of weight 1, of a
    Gaussian one whose variance is half that weight. At synthesis the code is the prior's mean.

    Parameters
    ----------
    config
        A model's entry: `generator` (one that makes its recognition network), `losses` with `kl`.
    settings
        Its `training` block.
    pairs
        For mask and atlas.

    Raises
    ------
    InputError
        Without a weight for `kl`, or for a generator without recognition network.
    """

    def __init__(self, config: Mapping[str, Any], settings: TrainingSettings, pairs: Pairs) -> None:
        losses = dict(config["losses"])
        if "kl" not in losses:
            raise InputError("losses: the cvae recipe needs a weight for `kl`")
        weight = float(losses.pop("kl"))
        super().__init__({**config, "losses": losses}, settings, pairs)
        if not hasattr(self.generator, "make_recognition"):
            name = config["generator"].get("name")
            raise InputError(f"generator: {name} has no recognition network, which cvae trains")
        self.kl_weight = weight
        self.recognition = self.generator.make_recognition()
        self.optimisers = {"generator": adam([self.generator, self.recognition], settings)}

    def step(self, batch: Batch, precision: Precision) -> dict[str, Tensor]:
        """Take one step of generator and recognition network together."""
        mri, pet = batch["source"], batch["target"]
        with precision.autocast():
            posterior = self.recognition(mri, pet)
            code = draw_code(*posterior, temperature=1.0, generator=None)
            fake, prior = self.generator.reconstruct(mri, code)
        total, terms = self.loss(as_measured(fake * self.mask, pet, batch), pet)
        with torch.autocast(mri.device.type, enabled=False):
            kl = divergence(posterior, prior).mean() / self.mask.numel()
        total = total + self.kl_weight * kl
        precision.step(total, self.optimisers["generator"])
        precision.end_batch()
        return detached({"generator": total, **terms, "kl": kl})
