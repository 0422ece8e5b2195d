"""From one image of a download to a de-identified BIDS volume and its sidecar."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mri2pet.cohorts.adni.locate import find_image
from mri2pet.conversion.dcm2niix import convert_series
from mri2pet.conversion.dicom_series import checked_slices
from mri2pet.conversion.ecat import ENDING, convert_ecat, is_ecat
from mri2pet.conversion.frames import frame_weights, mean_sidecar
from mri2pet.conversion.headers import check_intensities, check_sidecar, check_size
from mri2pet.conversion.held_to_series import hold_to_series
from mri2pet.conversion.pet_agent import agent_of_header
from mri2pet.conversion.series_slices import renumbered
from mri2pet.conversion.sidecars import clean_sidecar
from mri2pet.errors import InputError, ScanError
from mri2pet.files import folder_beside, read_json
from mri2pet.machine_faults import check_machine, not_the_scans


def convert_scan(
    folder: str | Path,
    image_id: str | int,
    modality: str,
    image: str | Path,
    protocol: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Convert one image, DICOM, NIfTI or ECAT 7, to a compressed NIfTI with a clean header.

    Frames of a dynamic PET are averaged, weighted by their durations where these are known; motion
    between frames is not corrected.

    Parameters
    ----------
    folder
        The participant's folder in the download.
    image_id
        Image Data ID.
    modality
        `MRI` or `PET`.
    image
        NIfTI to write: 3D, int16 where the source is exactly that, else float32; every text field
        of its header is blank.
    protocol
        What the study states of all its PET (`required_keys`).

    Returns
    -------
    dict
        BIDS sidecar: what `clean_sidecar` keeps of the source's, and what was done. It names no
        file and no image ID.

    Raises
    ------
    ScanError
        The image is not there, damaged, incomplete, not one volume, or has no content.
    """
    from nibabel import Nifti1Image

    from mri2pet.imaging.volume import save_volume

    files = find_image(folder, image_id)
    files = [path for path in files if not is_ecat(path)] or files
    sheets = [path for path in files if path.name.lower().endswith((".nii", ".nii.gz"))]
    # beside the output, not in /tmp, which is small on many compute nodes
    with folder_beside(image) as work, not_the_scans(work):
        if len(sheets) > 1:
            raise ScanError(f"image I{image_id}: {len(sheets)} NIfTI files in {sheets[0].parent}")
        if is_ecat(files[0]):
            if len(files) > 1:
                raise ScanError(f"image I{image_id}: {len(files)} ECAT files in {files[0].parent}")
            label, kind = str(files[0]), "ECAT"
            volume, told = convert_ecat(files[0], work)
            check_sidecar(told, modality, label)
            sidecar = told | sidecar_beside(files[0])
        elif sheets:
            volume, label, kind = sheets[0], str(sheets[0]), "NIfTI"
            sidecar = sidecar_beside(volume)
        else:
            slices = checked_slices(files, modality)
            label, kind = str(files[0].parent), "DICOM"
            paths = sorted({entry.path for entry in slices})
            volume, made = convert_series(paths, work, renumbered(slices))
            held = hold_to_series(volume, slices, modality, files[0].parent)
            sidecar = read_json(made) | held
            if modality == "PET":
                sidecar |= agent_of_header(slices[0].path, sidecar.get("AcquisitionTime"))
        check_sidecar(sidecar, modality, label)

        def weigh(frames: int) -> np.ndarray:
            return frame_weights(sidecar, frames, None, label)

        data, affine, weights = read_volume(volume, modality, label, weigh)
    save_volume(image, Nifti1Image(data, affine))
    mean, frames = mean_sidecar(sidecar, weights), len(weights)
    content = clean_sidecar(mean, modality, protocol=protocol, frames=frames)
    content |= {"SourceFormat": kind}
    return content | {"FramesAveraged": frames} if modality == "PET" else content


def read_volume(
    path: Path,
    modality: str,
    label: str,
    weigh: Callable[[int], np.ndarray] = np.ones,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read a volume to its end, check its content and average PET frames.

    Parameters
    ----------
    path
        NIfTI to read.
    modality
        `MRI` or `PET`.
    label
        What error messages call the source.
    weigh
        Gives the weight of each frame in the mean (frames,) by their number, two or more; frames of
        weight 0 are not read.

    Returns
    -------
    data : array (X, Y, Z)
        int16 or float32, in the source's axis order and units.
    affine : array (4, 4)
        Voxel to RAS world, mm.
    weights : array (frames,)
        Of the frames of the source; one of a source of one volume.
    """
    import nibabel as nib

    from mri2pet.imaging.forms import lenient_quaternions, world_affine
    from mri2pet.imaging.volume import check_voxels

    try:
        with lenient_quaternions():
            image = nib.load(path)
        check_size(image, path, label)
        affine = world_affine(image, label)
        shape = image.shape[:3] + tuple(size for size in image.shape[3:] if size > 1)
        if len(shape) not in (3, 4) or (len(shape) == 4 and modality == "MRI"):
            raise ScanError(f"{label}: expected one 3D volume, found shape {image.shape}")
        if len(shape) == 3:
            data, weights = np.asanyarray(image.dataobj).reshape(shape), np.ones(1)
        else:
            weights = weigh(shape[3])
            data = _mean_frame(path, image.dataobj, shape, weights)
    except (ScanError, MemoryError):
        raise
    except Exception as error:  # nibabel raises whatever the damage leads to
        check_machine(error, label)
        reason = " ".join(str(error).replace(str(path), Path(label).name).split())
        raise ScanError(
            f"{label}: cannot be read to its end ({reason}); download it again"
        ) from error
    check_voxels(label, data)
    check_intensities(data, label)
    return _plain_type(data, label), affine, weights


def _mean_frame(
    path: Path, dataobj: Any, shape: tuple[int, ...], weights: np.ndarray
) -> np.ndarray:
    """Average frames one by one: a dynamic PET need not fit into memory.

    The file stays open, so that a compressed one is inflated once; its end holds the checksum.
    """
    from nibabel.arrayproxy import ArrayProxy
    from nibabel.openers import ImageOpener

    told = (dataobj.shape, dataobj.dtype, dataobj.offset, dataobj.slope, dataobj.inter)
    total = np.zeros(shape[:3])
    with ImageOpener(path) as stream:
        frames = ArrayProxy(stream, told, mmap=False)
        for frame, weight in enumerate(weights / weights.sum()):
            if weight:
                total += weight * np.asarray(frames[..., frame]).reshape(shape[:3])
        while stream.read(1 << 20):
            pass
    return total.astype(np.float32)


def _plain_type(data: np.ndarray, label: str) -> np.ndarray:
    """Keep what int16 holds exactly; everything else becomes float32."""
    whole = np.issubdtype(data.dtype, np.integer)
    limits = np.iinfo(np.int16)
    if whole and data.min() >= limits.min and data.max() <= limits.max:
        return data.astype(np.int16)
    if np.abs(data).max() > np.finfo(np.float32).max:
        raise ScanError(f"{label}: values to {np.abs(data).max():.3g} do not fit float32")
    return data.astype(np.float32)


def sidecar_beside(volume: Path) -> dict[str, Any]:
    """Read the BIDS sidecar of a NIfTI or ECAT file if one lies beside it."""
    name = volume.name.removesuffix(".gz").removesuffix(".nii").removesuffix(ENDING)
    sidecar = volume.with_name(f"{name}.json")
    if not sidecar.is_file():
        return {}
    try:
        return read_json(sidecar)
    except InputError as error:
        raise ScanError(str(error)) from error
