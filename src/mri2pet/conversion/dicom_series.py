"""Checking one DICOM series before it is converted.

dcm2niix converts what it is given: it fills a missing slice by interpolation, splits a folder
of several series, and so on. The checks here look at the headers before, so that what comes out
is one whole volume or a plain reason why not.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mri2pet.errors import ScanError
from mri2pet.machine_faults import check_machine

log = logging.getLogger(__name__)

TAGS = (
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "SeriesNumber",
    "PatientID",
    "Modality",
    "InstanceNumber",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "ImagesInAcquisition",
    "NumberOfSlices",
    "NumberOfTimeSlices",
    "NumberOfFrames",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)
SPACING_TOLERANCE = 0.1  # of the slice spacing; scanners round positions
_UNDEFINED_LENGTH = 0xFFFFFFFF
_DICOMDIR = "1.2.840.10008.1.3.10"  # a table of contents, as on a CD


@dataclass(frozen=True)
class Slice:
    """One frame of one file: where it lies (mm, DICOM patient coordinates) and its number.

    `patient` is there to be compared; it is never written anywhere.
    """

    path: Path
    series: str
    patient: str
    position: tuple[float, float, float]
    orientation: tuple[float, ...]
    number: int | None
    declared: int | None


def check_series(files: Sequence[Path], modality: str) -> list[Path]:
    """Check that the files are one whole series.

    Parameters
    ----------
    files
        Files of one image; those that are not DICOM and do not claim to be are passed over.
    modality
        `MRI` (each slice exactly once) or `PET` (each slice once a time frame).

    Returns
    -------
    list of Path
        The files to convert, exact copies left out.

    Raises
    ------
    ScanError
        A file is damaged, several series are mixed, or slices are missing, doubled or not
        equally spaced.
    """
    folder = files[0].parent if files else Path()
    slices, seen = [], set()
    for path in files:
        found, uid = _read(path)
        if found and uid in seen:
            log.info("%s is a copy of another file of the series: passed over", path)
            continue
        seen.add(uid)
        slices += found
    if not slices:
        raise ScanError(f"no DICOM file in {folder}")
    _check_one_series(slices, folder)
    _check_slices(slices, modality, folder)
    return sorted({entry.path for entry in slices})


def _read(path: Path) -> tuple[list[Slice], str]:
    """Read one file's header; nothing from a file that neither is nor claims to be DICOM."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    try:
        with open(path, "rb") as handle:
            header = pydicom.dcmread(handle, stop_before_pixels=True, specific_tags=list(TAGS))
            if header.file_meta.get("MediaStorageSOPClassUID") == _DICOMDIR:
                return [], ""
            _check_length(path, handle, header)
        return _frames(path, header), str(header.SOPInstanceUID)
    except InvalidDicomError as error:
        if path.suffix.lower() in (".dcm", ".ima"):
            raise ScanError(f"{path}: not a DICOM file") from error
        return [], ""
    except (ScanError, MemoryError):
        raise
    except Exception as error:  # pydicom raises whatever the damage leads to
        check_machine(error, path)
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ScanError(f"{path}: damaged DICOM file ({reason})") from error


def _check_length(path: Path, handle, header) -> None:
    """Compare the file's size with the length its pixel data claim."""
    syntax = header.file_meta.get("TransferSyntaxUID")
    if syntax is None or syntax.is_deflated:
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
    series = f"{header.SeriesInstanceUID}\n{label}"
    declared = header.get("NumberOfSlices") or header.get("ImagesInAcquisition")
    declared = int(declared) if declared else None
    number = header.get("InstanceNumber")
    number = int(number) if number is not None else None
    patient = str(header.get("PatientID", ""))
    if "PerFrameFunctionalGroupsSequence" not in header:
        return [_slice(path, series, patient, header, header, number, declared)]
    shared = header.get("SharedFunctionalGroupsSequence") or [None]
    slices = []
    for index, group in enumerate(header.PerFrameFunctionalGroupsSequence, start=1):
        places = [
            next((part[name][0] for part in (group, shared[0]) if part and name in part), None)
            for name in ("PlanePositionSequence", "PlaneOrientationSequence")
        ]
        slices.append(_slice(path, series, patient, *places, index, None))
    return slices


