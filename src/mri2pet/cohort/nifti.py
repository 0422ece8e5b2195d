"""From a NIfTI file, plain or inside an archive, to a de-identified BIDS volume and its sidecar."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mri2pet.cohort.archives import ENDINGS, open_archive, open_member
from mri2pet.cohort.bids import convert_scan, read_volume, sidecar_beside
from mri2pet.cohort.headers import check_sidecar
from mri2pet.cohort.sidecars import clean_sidecar, frames_of_mean
from mri2pet.errors import ScanError
from mri2pet.files import MISSING, write_json


def to_bids(
    scan: str | Path,
    key: str | None,
    modality: str,
    image: str | Path,
    told: dict[str, Any] | None = None,
) -> dict[str, Any]:
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
    told
        Sidecar of a NIfTI file, merged from all that apply to it; None: the one beside it.

    Raises
    ------
    ScanError
        If the scan cannot be used (`convert_scan`, `import_nifti`).
    """
    if Path(scan).is_dir():
        return convert_scan(scan, str(key), modality, image)
    return import_nifti(scan, key, image, modality=modality, told=told)


def import_nifti(
    source: str | Path,
    member: str | None,
    image: str | Path,
    sidecar: str | Path | None = None,
    modality: str = "MRI",
    told: dict[str, Any] | None = None,
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
        `MRI`, or `PET`, whose frames are averaged, weighted by the sidecar's FrameDuration.
    told
        The source's sidecar, merged from all that apply to it; None: the one beside the file.

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
        if told is None:
            told = sidecar_beside(volume) if inside is None else {}
        label = str(source) if inside is None else f"{source}: {inside}"
        check_sidecar(told, modality, label)
        data, affine, frames = read_volume(volume, modality, label, told.get("FrameDuration"))
    save_volume(image, Nifti1Image(data, affine))
    content = clean_sidecar(frames_of_mean(told, frames), modality) | {"SourceFormat": "NIfTI"}
    if inside is not None:
        content["SourceMember"] = inside
    if modality == "PET":
        content["FramesAveraged"] = frames
    if sidecar is not None:
        write_json(sidecar, content)
    return content


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
            open_archive(source) as opened,
            open_member(opened, source, member) as stream,
        ):
            shutil.copyfileobj(stream, target, 1 << 20)
        yield copy
