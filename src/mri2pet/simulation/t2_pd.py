"""PD- and T2-weighted scans of a simulated head: two echoes of one acquisition, in thick slices."""

from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from mri2pet.errors import InputError
from mri2pet.simulation.mri import (
    Scan,
    bias_field,
    field_centre,
    likeliest,
    magnitude,
    sample,
    scan_grid,
    stored,
)
from mri2pet.simulation.template import WHITE, Template
from mri2pet.simulation.warps import Deformation

ECHOES = {"PD": 8.0, "T2": 100.0}  # ms, and
REPETITION = 5725.0  # ms, as of IXI's scans at Guy's Hospital
# grey matter, white matter, CSF at 1.5 T: water content, T1 and T2 in ms
WATER = np.array([0.80, 0.70, 1.0])
T1 = np.array([1100.0, 700.0, 3000.0])
T2 = np.array([98.0, 78.0, 1500.0])
AXIAL = np.diag([-1, 1, 1])  # to the left, to the front, slices upwards
FIELD = np.array([240.0, 240.0, 162.5])  # mm: left-right, front-back, up-down
CENTRE = np.array([0.0, -14.0, 9.0])  # of the field, head world
T2_WHITE = 3990.0  # of white matter in the template's T2
GAIN = (600.0, 1100.0)


def echoes(
    template: Template, t2: NDArray[np.float32], rng: np.random.Generator
) -> dict[str, NDArray[np.float32]]:
    """Give one person's intensities at both echoes in the template's space.

    Inside the brain the spin-echo signal of each tissue, water (1 - exp(-TR/T1)) exp(-TE/T2), by
    its fraction; water and relaxation vary by some percent from person to person. Outside it what
    the template's T1 and T2 make likely: what is bright in either has water.

    Parameters
    ----------
    t2
        The template's T2-weighted image.
    """
    water = WATER * (1 + rng.normal(0, 0.015, 3))
    relaxed = 1 - np.exp(-REPETITION / (T1 * (1 + rng.normal(0, 0.03, 3))))
    decay = T2 * (1 + rng.normal(0, 0.03, 3))
    total = np.minimum(template.tissue.sum(axis=0), 1)
    t1 = template.t1 / np.float32(WHITE)
    late = t2 / np.float32(T2_WHITE)
    outside = {"PD": np.minimum(0.25 * t1 + 0.25 * late, 0.9), "T2": 0.19 * late}
    images = {}
    for name, time in ECHOES.items():
        signal = (water * relaxed * np.exp(-time / decay)).astype(np.float32)
        images[name] = np.einsum("t,t...->...", signal, template.tissue)
        images[name] += (1 - total) * outside[name].astype(np.float32)
    return images


def load_t2(path: str | Path) -> NDArray[np.float32]:
    """Read the template's T2-weighted image."""
    try:
        return np.asarray(nib.load(path).dataobj, np.float32)
    except (OSError, nib.filebasedimages.ImageFileError) as error:
        raise InputError(f"{path}: cannot be read; run the rule fetch_atlases ({error})") from error


def acquire_dual_echo(
    template: Template,
    images: dict[str, NDArray[np.float32]],
    deformation: Deformation,
    pose: NDArray[np.float64],
    voxel: list[float],
    rng: np.random.Generator,
) -> tuple[dict[str, Scan], NDArray[np.uint8]]:
    """Scan the head: returns the int16 PD and T2, and the tissue in each of their voxels.

    A voxel wider than the template's is a blur of what it covers. Both echoes share grid, coil
    shading and what the texture of tissue takes from its water; each has noise of its own, and the
    late one a texture of relaxation.

    Parameters
    ----------
    images
        What `echoes` returned.
    pose
        4x4, head world to scanner world.
    voxel
        Voxel size in mm along left-right, front-back, up-down.
    """
    centre = field_centre(pose, CENTRE, rng)
    shape, affine = scan_grid(AXIAL, FIELD, np.array(voxel, float), centre)
    width = np.sqrt(np.clip(np.square(voxel) - 1, 0, None)) / 2.355  # what 1 mm voxels lack
    blurred = [gaussian_filter(images[name], width, truncate=2.5) for name in ECHOES]
    pd, t2, *tissue = sample(
        [*blurred, *template.tissue], template, deformation, pose, shape, affine, whole=2
    )
    field = bias_field(rng, shape)
    water, relaxation = (_texture(rng, shape, voxel) for _ in range(2))
    gain = rng.uniform(*GAIN)
    scans = {}
    for name, signal in (("PD", pd * water), ("T2", t2 * water * relaxation)):
        image = magnitude(signal * field, (0.008, 0.014), rng)
        scans[name] = Scan(stored(image, gain), affine)
    return scans, likeliest(tissue)


def _texture(
    rng: np.random.Generator, shape: tuple[int, ...], voxel: list[float]
) -> NDArray[np.float32]:
    """Smooth scatter of two percent about 1, with a grain of about 4 mm."""
    noise = gaussian_filter(rng.standard_normal(shape, dtype=np.float32), 2.0 / np.array(voxel))
    return 1 + np.float32(0.02) * noise / noise.std()