def _slice(path: Path, series: str, patient: str, position, orientation, number, declared) -> Slice:
    place = position.get("ImagePositionPatient") if position is not None else None
    axes = orientation.get("ImageOrientationPatient") if orientation is not None else None
    if place is None or axes is None or len(place) != 3 or len(axes) != 6:
        raise ScanError(f"{path}: no slice position or orientation in the DICOM header")
    place, axes = tuple(map(float, place)), tuple(map(float, axes))
    across, down = np.reshape(axes, (2, 3))
    skew = np.abs([across @ across - 1, down @ down - 1, across @ down])
    if not np.isfinite([*place, *axes]).all() or skew.max() > 0.01:
        raise ScanError(f"{path}: slice position or orientation in the DICOM header is none")
    return Slice(path, series, patient, place, axes, number, declared)


def _check_one_series(slices: Sequence[Slice], folder: Path) -> None:
    patients = len({entry.patient for entry in slices})
    if patients > 1:
        raise ScanError(f"slices of {patients} patients are mixed in {folder}")
    counts = Counter(entry.series for entry in slices)
    if len(counts) > 1:
        listed = ", ".join(
            f"{series.partition(chr(10))[2]}: {count} slices" for series, count in counts.items()
        )
        raise ScanError(f"{len(counts)} series are mixed in {folder}: {listed}")


def _check_slices(slices: Sequence[Slice], modality: str, folder: Path) -> None:
    """Check that slices are parallel, equally spaced and each there as often as the others."""
    axes = np.array([entry.orientation for entry in slices])
    if np.abs(axes - axes[0]).max() > 1e-3:
        raise ScanError(f"slices are not parallel in {folder}: a localiser?")
    normal = np.cross(axes[0, :3], axes[0, 3:])
    heights = np.array([entry.position for entry in slices]) @ normal
    at_height: dict[float, list[Slice]] = defaultdict(list)
    for height, entry in zip(np.round(heights, 2), slices, strict=True):
        at_height[float(height)].append(entry)
    levels = sorted(at_height)
    if len(levels) < 3:
        raise ScanError(f"only {len(levels)} slice positions in {folder}: not a volume")
    ends = [[entry.number for entry in at_height[level]] for level in (levels[0], levels[-1])]
    if None not in ends[0] + ends[1] and min(ends[0]) > min(ends[1]):
        levels.reverse()  # count slices as the scanner does
    _check_spacing(np.array(levels), folder)
    stacks = [at_height[level] for level in levels]
    _check_repeats(stacks, modality, folder)
    _check_ends(stacks, folder)


def _check_spacing(levels: np.ndarray, folder: Path) -> None:
    gaps = np.abs(np.diff(levels))
    spacing = float(np.median(gaps))
    steps = np.rint(gaps / spacing).astype(int)
    uneven = np.abs(gaps - steps * spacing) > max(SPACING_TOLERANCE * spacing, 0.02)
    if (uneven | (steps == 0)).any():
        raise ScanError(
            f"slices are not equally spaced in {folder}: {gaps.min():.2f} to {gaps.max():.2f} mm"
        )
    total = int(steps.sum()) + 1
    places = np.concatenate([[1], 1 + np.cumsum(steps)])
    missing = sorted(set(range(1, total + 1)) - set(places.tolist()))
    if missing:
        _raise_missing(missing, total, folder)


def _check_repeats(stacks: Sequence[Sequence[Slice]], modality: str, folder: Path) -> None:
    """Check that each slice is there once, or in PET once a time frame."""
    counts = [len(stack) for stack in stacks]
    frames = max(counts)
    if frames > 1 and modality == "MRI":
        place = counts.index(frames) + 1
        raise ScanError(f"slice {place} of {len(counts)} is there {frames} times in {folder}")
    short = [place for place, count in enumerate(counts, start=1) if count < frames]
    if short:
        raise ScanError(
            f"slice {short[0]} of {len(counts)} has {counts[short[0] - 1]} of {frames} time frames "
            f"in {folder}"
        )


def _check_ends(stacks: Sequence[Sequence[Slice]], folder: Path) -> None:
    """Find slices missing at either end, where only their numbers or a declared count can tell.

    A count half as large again or more speaks of something else, say of all volumes of a session.
    """
    found = len(stacks)
    numbers = [stack[0].number for stack in stacks if len(stack) == 1]
    there = range(1, found + 1)
    if len(numbers) == found and None not in numbers:
        run = range(numbers[0], numbers[0] + found)
        there = run if numbers == list(run) else there
    total = max(there[-1], stacks[0][0].declared or 0)
    if found < total < 1.5 * found:
        _raise_missing(sorted(set(range(1, total + 1)) - set(there)), total, folder)


def _raise_missing(missing: Sequence[int], total: int, folder: Path) -> None:
    if len(missing) == 1:
        raise ScanError(f"slice {missing[0]} of {total} is missing in {folder}")
    listed = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
    raise ScanError(f"slices {listed} of {total} are missing in {folder}")
