"""Checking one DICOM series before it is converted.

dcm2niix converts what it is given: it fills a missing slice by interpolation, splits a folder
of several series, and so on. The checks here look at the headers before, so that what comes out
is one whole volume or a plain reason why not.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mri2pet.conversion.series_slices import Slice, read_slices, stacks
from mri2pet.conversion.slice_geometry import WITHIN_MM, stack_affine
from mri2pet.errors import ScanError

log = logging.getLogger(__name__)

SPACING_TOLERANCE = 0.1  # of the slice spacing; a larger gap is a missing slice


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
        A file is damaged, several series are mixed, or slices are missing, doubled, not equally
        spaced or slanted.
    """
    return sorted({entry.path for entry in checked_slices(files, modality)})


def checked_slices(files: Sequence[Path], modality: str) -> list[Slice]:
    """Check files as `check_series`, and return what their headers say, copies left out."""
    folder = files[0].parent if files else Path()
    slices, seen = [], set()
    for path in files:
        found, uid = read_slices(path)
        if found and uid in seen:
            log.info("%s is a copy of another file of the series: passed over", path)
            continue
        seen.add(uid)
        slices += found
    if not slices:
        raise ScanError(f"no DICOM file in {folder}")
    _check_one_series(slices, folder)
    _check_slices(slices, modality, folder)
    return slices


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
    levels = stacks(slices)
    if len(levels) < 3:
        raise ScanError(f"only {len(levels)} slice positions in {folder}: not a volume")
    ends = [[entry.number for entry in level] for level in (levels[0], levels[-1])]
    if None not in ends[0] + ends[1] and min(ends[0]) > min(ends[1]):
        levels.reverse()  # count slices as the scanner does
    normal = np.cross(axes[0, :3], axes[0, 3:])
    _check_spacing(np.array([level[0].position for level in levels]) @ normal, folder)
    _check_repeats(levels, modality, folder)
    _check_ends(levels, folder)
    stack_affine(slices, folder)


def _check_spacing(heights: np.ndarray, folder: Path) -> None:
    gaps = np.abs(np.diff(heights))
    spacing = float(np.median(gaps))
    steps = np.rint(gaps / spacing).astype(int)
    rounding = min(2 * WITHIN_MM, 0.4 * spacing)  # of two positions; their line is judged later
    uneven = np.abs(gaps - steps * spacing) > max(SPACING_TOLERANCE * spacing, rounding)
    if (uneven | (steps == 0)).any():
        raise ScanError(
            f"slices are not equally spaced in {folder}: {gaps.min():.2f} to {gaps.max():.2f} mm"
        )
    total = int(steps.sum()) + 1
    places = np.concatenate([[1], 1 + np.cumsum(steps)])
    missing = sorted(set(range(1, total + 1)) - set(places.tolist()))
    if missing:
        _raise_missing(missing, total, folder)


def _check_repeats(levels: Sequence[Sequence[Slice]], modality: str, folder: Path) -> None:
    """Check that each slice is there once, or in PET once a time frame."""
    counts = [len(level) for level in levels]
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


def _check_ends(levels: Sequence[Sequence[Slice]], folder: Path) -> None:
    """Find slices missing at either end, where only their numbers or a declared count can tell.

    A count half as large again or more speaks of something else, say of all volumes of a session.
    """
    found = len(levels)
    numbers = [level[0].number for level in levels if len(level) == 1]
    there = range(1, found + 1)
    if len(numbers) == found and None not in numbers:
        run = range(numbers[0], numbers[0] + found)
        there = run if numbers == list(run) else there
    total = max(there[-1], levels[0][0].declared or 0)
    if found < total < 1.5 * found:
        _raise_missing(sorted(set(range(1, total + 1)) - set(there)), total, folder)


def _raise_missing(missing: Sequence[int], total: int, folder: Path) -> None:
    if len(missing) == 1:
        raise ScanError(f"slice {missing[0]} of {total} is missing in {folder}")
    listed = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
    raise ScanError(f"slices {listed} of {total} are missing in {folder}")
