"""Unit dissection: which region each feature map of a generator's global path singles out.

After GAN dissection (Bau et al. 2018) and network dissection (Bau et al. 2017). A unit is one
feature map of one residual block of one fold's generator. Its values over all brain voxels of all
held-out visits are cut at a quantile, and the voxels beyond the cut are compared with each region
of the atlas: IoU = |beyond & region| / |beyond or region|, summed over the visits. The high side
are the voxels where a unit is on, the low side those where it is off.

The published quantile, the top 0.5%, suits objects of one size. AAL regions hold 0.02 to 2% of
the brain: a set of 0.5% could never reach an IoU above 0.25 with the largest nor above 0.05 with
the smallest. So by default (`top="region"`) a unit is cut, for each region, where the set beyond
is as large as the region: every region can reach 1, and no quantile is picked after the fact.

Maps are smooth, and a unit's best region is chosen among many, so that an IoU is above that of
random voxels even where it means nothing. What a unit of this smoothness reaches by chance is
shown by the same atlas put wrong: turned front to back, upside down, or both, inside the brain's
bounding box (left to right would put each region on its own counterpart). Sizes, shapes and the
number of regions to choose from stay as they are.

Maps are streamed twice, one visit and one block at a time: first for the range of each unit and
its mean in each region, then for a histogram by region, from which every cut is read. Counts are
integers, so neither the order of the visits nor the device changes them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mri2pet.errors import InputError
from mri2pet.models.conv import layout_of

BINS = 1024  # of a unit's range: the size of the set beyond a cut is exact but for one bin
CHUNK = 16  # units whose histograms are counted at once


@dataclass(frozen=True)
class Brain:
    """The voxels that count and the region of each.

    Attributes
    ----------
    where
        (V,) places in the flattened volume.
    labels
        (1 + 3, V) region 1 to `n_regions`, 0 for brain outside all regions: of the atlas, and of
        the atlas turned in three ways. A region of which less than half stays inside the brain
        when turned is left out there.
    averaging
        (V, n_regions) weights that make a map's mean in each region; NaN for one without a voxel.
    """

    where: Tensor
    labels: Tensor
    averaging: Tensor

    @classmethod
    def of(cls, atlas: NDArray, mask: NDArray, n_regions: int, device: str | torch.device) -> Self:
        """Take the voxels of `mask` (X, Y, Z) bool, labelled by `atlas` (X, Y, Z)."""
        where = np.flatnonzero(mask)
        atlas = np.where(mask, atlas, 0).astype(np.int64)
        sizes = np.bincount(atlas.ravel(), minlength=n_regions + 1)
        labels = [atlas.ravel()[where]]
        for turned in turned_atlases(atlas, mask):
            inside = turned.ravel()[where]
            left = np.bincount(inside, minlength=n_regions + 1)
            labels.append(np.where(2 * left[inside] >= sizes[inside], inside, 0))
        one_hot = labels[0][:, None] == np.arange(1, n_regions + 1)
        with np.errstate(invalid="ignore"):
            averaging = (one_hot / one_hot.sum(0)).astype(np.float32)
        return cls(*(torch.from_numpy(a).to(device) for a in (where, np.stack(labels), averaging)))

    @property
    def n_regions(self) -> int:
        """Regions of the atlas."""
        return self.averaging.shape[1]

    def pick(self, maps: Tensor) -> Tensor:
        """Return (C, V) float32 of maps (C, X, Y, Z)."""
        return maps.reshape(len(maps), -1)[:, self.where].float()


def turned_atlases(atlas: NDArray, mask: NDArray) -> list[NDArray]:
    """Turn labels front to back, upside down and both, inside the bounding box of the mask."""
    box = tuple(slice(places.min(), places.max() + 1) for places in np.nonzero(mask))
    turned = []
    for axes in ((1,), (2,), (1, 2)):
        labels = np.zeros_like(atlas)
        labels[box] = np.flip(atlas[box], axes)
        turned.append(labels)
    return turned


@dataclass(frozen=True)
class Layer:
    """What was counted of the units of one layer.

    Attributes
    ----------
    counts
        (1 + 3, C, n_regions + 1, BINS) int32 voxels of all visits by unit, region and bin of the
        unit's range; the atlas first, then the turned ones.
    means
        (N, C, n_regions) mean of each visit's map in each region.
    constant
        (C,) units with one value everywhere, which single out nothing.
    """

    counts: NDArray
    means: NDArray
    constant: NDArray


def global_path(generator: nn.Module) -> nn.Sequential:
    """Return a generator's global path; raise `InputError` if it has none."""
    path = getattr(generator, "global_path", None)
    if not isinstance(path, nn.Sequential):
        raise InputError(
            "gla_gan.interpretation.model: this generator has no global path to dissect; name a "
            "model whose generator is gla_gan, with its global path"
        )
    return path


