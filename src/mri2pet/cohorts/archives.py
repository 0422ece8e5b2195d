"""Archives of scans: listed and opened, never unpacked as a whole."""

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mri2pet.errors import ScanError
from mri2pet.machine_faults import check_machine

ENDINGS = (".nii", ".nii.gz")
_DAMAGE = (OSError, EOFError, zlib.error, tarfile.TarError, zipfile.BadZipFile, RuntimeError)


def nifti_members(archive: str | Path) -> list[str]:
    """List the plain NIfTI files of a tar or zip archive; the table of contents alone is read.

    Raises
    ------
    ScanError
        If the archive is not there or damaged.
    """
    with open_archive(Path(archive)) as opened:
        if isinstance(opened, zipfile.ZipFile):
            names = [entry.filename for entry in opened.infolist() if not entry.is_dir()]
        else:
            names = [entry.name for entry in opened if entry.isfile()]
    return [name for name in names if name.lower().endswith(ENDINGS)]


def is_archive(path: str | Path) -> bool:
    """Tell an archive from a NIfTI by its name: .tar, .tar.gz, .tgz, .tar.bz2, .tar.xz or .zip."""
    name = Path(path).name.lower()
    return name.endswith((".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip"))


@contextmanager
def open_archive(archive: Path) -> Iterator[tarfile.TarFile | zipfile.ZipFile]:
    """Open an archive; whatever its damage leads to becomes a `ScanError`."""
    if not archive.is_file():
        raise ScanError(f"{archive}: there is no such file")
    try:
        if archive.name.lower().endswith(".zip"):
            with zipfile.ZipFile(archive) as opened:
                yield opened
        else:
            with tarfile.open(archive) as opened:
                yield opened
    except _DAMAGE as error:
        check_machine(error, archive)
        reason = " ".join(str(error).split())  # tarfile's takes several lines
        raise ScanError(f"{archive}: cannot be read as an archive ({reason})") from error


def open_member(opened: tarfile.TarFile | zipfile.ZipFile, source: Path, member: str) -> IO[bytes]:
    """Open one plain file of an archive for reading."""
    try:
        if isinstance(opened, zipfile.ZipFile):
            return opened.open(member)
        entry = opened.getmember(member)
    except KeyError:
        raise ScanError(f"{source}: holds no {member!r}") from None
    stream = opened.extractfile(entry) if entry.isfile() else None
    if stream is None:
        raise ScanError(f"{source}: {member!r} is not a plain file")
    return stream
