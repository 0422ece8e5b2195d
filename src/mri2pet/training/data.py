"""Training volumes held in memory, and batches of them."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from mri2pet.datasets.brain_box import brain_box
from mri2pet.datasets.gaps import filled, mean_of_seen, read_seen
from mri2pet.errors import InputError

if TYPE_CHECKING:
    from mri2pet.models.side import SideInformation


def seed_from(*parts: object) -> int:
    """Derive a seed of 63 bits from anything printable, e.g. seed, model and fold."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def shuffled(
    total: int, batch: int, seed: int, epoch: int, count: int | None = None
) -> tuple[Tensor, ...]:
    """Return the numbers of each batch of an epoch, by seed and epoch alone.

    Parameters
    ----------
    total
        Things there are.
    batch
        Of them in a batch; the last batch is filled up from the epoch's start.
    seed, epoch
        Of the order: any epoch can be resumed.
    count
        Of them in an epoch; None for all.
    """
    generator = torch.Generator().manual_seed(seed_from(seed, epoch))
    order = torch.randperm(total, generator=generator)[:count]
    batches = -(-len(order) // batch)
    return torch.cat([order, order])[: batches * batch].split(batch)


@dataclass(frozen=True)
class Pairs:
    """What a model is given of training visits, and what it is to make: MRI and PET, mostly.

    Attributes
    ----------
    source, target
        (N, 1, X, Y, Z) float32, MRI and PET from 0 to 1; the target is zero outside the mask.
        Where a model is shown more than the MRI, the source has a channel for each map.
        Where a PET has not measured the brain, it is the mean of those pairs that have.
    mask
        (X, Y, Z) bool.
    atlas
        (X, Y, Z) uint8, 0 where no region is.
    side
        (N,) of each attribute of side information, as `SideInformation.tensors` gives them; None
        for a model that takes none.
    seen
        (N, 1, X, Y, Z) bool, false where the target is not measured; None where all of it is.
    people
        (N,) int64, whose visits they are; None: each of another person.
    """

    source: Tensor
    target: Tensor
    mask: Tensor
    atlas: Tensor
    side: Mapping[str, Tensor] | None = None
    seen: Tensor | None = None
    people: Tensor | None = None

    def digest(self) -> str:
        """Hash of all that is learnt from, to know a checkpoint of other data."""
        hasher = hashlib.sha256()
        parts = (self.source, self.target, self.mask, self.atlas, self.seen)
        for tensor in (part for part in parts if part is not None):
            hasher.update(np.ascontiguousarray(tensor.numpy()))
        for name, values in sorted((self.side or {}).items()):
            hasher.update(name.encode() + values.numpy().tobytes())
        return hasher.hexdigest()


def load_pairs(
    source: str | Path | Sequence[str | Path],
    target: str | Path,
    mask: str | Path,
    atlas: str | Path | None,
    rows: pd.DataFrame,
    crop: int = 0,
    side: "SideInformation | None" = None,
    seen: str | Path | None = None,
) -> Pairs:
    """Read the rows' volumes, and no other's, from the dataset's memory-mapped arrays.

    Parameters
    ----------
    source, target
        Arrays (all visits, X, Y, Z); of several sources each is a channel.
    mask, atlas
        Arrays (X, Y, Z); a dataset may have no atlas.
    rows
        Of the dataset's visits table; `index` is the row in the arrays.
    crop
        Keep the box around the brain alone, in multiples of so many voxels (`box.brain_box`).
    side
        Side information to read from the rows' columns `age`, `sex` and `group`.
    seen
        Array (all visits, X, Y, Z) bool, where the target is measured; nothing if it all is.

    Raises
    ------
    InputError
        If a volume holds a value that is not finite, or a sex or group is not known.
    """
    brain = np.load(mask).astype(bool)
    box = brain_box(brain, crop)
    sources = [source] if isinstance(source, str | Path) else source
    volumes = {}
    for name, paths in (("source", sources), ("target", [target])):
        # One volume at a time: other visits' pages are never touched.
        arrays = [np.load(path, mmap_mode="r") for path in paths]
        read = [np.stack([array[i][box] for array in arrays]) for i in rows["index"]]
        volumes[name] = np.stack(read).astype(np.float32, copy=False)
        bad = np.argwhere(~np.isfinite(volumes[name]).all(axis=(2, 3, 4)))
        if len(bad):
            row, path = rows.iloc[int(bad[0, 0])], paths[bad[0, 1]]
            raise InputError(
                f"{path}: the volume of {row['subject']} {row['visit']} (row {row['index']}) holds "
                "values that are not finite; look at its preprocessing or exclude the visit"
            )
    gaps = read_seen(seen, rows["index"])
    if gaps is not None:
        gaps = np.stack([gaps[i][box] for i in rows["index"]])[:, None]
        mean = mean_of_seen(volumes["target"], gaps)
        volumes["target"] = filled(volumes["target"], gaps, mean)
    regions = np.load(atlas) if atlas else np.zeros(brain.shape, np.uint8)
    return Pairs(
        source=torch.from_numpy(volumes["source"]),
        target=torch.from_numpy(volumes["target"] * brain[box]),
        mask=torch.from_numpy(np.ascontiguousarray(brain[box])),
        atlas=torch.from_numpy(np.ascontiguousarray(regions[box])),
        side=None if side is None else side.tensors(rows),
        seen=None if gaps is None else torch.from_numpy(gaps | ~brain[box]),
        people=torch.from_numpy(pd.factorize(rows["subject"])[0]) if "subject" in rows else None,
    )


class PairBatches:
    """Batches of pairs, shuffled by seed and epoch alone, so that any epoch can be resumed.

    Parameters
    ----------
    pairs
        The training volumes; kept whole on `device`, since an epoch of 64^3 volumes is small.
    batch_size
        Pairs a batch. The last one of an epoch is filled up from the epoch's start: all batches
        are full, so batch norm never sees fewer volumes than configured.
    seed
        Of the shuffling.
    device
        Where the volumes stay.
    memory_format
        Of the volumes.
    """

    def __init__(
        self,
        pairs: Pairs,
        batch_size: int,
        seed: int,
        device: torch.device,
        memory_format: torch.memory_format = torch.contiguous_format,
    ) -> None:
        self.volumes = {"source": pairs.source.to(device), "target": pairs.target.to(device)}
        if pairs.seen is not None:
            self.volumes["seen"] = pairs.seen.to(device)
        self.side = {name: values.to(device) for name, values in (pairs.side or {}).items()}
        self.size = min(batch_size, len(pairs.source))
        self.seed = seed
        self.memory_format = memory_format

    def __len__(self) -> int:
        return -(-len(self.volumes["source"]) // self.size)

    def epoch(self, epoch: int) -> Iterator[dict[str, Any]]:
        """Yield one epoch's batches `{"source": (B, 1, X, Y, Z), "target": ...}`.

        Where the pairs have side information, also `{"side": {"age": (B,), ...}}`; where they
        have gaps, `{"seen": (B, 1, X, Y, Z)}`.
        """
        generator = torch.Generator().manual_seed(seed_from(self.seed, epoch))
        order = torch.randperm(len(self.volumes["source"]), generator=generator)
        order = torch.cat([order, order])[: len(self) * self.size].to(self.volumes["source"].device)
        for rows in order.split(self.size):
            batch: dict[str, Any] = {
                name: volumes[rows].contiguous(memory_format=self.memory_format)
                for name, volumes in self.volumes.items()
            }
            if self.side:
                batch["side"] = {name: values[rows] for name, values in self.side.items()}
            yield batch
