"""What a DICOM series stores: voxels times slope plus intercept, read slice by slice.

A scanner may scale every slice in its own way. Philips' PET in counts has, besides, a factor of its
own to activity or to SUV.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mri2pet.conversion.series_slices import Slice
from mri2pet.conversion.transfer_syntax import damage_told, read_dicom
from mri2pet.errors import ScanError

Reader = Callable[[Slice], np.ndarray]
_PHILIPS = "Philips PET Private Group"
_FACTORS = ((0x09, "Bq/mL"), (0x00, "g/mL"))  # (7053,1009) activity, (7053,1000) SUV by weight


def value_reader(modality: str) -> Reader:
    """Return a function from a slice to its values (rows, columns), float64.

    It raises `ScanError` where the voxels are damaged, and where the PET is in counts that nothing
    turns into activity.
    """

    @lru_cache(maxsize=1)  # slices of an enhanced file come one after the other
    def opened(path: Path) -> tuple[Any, np.ndarray]:
        with damage_told(path):
            data = read_dicom(path)
            return data, data.pixel_array

    def read(entry: Slice) -> np.ndarray:
        data, voxels = opened(entry.path)
        with damage_told(entry.path):
            slope, intercept = scaling(data, entry.frame)
            factor = counts_factor(entry.path, data)[0] if modality == "PET" else 1.0
        if "PerFrameFunctionalGroupsSequence" in data and voxels.ndim == 3:
            voxels = voxels[entry.frame]
        return (voxels * slope + intercept) * factor

    return read


def scaling(data: Any, frame: int) -> tuple[float, float]:
    """Return slope and intercept of a frame; 1 and 0 where the header has none."""
    places = [data]
    if "PerFrameFunctionalGroupsSequence" in data:
        shared = data.get("SharedFunctionalGroupsSequence") or []
        groups = [data.PerFrameFunctionalGroupsSequence[frame], *shared[:1]]
        name = "PixelValueTransformationSequence"
        places = [group[name][0] for group in groups if name in group] + places
    for place in places:
        if "RescaleSlope" in place:
            slope, intercept = place.RescaleSlope, place.get("RescaleIntercept")
            return float(slope if slope is not None else 1), float(intercept or 0)
    return 1.0, 0.0


def counts_factor(path: Path, data: Any) -> tuple[float, str | None]:
    """Return what the values of a PET are to be multiplied by, and the unit that this gives.

    Returns
    -------
    factor : float
        1 but for a Philips PET in counts.
    unit : str or None
        `Bq/mL` or `g/mL`, as BIDS writes them; None where the header's own unit stands.

    Raises
    ------
    ScanError
        A Philips PET in counts has no factor.
    """
    maker = str(data.get("Manufacturer") or "").lower()
    if str(data.get("Units") or "").upper() != "CNTS" or "philips" not in maker:
        return 1.0, None
    try:
        block = data.private_block(0x7053, _PHILIPS)
    except KeyError:
        block = None
    for element, unit in _FACTORS:
        if block is not None and element in block:
            factor = _number(block[element].value)
            if factor > 0:
                return factor, unit
    raise ScanError(
        f"{path}: a PET in counts without Philips' factors to activity (7053,1009) or SUV "
        "(7053,1000); export it again with its private fields, or in Bq/mL"
    )


def _number(value: Any) -> float:
    """Read a decimal string, also where its field came as bytes of an unknown kind."""
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
    try:
        number = float(text.strip(" \0"))
    except ValueError:
        return 0.0
    return number if np.isfinite(number) else 0.0


def scalings(slices: Sequence[Slice]) -> set[tuple[float, float]]:
    """Return the different slopes and intercepts of a series, from its headers alone."""
    found = set()
    for entry in slices:
        with damage_told(entry.path):
            header = read_dicom(entry.path, stop_before_pixels=True)
            found.add(scaling(header, entry.frame))
    return found
