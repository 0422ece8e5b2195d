"""The anatomy that every simulated person is a deformation of: MNI152NLin2009cAsym, with AAL.

It is made once, from the volumes that `fetch_atlases` brings, and mapped into memory by each job.
"""

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

from mri2pet.errors import InputError
from mri2pet.files import atomic, read_json, write_json
from mri2pet.simulation.warps import apply

VOLUMES = ("t1", "tissue", "brain", "region")  # an .npy file each
ABOUT = "template.json"
TISSUES = ("gm", "wm", "csf")
MEANS = np.array([6640.0, 8760.0, 2900.0])  # of the template's T1, in the order of TISSUES
SPREADS = np.array([800.0, 500.0, 900.0])
WHITE = MEANS[1]


@dataclass(frozen=True)
class Template:
    """Template volumes on one 1 mm RAS grid (193, 229, 193), and what lies where.

    Attributes
    ----------
    affine
        4x4 voxel-to-world matrix of all volumes.
    t1
        Average T1 of the whole head, white matter about 8760.
    tissue
        (3, ...) fractions of grey matter, white matter and CSF, summing to `brain`'s inside.
    brain
        Brain mask with the CSF around it, 0..1.
    region
        AAL index 1..116 of the nearest region, in and near the brain, else 0.
    names
        Names of the regions 1..116.
    landmarks
        AFIDs landmarks by name (AC, PC, ...), world mm.
    """

    affine: NDArray[np.float64]
    t1: NDArray[np.float32]
    tissue: NDArray[np.float32]
    brain: NDArray[np.float32]
    region: NDArray[np.uint8]
    names: tuple[str, ...]
    landmarks: dict[str, tuple[float, float, float]]


def save_template(folder: str | Path, template: Template) -> None:
    """Write t1.npy, tissue.npy, brain.npy, region.npy and template.json into a folder."""
    for name in VOLUMES:
        with atomic(Path(folder) / f"{name}.npy") as partial:
            np.save(partial, getattr(template, name))
    about = {name: getattr(template, name) for name in ("affine", "names", "landmarks")}
    write_json(Path(folder) / ABOUT, about)


def load_template(folder: str | Path) -> Template:
    """Map what `save_template` wrote into memory, read-only."""
    about = read_json(Path(folder) / ABOUT)
    return Template(
        affine=np.array(about["affine"]),
        names=tuple(about["names"]),
        landmarks={name: tuple(place) for name, place in about["landmarks"].items()},
        **{name: np.asarray(np.load(Path(folder) / f"{name}.npy", "r")) for name in VOLUMES},
    )


def make_template(folder: str | Path) -> Template:
    """Make the template from the folder that `fetch_atlases` made.

    The 2 mm tissue maps come as block averages of the 1 mm ones after padding by one voxel. Their
    origin of -96.5 mm says just that: with it their T1 correlates at .99999 with the 1 mm T1, and
    worse after a shift by a quarter of a voxel to any side. So the header is right as it is.
    """
    folder = Path(folder)
    t1 = _load(folder / "anatomy_t1.nii.gz")
    volume = np.asarray(t1.dataobj, np.float32)
    maps = {name: _load(folder / f"anatomy_{name}.nii.gz") for name in (*TISSUES, "brain_mask")}
    coarse = {name: np.asarray(image.dataobj, np.float32) for name, image in maps.items()}
    fine = {name: _upsample(values, volume.shape) for name, values in coarse.items()}
    names, region = _regions(folder, maps["gm"], coarse["brain_mask"])
    return Template(
        affine=t1.affine,
        t1=volume,
        tissue=_sharpen(np.stack([fine[name] for name in TISSUES]), volume),
        brain=fine["brain_mask"],
        region=_nearest(region, volume.shape),
        names=names,
        landmarks=_landmarks(folder / "anatomy_afids.tsv"),
    )


def _load(path: Path) -> nib.Nifti1Image:
    try:
        return nib.load(path)
    except (OSError, nib.filebasedimages.ImageFileError) as error:
        raise InputError(f"{path}: cannot be read; run the rule fetch_atlases ({error})") from error


def _rows(path: Path) -> list[list[str]]:
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read; run the rule fetch_atlases ({error})") from error
    return [line.split("\t") for line in lines[1:]]


def _landmarks(path: Path) -> dict[str, tuple[float, float, float]]:
    return {name: (float(x), float(y), float(z)) for name, x, y, z in _rows(path)}


def _upsample(coarse: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Linear interpolation, axis by axis: 1 mm voxel j lies at 2 mm voxel (j + 1/2) / 2."""
    fine = coarse
    for axis, n in enumerate(shape):
        where = np.clip((np.arange(n) + 0.5) / 2, 0, coarse.shape[axis] - 1)
        low = np.minimum(where.astype(int), coarse.shape[axis] - 2)
        weight = np.expand_dims(where - low, tuple(k for k in range(3) if k != axis))
        weight = weight.astype(np.float32)
        fine = fine.take(low, axis) * (1 - weight) + fine.take(low + 1, axis) * weight
    return fine


def _nearest(coarse: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Do the same by nearest neighbour."""
    fine = coarse
    for axis, n in enumerate(shape):
        fine = fine.take((np.arange(n) + 1) // 2, axis)
    return fine


def _sharpen(tissue: NDArray[np.float32], t1: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the 2 mm tissue fractions the detail of the 1 mm T1, by Bayes' rule in each voxel.

    A template is an average, with tissues mixed far from any border; a person's are not.
    """
    total = np.minimum(tissue.sum(axis=0), 1.0)
    inside = total > 0.02
    prior = tissue[:, inside]
    distance = (t1[inside] - MEANS[:, None]) / SPREADS[:, None]
    likelihood = np.exp(-0.5 * np.minimum(distance**2, 60)) / SPREADS[:, None]
    posterior = (prior + 1e-4) * likelihood
    sharp = np.zeros_like(tissue)
    sharp[:, inside] = posterior / posterior.sum(axis=0) * total[inside]
    return sharp


def _regions(
    folder: Path, grid: nib.Nifti1Image, brain: NDArray[np.float32]
) -> tuple[tuple[str, ...], NDArray[np.uint8]]:
    """Nearest AAL region within 12 mm of the brain, on the 2 mm grid."""
    aal = _load(folder / "aal.nii.gz")
    names = tuple(name for _, name in _rows(folder / "aal.tsv"))
    index = np.indices(grid.shape).reshape(3, -1).T
    to_aal = np.linalg.inv(aal.affine) @ grid.affine
    where = np.rint(apply(to_aal, index)).astype(int)
    inside = ((where >= 0) & (where < aal.shape)).all(axis=1)
    labels = np.zeros(len(index), np.uint8)
    labels[inside] = np.asarray(aal.dataobj)[tuple(where[inside].T)]
    labels = labels.reshape(grid.shape)
    nearest = distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    near_brain = gaussian_filter(brain, 3) > 0.01
    return names, np.where(near_brain, labels[tuple(nearest)], 0).astype(np.uint8)
