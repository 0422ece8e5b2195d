"""Loading, checking and writing one 3D volume, and the 4x4 transforms between volumes.

All arrays of this package are in RAS order (first axis to the right, second to the front,
third up) and all coordinates are world millimetres of the NIfTI affine.
"""

from pathlib import Path

import nibabel as nib
import numpy as np
from isal import igzip, isal_zlib
from nibabel.affines import apply_affine

from mri2pet.errors import InputError, ScanError
from mri2pet.files import atomic
from mri2pet.imaging.forms import lenient_quaternions, with_forms, world_affine
from mri2pet.imaging.separable import held_box
from mri2pet.machine_faults import check_machine

Array = np.ndarray
Volume = nib.Nifti1Image

VOXEL_MM = (0.3, 8.0)  # outside this a header is wrong or the scan is a localiser
EXTENT_MM = (60.0, 600.0)  # a head is longer; a scan from foot to head of more shows the body
WIDTH_MM = 1000.0  # PET keeps the scanner's field of view across: 700 to 815 mm


def load_scan(path: str | Path) -> Volume:
    """Load a scan from a scanner, check that it can be a head, and order its axes as RAS.

    Only the order of the data changes (`nibabel.as_closest_canonical`): no interpolation.

    Parameters
    ----------
    path
        NIfTI file of one 3D volume.

    Returns
    -------
    Volume
        The volume in memory, float32, axes nearest to RAS.

    Raises
    ------
    ScanError
        The file cannot be read to its end, is not 3D, holds values that are not finite or are
        all the same, has a header that does not say where it lies, or a voxel size or extent that
        no head scan has.
    """
    try:
        with lenient_quaternions():
            image = nib.load(path)
        data = np.asanyarray(image.dataobj)
    except MemoryError:
        raise
    except Exception as error:  # nibabel raises whatever the damage leads to
        check_machine(error, path)
        reason = " ".join(str(error).split())
        raise ScanError(f"{path}: cannot be read to its end ({reason})") from error
    if data.ndim == 4 and data.shape[3] == 1:
        data = data[..., 0]
    if data.ndim != 3:
        raise ScanError(f"{path}: expected one 3D volume, found shape {data.shape}")
    check_voxels(path, data)
    affine = world_affine(image, str(path))
    _check_geometry(path, affine, data.shape)
    return nib.as_closest_canonical(Volume(data.astype(np.float32), affine))


def check_voxels(label: str | Path, data: Array) -> None:
    """Refuse voxels that are no image: not real numbers, not finite, all zero or all the same.

    Raises
    ------
    ScanError
        Its message begins with `label`.
    """
    if not np.issubdtype(data.dtype, np.number) or np.iscomplexobj(data):
        raise ScanError(f"{label}: voxels are {data.dtype}, not real numbers")
    broken = int(np.count_nonzero(~np.isfinite(data)))
    if broken:
        raise ScanError(f"{label}: {broken} of {data.size} voxels are not finite numbers")
    if not data.any():
        raise ScanError(f"{label}: every voxel is zero")
    if data.min() == data.max():
        raise ScanError(f"{label}: every voxel has the value {data.flat[0]}")


def _check_geometry(path: str | Path, affine: Array, shape: tuple[int, ...]) -> None:
    """Refuse voxel sizes and extents that no head scan has."""
    voxel = nib.affines.voxel_sizes(affine)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) <= 1e-6 * voxel.prod():
        raise ScanError(f"{path}: the header's affine cannot be inverted")
    if voxel.min() < VOXEL_MM[0] or voxel.max() > VOXEL_MM[1]:
        raise ScanError(
            f"{path}: voxel size {np.round(voxel, 5).tolist()} mm is not a head scan's; "
            "are the units in its header right?"
        )
    extent = voxel * shape
    along = int(np.abs(affine[2, :3] / voxel).argmax())
    if extent[along] > EXTENT_MM[1] and np.delete(extent, along).max() <= WIDTH_MM:
        raise ScanError(
            f"{path}: {extent[along]:.0f} mm from foot to head is a body's scan, not a head's; cut "
            "the head out of it, or leave it out"
        )
    if extent.min() < EXTENT_MM[0] or extent.max() > WIDTH_MM:
        raise ScanError(f"{path}: extent {np.round(extent).tolist()} mm is not a head scan's")