@torch.inference_mode()
def feature_maps(path: nn.Sequential, mri: NDArray, device: str | torch.device) -> Iterator[Tensor]:
    """Yield (B, C, X, Y, Z) of MRIs (B, X, Y, Z) themselves, as layer 0, and of each block in turn.

    The blocks of a path run one after the other, so that running them here gives what a forward
    hook would see, and one block's maps alone are held at a time.
    """
    maps = torch.tensor(mri, dtype=torch.float32, device=device)[:, None]
    maps = maps.contiguous(memory_format=layout_of(path, maps.device))
    yield maps
    for block in path:
        maps = block(maps)
        yield maps


def unit_maps(path: nn.Sequential, mri: NDArray, units: Sequence[tuple[int, int]]) -> list[NDArray]:
    """Return the maps (B, X, Y, Z) of some units, each a layer and a number, of MRIs (B, X, Y, Z).

    One block's maps alone are held at a time.
    """
    found: dict[tuple[int, int], NDArray] = {}
    for layer, maps in enumerate(feature_maps(path, mri, "cpu")):
        found |= {unit: maps[:, unit[1]].float().numpy() for unit in units if unit[0] == layer}
    return [found[unit] for unit in units]


def dissect(path: nn.Sequential, mri: Sequence[NDArray], brain: Brain) -> list[Layer]:
    """Count the units of every block of a path over visits; layer 0 is the MRI itself.

    Parameters
    ----------
    path
        Residual blocks, in evaluation mode, on the device of `brain`.
    mri
        N volumes (X, Y, Z), 0 to 1; may be views of a memory-mapped file.
    brain
        Voxels and their regions.
    """
    device = brain.where.device
    path = path.to(device).to(memory_format=layout_of(path, device))

    def stream() -> Iterator[tuple[int, Tensor]]:
        # Two at once: on a CPU, torch leaves its fast convolutions for a single volume.
        for rows in np.array_split(np.arange(len(mri)), max(1, len(mri) // 2)):
            volumes = np.stack([mri[i] for i in rows])
            for number, batch in enumerate(feature_maps(path, volumes, device)):
                for maps in batch:
                    yield number, brain.pick(maps)

    ranges: list[tuple[Tensor, Tensor]] = []
    means: list[list[Tensor]] = []
    for number, values in stream():
        low, high = values.aminmax(dim=1)
        if number == len(ranges):
            ranges.append((low, high))
            means.append([])
        else:
            lowest, highest = ranges[number]
            ranges[number] = (torch.minimum(lowest, low), torch.maximum(highest, high))
        means[number].append((values @ brain.averaging).cpu())
    counts: list[Tensor] = []
    for number, values in stream():
        if number == len(counts):
            shape = (len(brain.labels), len(values), brain.n_regions + 1, BINS)
            counts.append(torch.zeros(shape, dtype=torch.int32, device=device))
        add_counts(counts[number], values, *ranges[number], brain.labels)
    return [
        Layer(
            count.cpu().numpy(),
            torch.stack(mean).numpy(),
            (high <= low).cpu().numpy(),
        )
        for count, mean, (low, high) in zip(counts, means, ranges, strict=True)
    ]


def add_counts(counts: Tensor, values: Tensor, low: Tensor, high: Tensor, labels: Tensor) -> None:
    """Add the voxels of one visit to histograms, in place.

    Parameters
    ----------
    counts
        (A, C, regions + 1, bins) int32.
    values
        (C, V).
    low, high
        (C,) range of each unit over all visits.
    labels
        (A, V) regions, of A atlases.
    """
    _, _, n_labels, bins = counts.shape
    span = torch.where(high > low, high - low, 1.0)
    for start in range(0, len(values), CHUNK):
        rows = slice(start, start + CHUNK)
        scaled = (values[rows] - low[rows, None]) / span[rows, None] * bins
        place = scaled.long().clamp_(0, bins - 1)
        place += torch.arange(len(place), device=place.device)[:, None] * (n_labels * bins)
        size = len(place) * n_labels * bins
        for atlas, regions in enumerate(labels):
            found = torch.bincount((place + regions * bins).ravel(), minlength=size)
            counts[atlas, rows] += found.reshape(-1, n_labels, bins)
