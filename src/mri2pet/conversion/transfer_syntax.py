"""Transfer syntaxes of DICOM files: what is read, what is copied first, what is refused by name.

dcm2niix does not inflate, and reads no file without the preamble and file meta information of
DICOM part 10. pydicom reads both; copies in a plain syntax are then given to dcm2niix.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from mri2pet.errors import ScanError
from mri2pet.machine_faults import check_machine

DEFLATED = "1.2.840.10008.1.2.1.99"
UNCOMPRESSED = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")
RLE = "1.2.840.10008.1.2.5"
READABLE = (*UNCOMPRESSED, DEFLATED, RLE)  # whose voxels pydicom reads without further packages
_JPEG = ("50", "51", "57", "70", "80", "81", "90", "91")
CONVERTIBLE = (*READABLE, *(f"1.2.840.10008.1.2.4.{kind}" for kind in _JPEG))
_FIRST_GROUPS = (b"\x02\x00", b"\x08\x00", b"\x00\x08")  # of a data set without preamble


def read_dicom(source: str | Path | BinaryIO, **options: Any) -> Any:
    """Read a DICOM file, also one that begins with its data set, without preamble.

    Parameters
    ----------
    source
        Path, or file opened at its start.
    options
        Of `pydicom.dcmread`.

    Returns
    -------
    pydicom.Dataset
        Its file meta information names a transfer syntax, unless there is a preamble and none.

    Raises
    ------
    pydicom.errors.InvalidDicomError
        It is no DICOM.
    """
    import pydicom
    from pydicom.errors import InvalidDicomError

    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    if not isinstance(source, str | Path):
        start = source.read(132)
        source.seek(0)
    else:
        with open(source, "rb") as handle:
            start = handle.read(132)
    bare = start[128:132] != b"DICM" and start[:2] in _FIRST_GROUPS
    if not bare:
        return pydicom.dcmread(source, **options)
    try:
        header = pydicom.dcmread(source, force=True, **options)
        known = "SOPClassUID" in header or "SOPInstanceUID" in header
    except (OSError, MemoryError):
        raise
    except Exception as error:  # bytes that only begin like a data set
        raise InvalidDicomError("no preamble, and no data set") from error
    if not known:
        raise InvalidDicomError("no preamble, and no data set")
    if "TransferSyntaxUID" not in header.file_meta:
        implicit, little = header.original_encoding
        plain = UNCOMPRESSED[0 if implicit else 1 if little else 2]
        header.file_meta.TransferSyntaxUID = pydicom.uid.UID(plain)
    return header


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Turn whatever reading a damaged DICOM file raises into a `ScanError` that names it.

    Faults of the machine, and what says that the file is no DICOM at all, pass.
    """
    from pydicom.errors import InvalidDicomError

    try:
        yield
    except (ScanError, InvalidDicomError, MemoryError):
        raise
    except Exception as error:  # pydicom raises whatever the damage leads to
        check_machine(error, path)
        check_syntax(path, _syntax(path))
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ScanError(f"{path}: damaged DICOM file ({reason})") from error


def check_syntax(path: Path, syntax: Any) -> None:
    """Refuse a transfer syntax (a pydicom UID) that neither pydicom nor dcm2niix reads.

    Raises
    ------
    ScanError
        Names the syntax and what to do.
    """
    if syntax is None or syntax in CONVERTIBLE:
        return
    kind = "private" if syntax.is_private else f"{syntax.name},"
    raise ScanError(
        f"{path}: its transfer syntax ({kind} {syntax}) is not read; save the scan as Explicit VR "
        "Little Endian and try again"
    )


def _syntax(path: Path) -> Any:
    """Return the transfer syntax that a file's meta information names, if it has one."""
    from pydicom.filereader import read_file_meta_info

    try:
        return read_file_meta_info(path).get("TransferSyntaxUID")
    except Exception:  # it has none that can be read
        return None


def needs_copy(path: Path) -> bool:
    """Tell whether dcm2niix needs a plain copy: no preamble, or deflated."""
    with open(path, "rb") as handle:
        if handle.read(132)[128:] != b"DICM":
            return True
    return _syntax(path) == DEFLATED


def plain_copy(path: Path, target: Path, number: int | None = None) -> None:
    """Write a file's data set as DICOM part 10, inflated where it was deflated.

    Its InstanceNumber becomes `number`, if one is given.

    Raises
    ------
    ScanError
        The file ends before its pixel data do.
    """
    from pydicom.uid import UID

    with damage_told(path):
        data = read_dicom(path)
    if data.file_meta.TransferSyntaxUID == DEFLATED:
        data.file_meta.TransferSyntaxUID = UID(UNCOMPRESSED[1])
    wanted = int(data.Rows) * int(data.Columns) * int(data.BitsAllocated) // 8
    wanted *= int(data.get("SamplesPerPixel") or 1) * int(data.get("NumberOfFrames") or 1)
    there = len(data.get("PixelData") or b"")
    if data.file_meta.TransferSyntaxUID in UNCOMPRESSED and there < wanted:
        raise ScanError(f"{path}: truncated: {there} of {wanted} bytes of pixel data")
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    if number is not None:
        data.InstanceNumber = number
    data.preamble = bytes(128)
    data.save_as(target, enforce_file_format=True)
