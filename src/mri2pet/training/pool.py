"""Earlier synthetic images, shown to a discriminator among the new ones (Shrivastava 2017)."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mri2pet.datasets.parts import Parts
from mri2pet.models.blocks import memory_format_of
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
        self._known: int | None = None  # what `filled` holds: each question waits for a GPU

    def draw(self, count: int) -> Tensor:
        """Decide what happens to the next images, on the host.

        Returns
        -------
        Tensor
            (count, 3) whole numbers: a place in the pool, whether its image is shown instead of
            the new one, and whether the new one is put there.
        """
        if self._known is None:
            self._known = int(self.filled)
        size, decisions = len(self.volumes), []
        for _ in range(count):
            if self._known < size:
                decisions.append((self._known, False, True))
                self._known += 1
            elif size and torch.rand(()) < 0.5:
                decisions.append((int(torch.randint(size, ())), True, True))
            else:
                decisions.append((0, False, False))
        self.filled.fill_(self._known)
        return torch.tensor(decisions).to(self.volumes.device)

    @torch.no_grad()
    def exchange(self, new: Tensor, drawn: Tensor | None = None) -> Tensor:
        """Return as many images as come, (B, C, X, Y[, Z]).

        Parameters
        ----------
        new
            Images.
        drawn
            What `draw` decided on them; None to let it decide. No value of it is asked for here,
            so that the exchange can be part of a CUDA graph.
        """
        if not len(self.volumes):
            return new.detach()
        if drawn is None:
            drawn = self.draw(len(new))
        shown = []
        for volume, (place, from_pool, kept) in zip(
            new.detach().float(), drawn.unbind(), strict=True
        ):
            there = self.volumes.index_select(0, place[None])
            shown.append(torch.where(from_pool.bool(), there[0], volume))
            self.volumes.index_copy_(0, place[None], torch.where(kept.bool(), volume, there))
        return torch.stack(shown).contiguous(memory_format=memory_format_of(new))

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self._known = None


def draw_pools(batch: Mapping[str, Any], **pools: ImagePool) -> Mapping[str, Any]:
    """Return a batch with `pools`, what each pool decides on it, if it has none."""
    if "pools" in batch:
        return batch
    count = len(batch["source"])
    return {**batch, "pools": {name: pool.draw(count) for name, pool in pools.items()}}


def make_pool(config: Mapping[str, Any], pairs: Pairs) -> ImagePool:
    """Make the pool of a model's entry: `pool` images of what its networks see of the pairs."""
    size, whole = int(config.get("pool", POOL)), tuple(pairs.mask.shape)
    parts = Parts.of(config)
    return (
        ImagePool(size, whole)
        if parts is None
        else ImagePool(size, parts.sides(whole), parts.channels)
    )
