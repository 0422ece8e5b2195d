"""A head-sized volume without any symmetry, and NIfTI files with planted faults."""

from pathlib import Path

import nibabel as nib
import numpy as np

from mri2pet.conversion.nifti import import_nifti
from mri2pet.imaging.volume import load_scan

VOXEL = 4.0  # mm
AFFINE = np.diag([VOXEL, VOXEL, VOXEL, 1.0])
AFFINE[:3, 3] = [-90, -110, -80]


def head(shape=(46, 56, 44)) -> np.ndarray:
    """An ellipsoid of texture with a bright corner: left, front, up."""
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    inside = sum(axis**2 for axis in axes) < 0.7
    data = np.random.default_rng(0).integers(200, 900, shape) * inside
    x, y, z = (n // 4 for n in shape)
    data[x : x + 6, -y - 6 : -y, -z - 6 : -z] = 1500
    return data.astype(np.int16)


def write(
    path: Path, data=None, affine=AFFINE, sform=1, qform=1, kind=nib.Nifti1Image, **header
) -> Path:
    """Write a NIfTI whose header fields are then set to what is given."""
    image = kind(head() if data is None else data, affine)
    image.set_sform(affine, sform)
    image.set_qform(affine, qform)
    image.header.set_xyzt_units("mm")
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image, path)
    return patch(path, **header) if header else path


def patch(path: Path, **fields) -> Path:
    """Set fields of a plain .nii's header as they are, whatever nibabel thinks of them."""
    content = path.read_bytes()
    with path.open("rb") as handle:
        header = nib.Nifti1Header.from_fileobj(handle, check=False)
    for name, value in fields.items():
        header[name] = value
    path.write_bytes(header.binaryblock + content[len(header.binaryblock) :])
    return path


def take(path: Path, modality: str = "MRI") -> nib.Nifti1Image:
    """Convert a file to BIDS and load it as the first stage of preprocessing does."""
    made = path.parent / "bids" / "scan.nii.gz"
    import_nifti(path, None, made, modality=modality)
    return load_scan(made)
