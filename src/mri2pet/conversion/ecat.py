"""ECAT 7 PET (.v), as scanners of CTI and Siemens write it, to NIfTI and what its headers say.

Readers agree on the sides of a person who lay head first and supine; of others, left and right are
not certain (docs/tools.md), and they are refused. Nothing that names a person or a day is kept.
"""

import logging
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from mri2pet.conversion.pet_agent import plausible_dose
from mri2pet.conversion.pet_required import plausible_injection
from mri2pet.errors import ScanError
from mri2pet.machine_faults import check_machine

log = logging.getLogger(__name__)

ENDING = ".v"
BLOCK = 512  # bytes
HEADER = 352  # bytes of a NIfTI before its voxels
VOLUMES = 7  # file type: volumes of 16 bits, or more
DATA_TYPES = {5: ">f4", 6: ">i2", 7: ">i4"}
SUPINE = 3
POSITIONS = (
    *("feet first, prone", "head first, prone", "feet first, supine", "head first, supine"),
    *("feet first, on the right side", "head first, on the right side"),
    *("feet first, on the left side", "head first, on the left side", "in an unknown position"),
)
CALIBRATED = 1
DELETED = (-1, 3)  # of a matrix
DECAY_CORRECTED, MEASURED, CALCULATED = 512, 2, 4  # bits of what was corrected
UNITS = re.compile(r"bq\s*/\s*(?:cc|ml|cm3)", re.I)
INSTEAD = "convert the scan to NIfTI or DICOM with software whose sides were checked, and give that"


@dataclass(frozen=True)
class EcatFrame:
    """Where the voxels of a frame begin in the file (bytes), and its subheader."""

    place: int
    header: np.void


def is_ecat(path: str | Path) -> bool:
    """Tell ECAT by a file's name."""
    return Path(path).name.lower().endswith(ENDING)


def convert_ecat(source: str | Path, folder: str | Path) -> tuple[Path, dict[str, Any]]:
    """Convert an ECAT 7 file to NIfTI, one frame after the other.

    Parameters
    ----------
    source
        The file.
    folder
        Where to write.

    Returns
    -------
    volume : Path
        NIfTI, float32, (X, Y, Z) or (X, Y, Z, frames) along RAS axes; the middle of the volume is
        the world's origin. Values have the scale of their frame, and that of the calibration if the
        header says that it holds.
    told : dict
        BIDS sidecar of what the headers say: times in seconds after the first frame's start.

    Raises
    ------
    ScanError
        It is no ECAT 7 or no volume; it is damaged, or of several beds or gates; or its header does
        not say that the person lay head first and supine.
    """
    path, label = Path(source), str(source)
    try:
        with path.open("rb") as file:
            main = _main_header(file, label)
            frames = _frames(file, main, path.stat().st_size, label)
            volume = Path(folder) / "ecat.nii"
            _write(volume, file, main, frames, label)
    except OSError as error:
        check_machine(error, label)
        raise ScanError(f"{label}: cannot be read to its end ({error.strerror})") from error
    return volume, _told(main, [frame.header for frame in frames], label)


def _main_header(file: IO[bytes], label: str) -> np.void:
    """Read the main header, and refuse what cannot be used."""
    from nibabel.ecat import hdr_dtype

    block = file.read(BLOCK)
    if not re.match(rb"MATRIX7\d", block):
        raise ScanError(
            f"{label}: is not ECAT 7, which begins with MATRIX7: ECAT 6 and other .v files are not "
            "read; convert it to NIfTI or DICOM, and give that"
        )
    if len(block) < BLOCK:
        raise _cut(label, "its header is cut short")
    main = np.frombuffer(block, np.dtype(hdr_dtype).newbyteorder(">"))[0]
    if (kind := int(main["file_type"])) != VOLUMES:
        raise ScanError(f"{label}: ECAT file type {kind} is no reconstructed volume ({VOLUMES})")
    position = int(main["patient_orientation"])
    if position != SUPINE:
        lay = POSITIONS[position] if position < len(POSITIONS) else POSITIONS[-1]
        raise ScanError(
            f"{label}: left and right are not certain: by its header (orientation {position}) the "
            f"person lay {lay}, and only {POSITIONS[SUPINE]} is certain; {INSTEAD}"
        )
    return main


