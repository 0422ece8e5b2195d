"""Training batches whose MRI are a little brighter or darker each time they are shown."""

from collections.abc import Iterator
from typing import Any

import torch

from mri2pet.training.data import seed_from
from mri2pet.training.loop import Batches


class Jittered:
    """Batches of which each source is multiplied by a factor of its own, about one.

    The intensity of an MRI has no unit, and a few people show few of the scales that it can have:
    a network that has seen each of them at many learns from contrast and shape. The usual
    augmentation of intensities (nnU-Net, Isensee 2021), without its noise and blur.

    Parameters
    ----------
    plain
        What is multiplied; `source` of its batches is (B, ...).
    sd
        Of the factor, which is normal about one.
    seed
        Factors follow from it and the epoch alone, so that any epoch can be resumed.
    channels
        So many of the source's first channels are multiplied: maps behind an MRI have a unit.
        None: all.
    """

    def __init__(self, plain: Batches, sd: float, seed: int, channels: int | None = None) -> None:
        self.plain, self.sd, self.seed, self.channels = plain, sd, seed, channels

    def __len__(self) -> int:
        return len(self.plain)

    def epoch(self, epoch: int) -> Iterator[dict[str, Any]]:
        """Yield one epoch's batches; all but the source as it was."""
        generator = torch.Generator().manual_seed(seed_from(self.seed, "jitter", epoch))
        for batch in self.plain.epoch(epoch):
            source = batch["source"]
            ones = [1] * (source.ndim - 2)
            factor = torch.ones(*source.shape[:2], *ones)
            drawn = torch.randn(len(source), 1, *ones, generator=generator)
            factor[:, : self.channels] = 1 + self.sd * drawn
            yield {**batch, "source": source * factor.to(source.device)}
