"""The forms in which PASTA and SiM2P keep their data, in HDF5: where a volume of the kit lies.

Learnt from the two projects' own descriptions and readers (github.com/ai-med/PASTA, its README and
`src/datasets/dataset.py`; github.com/Yiiitong/SiM2P, its README and `datasets/mri2pet.py`).

Both keep `train.h5`, `valid.h5` and `test.h5`; a group a scan, with `MRI/T1/data`, `PET/FDG/data`,
`tabular`, and the attribute `DX`; and a group `stats` with names, mean and deviation of `tabular`.
Both write `<name>[_<diagnosis>]_syn_pet.nii.gz`, on a grid that they have cut or scaled.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mri2pet.errors import InputError

AGE, SEX = "AGE", "GENDER"  # of `tabular`: what the kit knows; all else is not a number
DIAGNOSES = {"CN": "CN", "SMC": "CN", "MCI": "MCI", "EMCI": "MCI", "LMCI": "MCI", "AD": "Dementia"}

Array = np.ndarray
Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Form:
    """How one project keeps a volume.

    Attributes
    ----------
    tabular
        Names of the values of `tabular`, in order.
    shape
        Of the arrays that it is given.
    kept
        The middle of these that its network sees.
    times
        A voxel of the kit is written as so many along each axis.
    scaled
        Whether the network's grid may have another number of voxels over what is kept.
    """

    tabular: tuple[str, ...]
    shape: Shape
    kept: Shape
    times: int
    scaled: bool

    def write(self, volume: Array, middle: Array) -> Array:
        """Put a volume of the kit into the middle of what the project is given.

        Parameters
        ----------
        volume
            (X, Y, Z).
        middle
            Voxel of it that is to lie in the middle, as `middle_of` gives it.

        Returns
        -------
        (`shape`) float32, zero around the volume. Each voxel is repeated, none interpolated.
        """
        made = np.zeros(self.shape, np.float32)
        ours, theirs = self._places(volume.shape, middle)
        block = volume[ours]
        for axis in range(3):
            block = np.repeat(block, self.times, axis=axis)
        made[theirs] = block
        return made

    def read(self, made: Array, shape: Shape, middle: Array) -> Array:
        """Take a volume of the kit out of what the project has made.

        Parameters
        ----------
        made
            (`kept`), or on the network's grid where that is scaled.
        shape, middle
            Of the kit's grid; as for `write`.

        Returns
        -------
        (`shape`) float32: the volume that, written and scaled as the project does, is nearest to
        what it made, by least squares. So what `write` has put there comes back as it was.

        Raises
        ------
        InputError
            The project makes no volume of such a shape, or one with fewer voxels than the kit.
        """
        if made.ndim != 3 or (made.shape != self.kept and not self.scaled):
            raise InputError(f"has {made.shape} voxels, and the project makes {self.kept}")
        ours, theirs = self._places(shape, middle)
        block = np.asarray(made, float)
        for axis in range(3):
            length = ours[axis].stop - ours[axis].start
            if made.shape[axis] < length:
                raise InputError(f"has {made.shape} voxels, fewer than the kit's {length} a side")
            start = theirs[axis].start - self._first(axis)
            seen = _areas(made.shape[axis], self.kept[axis])
            held = seen[:, start : start + self.times * length]
            forward = held.reshape(made.shape[axis], length, self.times).sum(axis=2)
            block = np.moveaxis(np.tensordot(_inverse(forward), block, (1, axis)), 0, axis)
        whole = np.zeros(shape, np.float32)
        whole[ours] = block
        return whole

    def holds(self, mask: Array, middle: Array) -> bool:
        """Tell whether the network sees the whole mask."""
        ours, theirs = self._places(mask.shape, middle)
        inside = np.zeros(mask.shape, bool)
        inside[ours] = True
        seen = [
            theirs[axis].start >= self._first(axis)
            and theirs[axis].stop <= self._first(axis) + self.kept[axis]
            for axis in range(3)
        ]
        return all(seen) and not mask[~inside].any()

    def _first(self, axis: int) -> int:
        """Return the first index that is kept: of an odd rest the larger half is cut before."""
        return -(-(self.shape[axis] - self.kept[axis]) // 2)

    def _places(self, shape: Shape, middle: Array) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        """Return the part of the kit's grid that is kept, and where it lies in `shape`."""
        ours, theirs = [], []
        for axis, size in enumerate(shape):
            room = self.kept[axis] // self.times
            start = min(max(int(middle[axis]) - room // 2, 0), max(size - room, 0))
            length = min(room, size)
            place = self._first(axis) + (room - length) // 2 * self.times
            ours.append(slice(start, start + length))
            theirs.append(slice(place, place + length * self.times))
        return tuple(ours), tuple(theirs)


COGNITION = ("EDUCATION", "MMSE", "ADAS13", "APOE4")
FORMS: Mapping[str, Form] = {
    # 113x137x113, of which slices and planes of 96x112x96 are kept
    "pasta": Form((AGE, SEX, *COGNITION), (113, 137, 113), (96, 112, 96), times=1, scaled=False),
    # 112x112x112, scaled to the network's grid, 80x80x80 unless it is told otherwise
    "sim2p": Form(
        (
            *(AGE, SEX, "EDUCATION", "CSFVol", "TotalGrayVol", "CorticalWhiteMatterVol"),
            *("Left-Hippocampus", "Right-Hippocampus", "rh_entorhinal_thickness"),
            *("lh_entorhinal_thickness", "APOE4", "MMSE", "ADAS13"),
        ),
        *((112, 112, 112), (112, 112, 112)),
        times=2,
        scaled=True,
    ),
}


def middle_of(mask: Array) -> Array:
    """Return the voxel (3,) in the middle of the box around a mask (X, Y, Z).

    Raises
    ------
    InputError
        If the mask is empty.
    """
    held = np.argwhere(mask)
    if not len(held):
        raise InputError("the brain mask is empty; make the kit again")
    return (held.min(axis=0) + held.max(axis=0) + 1) // 2


def diagnosis_of(group: str) -> str:
    """Return what both projects call a group of the kit.

    Raises
    ------
    InputError
        They know no such group.
    """
    if group not in DIAGNOSES:
        raise InputError(
            f"group {group}: PASTA and SiM2P know {', '.join(DIAGNOSES)}; leave the group out, or "
            "name it so in `groups` of the study"
        )
    return DIAGNOSES[group]


def _areas(made: int, given: int) -> Array:
    """Return the matrix (made, given) of a scaling by areas: means of the voxels that one covers.

    As torch's adaptive pooling, by which SiM2P scales: a voxel covered in part counts whole.
    """
    first = np.arange(made) * given // made
    last = -(-(np.arange(made) + 1) * given // made)
    place = np.arange(given)
    covered = ((place >= first[:, None]) & (place < last[:, None])).astype(float)
    return covered / covered.sum(axis=1, keepdims=True)


def _inverse(forward: Array) -> Array:
    """Return the least-squares inverse of a matrix, to the last digit where columns stand apart."""
    squares = forward.T @ forward
    sizes = np.diag(squares)
    if np.count_nonzero(squares) == len(sizes):
        return forward.T / sizes[:, None]
    return np.linalg.pinv(forward)