def _frames(file: IO[bytes], main: np.void, size: int, label: str) -> list[EcatFrame]:
    """List the frames by number, each with as many voxels in the file as its subheader says."""
    from nibabel.ecat import subhdr_dtype

    matrices = sorted(_matrices(file, size, label), key=lambda row: row[0] & 0x1FF)
    numbers = [name & 0x1FF for name, _ in matrices]
    if len({name >> 9 for name, _ in matrices}) > 1 or len(set(numbers)) < len(numbers):
        raise ScanError(f"{label}: has several beds, gates or planes, not one volume a frame")
    announced = int(main["num_frames"])  # or the number of the last one, where others are not there
    if not numbers or announced not in (len(numbers), numbers[-1]):
        raise ScanError(f"{label}: announces {announced} frames and lists {len(numbers)}")
    frames = []
    layout = np.dtype(subhdr_dtype).newbyteorder(">")
    for number, block in matrices:
        file.seek((block - 1) * BLOCK)
        read = file.read(BLOCK)
        if len(read) < BLOCK:
            raise _cut(label, f"frame {number & 0x1FF} is not there")
        header = np.frombuffer(read, layout, count=1)[0]
        _check_frame(header, size - block * BLOCK, f"{label}: frame {number & 0x1FF}")
        frames.append(EcatFrame(block * BLOCK, header))
    if len({(_shape(each.header), _sizes(each.header)) for each in frames}) > 1:
        raise ScanError(f"{label}: its frames differ in shape or voxel size")
    return frames


