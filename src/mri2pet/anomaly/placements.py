"""Places that a lesion could have had: its mask moved over grey matter, and mirrored."""

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChanceSettings:
    """Where lesions are moved to.

    Attributes
    ----------
    places
        Places of each lesion; fewer where it does not fit in so many.
    grey
        Least part of a moved lesion that lies in grey matter; of a lesion that has less at its
        own place, as much as there.
    """

    places: int = 1000
    grey: float = 0.5


@dataclass(frozen=True)
class Places:
    """A lesion's voxels (n, 3) as they are and mirrored, and the shifts (P, 3) of each."""

    plain: NDArray[np.int64]
    mirrored: NDArray[np.int64]
    plain_shifts: NDArray[np.int64]
    mirrored_shifts: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of places."""
        return len(self.plain_shifts) + len(self.mirrored_shifts)

    def parts(self) -> tuple[tuple[NDArray, NDArray], tuple[NDArray, NDArray]]:
        """Return voxels and shifts of the lesion as it is, and of the mirrored one."""
        return (self.plain, self.plain_shifts), (self.mirrored, self.mirrored_shifts)


def places(
    lesion: NDArray,
    brain: NDArray,
    grey: NDArray,
    settings: ChanceSettings,
    rng: np.random.Generator,
    apart: NDArray | None = None,
) -> Places:
    """Draw places for a lesion among all those where it fits.

    A place is a rigid shift by whole voxels of the mask as it is, or mirrored left to right. All of
    the mask stays in the brain, and enough of it in grey matter. Every place that fits is as likely
    as any other, and none is drawn twice.

    Parameters
    ----------
    lesion
        (X, Y, Z) bool, with a voxel at least; the first axis goes from left to right.
    brain, grey
        (X, Y, Z) bool.
    settings
        How many, and how much in grey matter.
    rng
        What draws.
    apart
        (X, Y, Z) bool: places that touch it are left out. None: none are.
    """
    voxels = np.argwhere(lesion)
    flipped = np.argwhere(lesion[::-1])
    inside = grey & brain
    needed = min(settings.grey, float(inside[lesion].mean()))
    fits = [_fitting(own, brain, inside, needed, apart) for own in (voxels, flipped)]
    all_shifts = np.concatenate(fits)
    if len(all_shifts) < settings.places:
        log.info("a lesion of %d voxels fits in %d places", len(voxels), len(all_shifts))
    chosen = rng.permutation(len(all_shifts))[: settings.places]
    plain = chosen[chosen < len(fits[0])]
    mirrored = chosen[chosen >= len(fits[0])]
    return Places(voxels, flipped, all_shifts[plain], all_shifts[mirrored])


def _fitting(
    voxels: NDArray, brain: NDArray, grey: NDArray, needed: float, apart: NDArray | None
) -> NDArray[np.int64]:
    """Return all shifts (P, 3) by which a lesion stays in the brain, grey enough, and apart."""
    from scipy.signal import fftconvolve

    low = voxels.min(axis=0)
    kernel = np.zeros(voxels.max(axis=0) - low + 1, np.float32)
    kernel[tuple((voxels - low).T)] = 1
    kernel = kernel[::-1, ::-1, ::-1]

    def count(where: NDArray) -> NDArray:
        """Count the lesion's voxels in a region, by the place of its box's first corner."""
        return np.rint(fftconvolve(where.astype(np.float32), kernel, mode="valid"))

    good = count(brain) == len(voxels)
    good &= count(grey) >= needed * len(voxels) - 1e-6
    if apart is not None:
        good &= count(apart) == 0
    return np.argwhere(good) - low
