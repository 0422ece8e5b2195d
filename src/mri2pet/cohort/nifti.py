"""From a NIfTI file, plain or inside an archive, to a de-identified BIDS volume and its sidecar."""

import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from mri2pet.cohort.bids import convert_scan, read_volume, sidecar_beside
from mri2pet.cohort.headers import check_sidecar
from mri2pet.cohort.sidecars import clean_sidecar
from mri2pet.errors import ScanError
from mri2pet.files import MISSING, check_machine, write_json

ENDINGS = (".nii", ".nii.gz")
_DAMAGE = (OSError, EOFError, zlib.error, tarfile.TarError, zipfile.BadZipFile, RuntimeError)


def to_bids(scan: str | Path, key: str | None, modality: str, image: str | Path) -> dict[str, Any]:
    """Convert a raw scan as a cohort table names it, and return its sidecar.

    Parameters
    ----------
    scan
        The participant's folder in a download of ADNI, or a NIfTI file or archive.
    key
        The Image Data ID in the folder, or the member of the archive.
    modality
        `MRI` or `PET`.
    image
        NIfTI to write.

    Raises
    ------
    ScanError
        If the scan cannot be used (`convert_scan`, `import_nifti`).
    """
    if Path(scan).is_dir():
        return convert_scan(scan, str(key), modality, image)
    return import_nifti(scan, key, image, modality=modality)


def import_nifti(
    source: str | Path,
    member: str | None,
    image: str | Path,
    sidecar: str | Path | None = None,
    modality: str = "MRI",
) -> dict[str, Any]:
    """Copy one NIfTI to a compressed one with a clean header.

    Parameters
    ----------
    source
        A NIfTI file, or a tar (compressed or not) or zip archive.
    member
        Name inside the archive; None, nothing or `n/a` where `source` is the NIfTI itself.
    image
        NIfTI to write: 3D, int16 where the source is exactly that, else float32; every text field
        of its header is blank.
    sidecar
        JSON to write what is returned to; None where the caller (`run_stage`) writes it.
    modality
        `MRI`, or `PET`, whose frames are averaged.

    Returns
    -------
    dict
        BIDS sidecar: what `clean_sidecar` keeps of one beside the source, and what was done.

    Raises
    ------
    ScanError
        The source is not there, damaged, not one volume, or has no content. The member is not in
        the archive, is not a plain file, or is no NIfTI.
    """
    from nibabel import Nifti1Image

    from mri2pet.imaging.volume import save_volume

    inside = None if member in (None, "", MISSING) else str(member)
    with _nifti(Path(source), inside, Path(image).parent) as volume:
        told = sidecar_beside(volume) if inside is None else {}
        label = str(source) if inside is None else f"{source}: {inside}"
        check_sidecar(told, modality, label)
        data, affine, frames = read_volume(volume, modality, label, told.get("FrameDuration"))
    save_volume(image, Nifti1Image(data, affine))
    content = clean_sidecar(told, modality) | {"SourceFormat": "NIfTI"}
    if inside is not None:
        content["SourceMember"] = inside
    if modality == "PET":
        content["FramesAveraged"] = frames
    if sidecar is not None:
        write_json(sidecar, content)
    return content


def nifti_members(archive: str | Path) -> list[str]:
    """List the plain NIfTI files of a tar or zip archive; the table of contents alone is read.

    Raises
    ------
    ScanError
        If the archive is not there or damaged.
    """
    with _opened(Path(archive)) as opened:
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
def _nifti(source: Path, member: str | None, folder: Path) -> Iterator[Path]:
    """Yield the path of a NIfTI: the source itself, or the one member taken out of it.

    A member's name is never made a path: it is copied to a name of ours in a folder of ours, so
    nothing of an archive comes to lie elsewhere, whatever its members are called. Links and
    devices are refused.
    """
    if member is None:
        if not source.is_file():
            raise ScanError(f"{source}: there is no such file")
        if not source.name.lower().endswith(ENDINGS):
            raise ScanError(f"{source}: its name does not end in .nii or .nii.gz")
        yield source
        return
    ending = next((end for end in ENDINGS[::-1] if member.lower().endswith(end)), None)
    if ending is None:
        raise ScanError(f"{source}: the name of {member!r} does not end in .nii or .nii.gz")
    # beside the output, not in /tmp, which is small on many compute nodes
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".import-") as work:
        copy = Path(work) / f"volume{ending}"
        with (
            copy.open("wb") as target,
            _opened(source) as opened,
            _member(opened, source, member) as stream,
        ):
            shutil.copyfileobj(stream, target, 1 << 20)
        yield copy


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile | zipfile.ZipFile]:
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


def _member(opened: tarfile.TarFile | zipfile.ZipFile, source: Path, member: str) -> IO[bytes]:
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