def _matrices(file: IO[bytes], size: int, label: str) -> list[tuple[int, int]]:
    """Read the directory: number and first block of each matrix, counted from 1."""
    found: list[tuple[int, int]] = []
    block, seen = 2, {0, 1}
    while block not in seen:
        seen.add(block)
        if block < 0 or block * BLOCK > size:
            raise _cut(label, "its list of frames is not there")
        file.seek((block - 1) * BLOCK)
        rows = np.frombuffer(file.read(BLOCK), ">i4").reshape(-1, 4)
        block, used = int(rows[0, 1]), int(rows[0, 3])
        if not 0 <= used < len(rows):
            raise ScanError(f"{label}: its list of frames is damaged")
        found += [(int(r[0]), int(r[1])) for r in rows[1 : used + 1] if r[3] not in DELETED]
    if any(name <= 0 or not 2 < first <= size // BLOCK + 1 for name, first in found):
        raise _cut(label, "a frame lies outside of the file")
    return found


def _check_frame(header: np.void, there: int, label: str) -> None:
    """Refuse a subheader that describes no volume, or more than the file holds."""
    kind = int(header["data_type"])
    if kind not in DATA_TYPES:
        raise ScanError(f"{label}: data type {kind} is not read (only {sorted(DATA_TYPES)})")
    if not all(_above_zero(value) for value in (*_shape(header), *_sizes(header))):
        raise ScanError(f"{label}: shape {_shape(header)} and voxels of {_sizes(header)} mm")
    if not _above_zero(header["scale_factor"]):
        raise ScanError(f"{label}: its scale factor is {header['scale_factor']:g}")
    wanted = math.prod(_shape(header)) * np.dtype(DATA_TYPES[kind]).itemsize
    if wanted > there:
        raise _cut(label, f"it has {max(there, 0)} of {wanted} bytes of voxels")


def _write(
    volume: Path, file: IO[bytes], main: np.void, frames: list[EcatFrame], label: str
) -> None:
    """Write the frames, scaled and turned to RAS, to a NIfTI: one at a time is in memory."""
    from nibabel import Nifti1Header

    shape, sizes = _shape(frames[0].header), _sizes(frames[0].header)
    calibration = 1.0
    if main["calibration_unitS"] == CALIBRATED:
        calibration = float(main["ecat_calibration_factor"])
        if not _above_zero(calibration):
            raise ScanError(f"{label}: its calibration factor is {calibration:g}")
    header = Nifti1Header()
    header.set_data_dtype(np.float32)
    header.set_data_shape(shape if len(frames) == 1 else (*shape, len(frames)))
    header.set_xyzt_units("mm", "sec")
    affine = np.diag([*sizes, 1.0])
    affine[:3, 3] = -(np.array(shape) - 1) / 2 * sizes
    header.set_qform(affine, 1)
    header.set_sform(affine, 1)
    header["vox_offset"] = HEADER
    with volume.open("wb") as out:
        out.write(header.binaryblock + bytes(HEADER - len(header.binaryblock)))
        for frame in frames:
            file.seek(frame.place)
            kind = np.dtype(DATA_TYPES[int(frame.header["data_type"])])
            read = np.frombuffer(file.read(math.prod(shape) * kind.itemsize), kind)
            scaled = read.reshape(shape, order="F")[::-1, ::-1, ::-1].astype(np.float64)
            scaled *= float(frame.header["scale_factor"]) * calibration
            out.write(scaled.astype("<f4").tobytes(order="F"))


def _told(main: np.void, frames: list[np.void], label: str) -> dict[str, Any]:
    """Return what the headers say, in BIDS's words; what they leave blank stays out."""
    done = {int(each["corrections_applied"]) for each in frames}
    told: dict[str, Any] = {
        "Modality": "PT",
        "ScanStart": 0,
        "FrameTimesStart": [int(each["frame_start_time"]) / 1000 for each in frames],
        "FrameDuration": [int(each["frame_duration"]) / 1000 for each in frames],
        **_corrections(done.pop() if len(done) == 1 else 0),
    }
    agent = _text(main["radiopharmaceutical"]), re.sub(r"\W", "", _text(main["isotope_name"]))
    told |= {
        key: value
        for key, value in zip(("TracerName", "TracerRadionuclide"), agent, strict=True)
        if value
    }
    if main["calibration_unitS"] == CALIBRATED and UNITS.fullmatch(_text(main["data_units"])):
        told["Units"] = "Bq/mL"
    if _above_zero(main["isotope_halflife"]):
        told["RadionuclideHalfLife"] = float(main["isotope_halflife"])
    factors = [float(each["decay_corr_fctr"]) for each in frames]
    if all(map(_above_zero, factors)):
        told["DecayCorrectionFactor"] = factors
    dose = plausible_dose(float(main["dosage"]), label) if _above_zero(main["dosage"]) else None
    if dose is not None:
        told |= {"InjectedRadioactivity": dose, "InjectedRadioactivityUnits": "MBq"}
    times = [int(main[f"{event}_start_time"]) for event in ("dose", "scan")]
    injection = plausible_injection(times[0] - times[1]) if all(times) else None
    return told | ({} if injection is None else {"InjectionStart": injection})


def _corrections(bits: int) -> Mapping[str, Any]:
    """Return what the bits of a processing code say; none set says nothing."""
    if bits <= 0:
        return {}
    told: dict[str, Any] = {"ImageDecayCorrected": bool(bits & DECAY_CORRECTED)}
    if bits & (MEASURED | CALCULATED):
        told["AttenuationCorrection"] = "measured" if bits & MEASURED else "calculated"
    return told


def _shape(header: np.void) -> tuple[int, int, int]:
    return tuple(int(header[f"{axis}_dimension"]) for axis in "xyz")


def _sizes(header: np.void) -> tuple[float, float, float]:
    """Return the voxel's sides in mm; the file has cm."""
    return tuple(round(10 * float(header[f"{axis}_pixel_size"]), 6) for axis in "xyz")


def _text(value: bytes) -> str:
    return bytes(value).partition(b"\0")[0].decode("latin-1").strip()


def _above_zero(value: Any) -> bool:
    return bool(np.isfinite(value)) and value > 0


def _cut(label: str, what: str) -> ScanError:
    return ScanError(f"{label}: cannot be read to its end ({what}); download it again")
