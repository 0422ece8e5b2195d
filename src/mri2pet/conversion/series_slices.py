"""Reading the headers of a DICOM series: one `Slice` for each frame of each file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mri2pet.conversion.transfer_syntax import DEFLATED, check_syntax, damage_told, read_dicom
from mri2pet.errors import ScanError

TAGS = (
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "SeriesNumber",
    "PatientID",
    "Modality",
    "InstanceNumber",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "Rows",
    "Columns",
    "ImagesInAcquisition",
    "NumberOfSlices",
    "NumberOfTimeSlices",
    "NumberOfFrames",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)
_PLACES = ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence")
SAME_MM = 0.1  # slices closer along their normal are frames of one place
_UNDEFINED_LENGTH = 0xFFFFFFFF
_DICOMDIR = "1.2.840.10008.1.3.10"  # a table of contents, as on a CD


@dataclass(frozen=True)
class Slice:
    """One frame of one file: where it lies (mm, DICOM patient coordinates) and its number.

    `patient` is there to be compared; it is never written anywhere.

    Attributes
    ----------
    orientation
        Direction cosines: along a row, then down a column.
    spacing
        Distance of rows and of columns, mm; None where the header has none.
    size
        Rows and columns.
    frame
        Place in its file, from 0.
    syntax
        UID of the file's transfer syntax.
    """

    path: Path
    series: str
    patient: str
    position: tuple[float, float, float]
    orientation: tuple[float, ...]
    number: int | None
    declared: int | None
    spacing: tuple[float, float] | None = None
    size: tuple[int, int] = (0, 0)
    frame: int = 0
    syntax: str | None = None


def read_slices(path: Path) -> tuple[list[Slice], str]:
    """Read one file's header; nothing from a file that neither is nor claims to be DICOM.

    Returns
    -------
    slices : list of Slice
        One, or many of an enhanced multi-frame file.
    uid : str
        SOP Instance UID.

    Raises
    ------
    ScanError
        The file is damaged, cut short, in a transfer syntax that is not read, or lacks a place.
    """
    from pydicom.errors import InvalidDicomError

    try:
        with damage_told(path), open(path, "rb") as handle:
            header = read_dicom(handle, stop_before_pixels=True, specific_tags=list(TAGS))
            if header.file_meta.get("MediaStorageSOPClassUID") == _DICOMDIR:
                return [], ""
            check_syntax(path, header.file_meta.get("TransferSyntaxUID"))
            _check_length(path, handle, header)
            return _frames(path, header), str(header.SOPInstanceUID)
    except InvalidDicomError as error:
        if path.suffix.lower() in (".dcm", ".ima"):
            raise ScanError(f"{path}: not a DICOM file") from error
        return [], ""


def _check_length(path: Path, handle, header) -> None:
    """Compare the file's size with the length its pixel data claim."""
    syntax = header.file_meta.get("TransferSyntaxUID")
    if syntax is None or syntax == DEFLATED:
        return
    start = handle.read(12)
    order = "little" if syntax.is_little_endian else "big"
    if len(start) < 8:
        raise ScanError(f"{path}: truncated: it has no pixel data")
    implicit = syntax.is_implicit_VR
    length = int.from_bytes(start[4:8] if implicit else start[8:12], order)
    there = path.stat().st_size - handle.tell() + (4 if implicit else 0)
    if length != _UNDEFINED_LENGTH and there < length:
        raise ScanError(f"{path}: truncated: {there} of {length} bytes of pixel data")


def _frames(path: Path, header) -> list[Slice]:
    """List the slices of a file: one, or many in an enhanced multi-frame file."""
    if "SOPInstanceUID" not in header or "SeriesInstanceUID" not in header:
        raise ScanError(f"{path}: DICOM file without SOP or series UID")
    label = f"series {header.get('SeriesNumber', '?')} ({header.get('Modality', '?')})"
    declared = header.get("NumberOfSlices") or header.get("ImagesInAcquisition")
    number = header.get("InstanceNumber")
    told = {
        "path": path,
        "series": f"{header.SeriesInstanceUID}\n{label}",
        "patient": str(header.get("PatientID", "")),
        "syntax": header.file_meta.get("TransferSyntaxUID"),
        "size": (int(header.get("Rows") or 0), int(header.get("Columns") or 0)),
    }
    if "PerFrameFunctionalGroupsSequence" not in header:
        told["declared"] = int(declared) if declared else None
        told["number"] = int(number) if number is not None else None
        return [_slice(told, header, header, header)]
    shared = header.get("SharedFunctionalGroupsSequence") or [None]
    slices = []
    for index, group in enumerate(header.PerFrameFunctionalGroupsSequence):
        places = [
            next((part[name][0] for part in (group, shared[0]) if part and name in part), None)
            for name in _PLACES
        ]
        mine = {"number": index + 1, "declared": None, "frame": index}
        slices.append(_slice(told | mine, *places))
    return slices


def _slice(told: dict, position, orientation, measures) -> Slice:
    path = told["path"]
    place = position.get("ImagePositionPatient") if position is not None else None
    axes = orientation.get("ImageOrientationPatient") if orientation is not None else None
    spacing = measures.get("PixelSpacing") if measures is not None else None
    if place is None or axes is None or len(place) != 3 or len(axes) != 6:
        raise ScanError(f"{path}: no slice position or orientation in the DICOM header")
    place, axes = tuple(map(float, place)), tuple(map(float, axes))
    across, down = np.reshape(axes, (2, 3))
    skew = np.abs([across @ across - 1, down @ down - 1, across @ down])
    if not np.isfinite([*place, *axes]).all() or skew.max() > 0.01:
        raise ScanError(f"{path}: slice position or orientation in the DICOM header is none")
    if spacing is not None:
        spacing = tuple(float(value) for value in np.atleast_1d(spacing))
        if len(spacing) != 2 or not all(0 < value < float("inf") for value in spacing):
            raise ScanError(f"{path}: pixel spacing in the DICOM header is none")
    return Slice(**told, position=place, orientation=axes, spacing=spacing)


def stacks(slices: Sequence[Slice]) -> list[list[Slice]]:
    """Group slices by their height along the normal of the first, lowest first.

    Each group holds the time frames of one place, ordered by number.
    """
    axes = np.array(slices[0].orientation)
    heights = np.array([entry.position for entry in slices]) @ np.cross(axes[:3], axes[3:])
    groups: list[list[Slice]] = []
    floor = -np.inf
    for place in np.argsort(heights, kind="stable"):
        if heights[place] - floor > SAME_MM:
            groups.append([])
            floor = heights[place]
        groups[-1].append(slices[place])
    return [sorted(group, key=lambda entry: (entry.number or 0, entry.path)) for group in groups]


def renumbered(slices: Sequence[Slice]) -> dict[Path, int]:
    """Return a number for each file where the files' own do not follow their places.

    dcm2niix loses slices of such a series. Nothing is returned where the numbers rise or fall from
    level to level, and for time frames and multi-frame files, which it takes as they are.
    """
    levels = stacks(slices)
    if any(len(level) > 1 for level in levels) or len({entry.path for entry in slices}) == 1:
        return {}
    numbers = [level[0].number for level in levels]
    if None not in numbers and numbers in (sorted(set(numbers)), sorted(set(numbers))[::-1]):
        return {}
    return {level[0].path: place for place, level in enumerate(levels, start=1)}