def load_volume(path: str | Path) -> Volume:
    """Load a volume that a stage of this package or the atlas rule wrote, float32 in RAS order.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    try:
        image = nib.load(path)
        if str(path).endswith(".gz"):  # inflated in half of zlib's time
            image = type(image).from_bytes(igzip.decompress(Path(path).read_bytes()))
        data = np.asarray(image.dataobj, np.float32)  # scaled in float32, not by way of float64
    except MemoryError:
        raise
    except Exception as error:  # nibabel raises whatever the damage leads to
        raise InputError(f"{path}: not a readable NIfTI file ({error})") from error
    return nib.as_closest_canonical(Volume(data, image.affine))


def array(image: Volume) -> Array:
    """Voxels of an image in memory, without a copy."""
    return np.asanyarray(image.dataobj)


def like(image: Volume, data: Array) -> Volume:
    """Wrap `data`, on the grid of `image`; booleans and labels become uint8, the rest float32."""
    kind = np.uint8 if data.dtype == bool or np.issubdtype(data.dtype, np.integer) else np.float32
    return Volume(data.astype(kind, copy=False), image.affine)


def save_volume(path: str | Path, image: Volume) -> None:
    """Write a volume whole or not at all; the same voxels always give the same bytes.

    Its sform and qform mean the same place (`imaging.forms.with_forms`).

    Raises
    ------
    ScanError
        Its affine has a shear, which a qform cannot hold.
    """
    image = with_forms(image, str(path))
    image.header.set_xyzt_units("mm", "sec")
    with atomic(path) as partial:
        if partial.suffix == ".gz":
            partial.write_bytes(_packed(image.to_bytes()))
        else:
            nib.save(image, partial)


def _packed(content: bytes) -> bytes:
    """Pack in gzip's format, without a time stamp, in a third of zlib's time."""
    return isal_zlib.compress(content, 1, 16 + isal_zlib.MAX_WBITS)


def save_intensities(path: str | Path, image: Volume) -> None:
    """Write intensities, zero or above, as whole numbers of steps: half to write and to read.

    The largest is 32767 steps (int16 and NIfTI's slope), so a value is off by 1/65534 of it at
    most, far below a scanner's noise. What is zero stays zero.
    """
    data = array(image)
    step = (float(data.max()) or 1.0) / np.iinfo(np.int16).max
    steps = Volume(np.rint(data / np.float32(step)).astype(np.int16), image.affine)
    steps.header.set_slope_inter(step, 0)
    save_volume(path, steps)


def save_transform(path: str | Path, matrix: Array) -> None:
    """Write a 4x4 transform of points (RAS world, mm) as text, exact to the last bit."""
    with atomic(path) as partial:
        np.savetxt(partial, matrix, fmt="%.17g")


def load_transform(path: str | Path) -> Array:
    """Read a 4x4 transform written by `save_transform`."""
    try:
        matrix = np.loadtxt(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a 4x4 matrix ({error})") from error
    if matrix.shape != (4, 4):
        raise InputError(f"{path}: expected a 4x4 matrix, found shape {matrix.shape}")
    return matrix


def centre_of_mass(image: Volume, weights: Array | None = None) -> Array:
    """World coordinates (mm) of the intensity-weighted centre."""
    data = np.clip(array(image) if weights is None else weights, 0, None).astype(np.float64)
    total = data.sum()
    voxel = [
        (data.sum(axis=tuple(a for a in range(3) if a != axis)) @ np.arange(n)) / total
        for axis, n in enumerate(data.shape)
    ]
    return apply_affine(image.affine, voxel)


def crop(image: Volume, box: tuple[slice, ...]) -> Volume:
    """Cut a box of voxels out of a volume; the world stays where it is."""
    affine = image.affine.copy()
    affine[:3, 3] = apply_affine(affine, [side.start for side in box])
    return Volume(array(image)[box], affine)


def crop_to_object(image: Volume, margin_mm: float) -> Volume:
    """Cut away the zeros around an object but for a margin."""
    return crop(image, box_of(image, margin_mm))


def box_of(image: Volume, margin_mm: float) -> tuple[slice, ...]:
    """Voxels of the smallest box around what is not zero, and a margin; all where nothing is."""
    voxel = nib.affines.voxel_sizes(image.affine)
    box = []
    for axis, held in enumerate(held_box(array(image))):
        size, margin = image.shape[axis], int(np.ceil(margin_mm / voxel[axis]))
        first, end = (held.start, held.stop) if held.start < held.stop else (0, size)
        box.append(slice(max(first - margin, 0), min(end + margin, size)))
    return tuple(box)


def voxel_volume_ml(image: Volume) -> float:
    """Volume of one voxel in millilitres."""
    return float(abs(np.linalg.det(image.affine[:3, :3])) / 1000)
