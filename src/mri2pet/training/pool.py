"""Earlier synthetic images, shown to a discriminator among the new ones (Shrivastava 2017)."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mri2pet.models.blocks import memory_format_of
from mri2pet.parts import Parts
from mri2pet.training.data import Pairs

POOL = 50  # images, as in Cycle-GAN


class ImagePool(nn.Module):
    """A number of earlier images; in a new training it is empty.

    Until it is full, it keeps and returns what comes. Then each image is, with even odds,
    returned itself or exchanged for one of the pool. The pool is part of the state, and draws
    from torch's random state, so that a resumed training sees the same images.

    Parameters
    ----------
    size
        Images kept; 0 returns what comes.
    shape
        Of one volume (X, Y, Z), patch or slice (X, Y).
    channels
        Of one image.
    """

    def __init__(self, size: int, shape: tuple[int, ...], channels: int = 1) -> None:
        super().__init__()
        self.register_buffer("volumes", torch.zeros(size, channels, *shape))
        self.register_buffer("filled", torch.tensor(0))

    @torch.no_grad()
    def exchange(self, new: Tensor) -> Tensor:
        """Return as many images as come, (B, C, X, Y[, Z])."""
        size = len(self.volumes)
        if not size:
            return new.detach()
        shown, filled = [], int(self.filled)  # asked once: each question waits for a GPU
        for volume in new.detach().float():
            if filled < size:
                self.volumes[filled] = volume
                filled += 1
                shown.append(volume)
            elif torch.rand(()) < 0.5:
                place = int(torch.randint(size, ()))
                shown.append(self.volumes[place].clone())
                self.volumes[place] = volume
            else:
                shown.append(volume)
        self.filled.fill_(filled)
        return torch.stack(shown).contiguous(memory_format=memory_format_of(new))


def make_pool(config: Mapping[str, Any], pairs: Pairs) -> ImagePool:
    """Make the pool of a model's entry: `pool` images of what its networks see of the pairs."""
    size, whole = int(config.get("pool", POOL)), tuple(pairs.mask.shape)
    parts = Parts.of(config)
    return (
        ImagePool(size, whole)
        if parts is None
        else ImagePool(size, parts.sides(whole), parts.channels)
    )
