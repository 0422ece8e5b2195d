"""From a NIfTI, ECAT file or archive's member to a de-identified BIDS volume and its sidecar."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mri2pet.cohorts.archives import ENDINGS, open_archive, open_member
from mri2pet.cohorts.bids.inheritance import merged_sidecar
from mri2pet.cohorts.fetched import absent
from mri2pet.conversion.ecat import convert_ecat, is_ecat
from mri2pet.conversion.frames import (
    Window,
    frame_weights,
    mean_sidecar,
    source_of_mean,
)
from mri2pet.conversion.headers import check_sidecar
from mri2pet.conversion.scan_to_bids import convert_scan, read_volume
from mri2pet.conversion.sidecars import clean_sidecar
from mri2pet.errors import ScanError
from mri2pet.files import MISSING, write_json


def to_bids(
    scan: str | Path,
    key: str | None,
    modality: str,
    image: str | Path,
    tracer: str | None = None,
    window: Window | None = None,
    told: dict[str, Any] | None = None,
    protocol: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Convert a raw scan as a cohort table names it, and return its sidecar.

    Parameters
    ----------
    scan
        The participant's folder in a download of ADNI, or a NIfTI or ECAT file, or an archive.
    key
        The Image Data ID in the folder, or the member of the archive; None or `n/a` where there is
        one image alone.
    modality
        `MRI` or `PET`.
    image
        NIfTI to write.
    tracer, window, told
        Of the PET in a NIfTI file, as for `import_nifti`.
    protocol
        What the study states of all its PET (`required_keys`).

    Raises
    ------
    ScanError
        If the scan cannot be used (`convert_scan`, `import_nifti`).
    """
    if Path(scan).is_dir():
        return convert_scan(scan, MISSING if key is None else str(key), modality, image, protocol)
    of_pet = {"tracer": tracer, "window": window, "told": told, "protocol": protocol}
    return import_nifti(scan, key, image, modality=modality, **of_pet)


def import_nifti(
    source: str | Path,
    member: str | None,
    image: str | Path,
    sidecar: str | Path | None = None,
    modality: str = "MRI",
    tracer: str | None = None,
    window: Window | None = None,
    told: dict[str, Any] | None = None,
    protocol: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Copy one NIfTI, or ECAT 7 PET, to a compressed NIfTI with a clean header.

    Parameters
    ----------
    source
        A NIfTI or ECAT file, or a tar (compressed or not) or zip archive.
    member
        Name inside the archive; None, nothing or `n/a` where `source` is the image itself.
    image
        NIfTI to write: 3D, int16 where the source is exactly that, else float32; every text field
        of its header is blank.
    sidecar
        JSON to write what is returned to; None where the caller (`run_stage`) writes it.
    modality
        `MRI`, or `PET`, whose frames are averaged.
    tracer
        BIDS label of what the PET must be of (`18FFDG`), if its sidecar names one; None for FDG.
    window
        Minutes after injection, from and to (None: to the end), of which the frames of a dynamic
        PET are averaged; None for all. A PET of one frame is taken as it is.
    told
        The source's sidecar, merged from all that apply to it; None: that is done here. It goes
        before what an ECAT file's headers say.
    protocol
        What the study states of all its PET (`required_keys`).

    Returns
    -------
    dict
        BIDS sidecar: what `clean_sidecar` keeps of those that apply to the source by BIDS's
        inheritance, and what was done. It names neither the source nor the member.

    Raises
    ------
    ScanError
        The source is not there, damaged, not one volume, of another tracer, or has no content; no
        frame of it lies in `window`. The member is not in
        the archive, is not a plain file, or is no NIfTI.
    """
    from nibabel import Nifti1Image

    from mri2pet.imaging.volume import save_volume

    inside = None if member in (None, "", MISSING) else str(member)
    with _nifti(Path(source), inside, Path(image).parent) as (volume, header):
        label = str(source) if inside is None else f"{source}: {inside}"
        if told is None:
            told = merged_sidecar(source) if inside is None else {}
        check_sidecar(header, modality, label, tracer)
        told = header | told
        check_sidecar(told, modality, label, tracer)

        def weigh(frames: int) -> np.ndarray:
            return frame_weights(told, frames, window, label)

        data, affine, weights = read_volume(volume, modality, label, weigh)
    save_volume(image, Nifti1Image(data, affine))
    done: dict[str, Any] = {"SourceFormat": "ECAT" if header else "NIfTI"}
    frames = len(weights)
    if modality == "PET":
        done |= source_of_mean(told, weights) if frames > 1 else {"FramesAveraged": 1}
        told = mean_sidecar(told, weights)
    content = clean_sidecar(told, modality, tracer, protocol, frames) | done
    if sidecar is not None:
        write_json(sidecar, content)
    return content


@contextmanager
def _nifti(source: Path, member: str | None, folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the path of a NIfTI, and what an ECAT file's headers say.

    It is the source itself, the one member taken out of it, or what is made of an ECAT file.

    A member's name is never made a path: it is copied to a name of ours in a folder of ours, so
    nothing of an archive comes to lie elsewhere, whatever its members are called. Links and
    devices are refused.
    """
    if member is None:
        _check_file(source)
        if not is_ecat(source):
            yield source, {}
            return
    elif not member.lower().endswith(ENDINGS):
        raise ScanError(f"{source}: the name of {member!r} does not end in .nii or .nii.gz")
    # beside the output, not in /tmp, which is small on many compute nodes
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".import-") as work:
        if member is None:
            yield convert_ecat(source, work)
            return
        copy = Path(work, "volume.nii.gz" if member.lower().endswith(".gz") else "volume.nii")
        with (
            copy.open("wb") as target,
            open_archive(source) as opened,
            open_member(opened, source, member) as stream,
        ):
            shutil.copyfileobj(stream, target, 1 << 20)
        yield copy, {}


def _check_file(source: Path) -> None:
    if reason := absent(source):
        raise ScanError(f"{source}: {reason}")
    if not source.is_file():
        raise ScanError(f"{source}: there is no such file")
    if not is_ecat(source) and not source.name.lower().endswith(ENDINGS):
        raise ScanError(f"{source}: its name does not end in .nii, .nii.gz or .v")
