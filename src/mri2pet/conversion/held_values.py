"""The values of a converted volume, held against stored value times slope of every slice.

dcm2niix takes slopes that differ by less than about 1e-7 for equal, whatever their size.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mri2pet.conversion.series_slices import Slice, stacks
from mri2pet.conversion.slice_geometry import Turn
from mri2pet.conversion.stored_values import Reader, counts_factor, scalings, value_reader
from mri2pet.conversion.transfer_syntax import READABLE, damage_told, read_dicom
from mri2pet.errors import ScanError

log = logging.getLogger(__name__)

WITHIN = 1e-4  # of a value
_FLOOR = 1e-6  # of the largest value of the slice: nearer to zero all is rounding
_ALIKE = 0.999  # correlation of two slices that show the same


def values_right(
    image: Any, slices: Sequence[Slice], turn: Turn | None, modality: str, folder: Path
) -> bool:
    """Tell whether every converted slice has the series' values.

    Parameters
    ----------
    image
        nibabel image of the volume that was made.
    slices
        Of `checked_slices`.
    turn
        How the volume stores the series; None if it does not hold its slices.
    modality
        `MRI`, whose values may be the stored ones in another unit, or `PET`.
    folder
        What error messages call the series.

    Raises
    ------
    ScanError
        They cannot be read beside the converted ones, and those may be wrong.
    """
    if not np.issubdtype(image.get_data_dtype(), np.number):
        return True  # colours: no scan, which the caller finds
    if not {entry.syntax for entry in slices} <= {None, *READABLE}:
        _trust(image, slices, turn, modality, folder)
        return True
    if turn is None:
        return False
    read = value_reader(modality)
    order = _frame_order(image, slices, turn, read, folder)

    def pairs() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for data, frame in zip(_frames(image, turn), order, strict=True):
            for level, entries in enumerate(stacks(slices)):
                wanted = read(entries[frame]).T
                if data.shape[:2] != wanted.shape:
                    raise ScanError(f"{folder}: {entries[frame].path.name} is of another shape")
                yield data[:, :, level], wanted

    return all(_close(*pair) for pair in pairs()) or (modality == "MRI" and _one_line(pairs()))


def _close(made: np.ndarray, wanted: np.ndarray) -> bool:
    floor = _FLOOR * np.abs(wanted).max()
    return bool((np.abs(made - wanted) <= WITHIN * np.abs(wanted) + floor).all())


def _one_line(pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> bool:
    """Tell whether one rising line carries the stored values of all slices to the made ones.

    It may miss them by `WITHIN` of their spread.
    """
    sums = np.zeros(6)
    for y, x in pairs:
        sums += [x.size, x.sum(), y.sum(), (x * x).sum(), (x * y).sum(), (y * y).sum()]
    n, x, y, xx, xy, yy = sums
    across, both, along = xx - x * x / n, xy - x * y / n, yy - y * y / n
    return bool(both > 0 and along - both * both / across <= WITHIN**2 * along)


def _frames(image: Any, turn: Turn) -> Iterator[np.ndarray]:
    """Yield the time frames of a volume one by one, float64, axes as the series'."""
    shape = image.shape[:3]
    for frame in range(int(np.prod(image.shape[3:]))):
        data = image.dataobj[..., frame] if image.ndim > 3 else image.dataobj
        yield turn.undo(np.asarray(data, np.float64).reshape(shape))


def _frame_order(
    image: Any, slices: Sequence[Slice], turn: Turn, read: Reader, folder: Path
) -> list[int]:
    """Find which of the series' time frames each frame of the volume is, by what it shows."""
    levels = stacks(slices)
    count = len(levels[0])
    if count == 1:
        return [0]
    middle = len(levels) // 2
    made = [data[:, :, middle] for data in _frames(image, turn)]
    wanted = [read(entry).T for entry in levels[middle]]
    if all(_alike(*pair) for pair in zip(made, wanted, strict=True)):
        return list(range(count))
    order: list[int] = []
    for one in made:
        left = [place for place in range(count) if place not in order]
        order += [place for place in left if _alike(one, wanted[place])][:1]
    if len(order) < count:
        raise ScanError(f"{folder}: the converted time frames are not the series'")
    return order


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether two slices show the same, whatever their scaling."""
    one, other = one - one.mean(), other - other.mean()
    size = np.sqrt((one**2).sum() * (other**2).sum())
    if size == 0:
        return not one.any() and not other.any()
    return bool((one * other).sum() >= _ALIKE * size)


def _trust(
    image: Any, slices: Sequence[Slice], turn: Turn | None, modality: str, folder: Path
) -> None:
    """Accept values that cannot be read beside the converter's, if nothing speaks against them."""
    why = None
    if turn is None:
        why = f"the converted volume, of shape {image.shape}, does not hold its slices"
    elif modality == "PET":
        whole = np.issubdtype(image.get_data_dtype(), np.integer)
        with damage_told(slices[0].path):
            factor, _ = counts_factor(folder, read_dicom(slices[0].path, stop_before_pixels=True))
        if factor != 1 or (len(scalings(slices)) > 1 and whole):
            why = "its scaling, slice by slice, is lost in the conversion"
    if why:
        raise ScanError(f"{folder}: {why}; save the series without compression and try again")
    log.info("%s: voxels in a JPEG syntax are not compared with the converted ones", folder)


def rewrite_values(
    volume: Path,
    slices: Sequence[Slice],
    turn: Turn | None,
    modality: str,
    folder: Path,
) -> None:
    """Write the series' own values into a volume, float32.

    Parameters
    ----------
    volume
        NIfTI, not compressed; it is replaced, time frames in the order that it has them.
    slices, modality, folder
        As `values_right`.
    turn
        How it stores the series; None: as the series does, columns, rows and levels.

    Raises
    ------
    ScanError
        There is no turn for a volume of several time frames.
    """
    import nibabel as nib

    image = nib.load(volume)
    levels, read = stacks(slices), value_reader(modality)
    columns, rows = slices[0].size[::-1]
    count = len(levels[0])
    order = list(range(count))
    if count > 1:
        if turn is None:
            raise ScanError(f"{folder}: the converted volume does not hold its time frames")
        order = _frame_order(image, slices, turn, read, folder)
    turn = turn or Turn(np.eye(4))
    header = nib.Nifti1Header()
    kept = np.abs(turn.matrix[:3, :3]).T @ [columns, rows, len(levels)]
    header.set_data_shape([*kept.astype(int), *([count] if count > 1 else [])])
    header.set_data_dtype(np.float32)
    header["vox_offset"] = 352
    partial = volume.with_suffix(".part")
    with partial.open("wb") as target:
        header.write_to(target)
        target.write(bytes(352 - target.tell()))
        for frame in order:
            data = np.empty(tuple(kept.astype(int)), np.float32)
            view = turn.undo(data)
            for level, entries in enumerate(levels):
                view[:, :, level] = read(entries[frame]).T
            target.write(data.tobytes(order="F"))
    partial.replace(volume)
