"""FDG-PET of a simulated head: regional uptake, scanner resolution, counting noise, own pose."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from mri2pet.simulation.anatomy import Head
from mri2pet.simulation.mri import Scan, field_centre, sample
from mri2pet.simulation.template import WHITE, Template
from mri2pet.simulation.warps import Deformation

PET_FIELD = np.array([256.0, 256.0, 180.0])  # mm
PET_CENTRE = np.array([0.0, -12.0, 4.0])  # of the field, head world
FWHM = 6.5  # mm, of the scanner and its reconstruction
NOISE = (0.02, 0.03)  # range of its standard deviation where the uptake is one
NOISE_FWHM = 4.0  # mm, of the noise's grain
# Before the blur; after it, white matter and CSF come to .7 and .5 of grey matter, as in averages.
WHITE_MATTER, FLUID = 0.34, 0.04


def activity(
    template: Template, uptake: NDArray[np.float64], cortex: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Make the true activity in the template's space, 1 in average healthy grey matter.

    White matter follows its nearest region's grey matter by half. Scalp and muscle take up little.
    `cortex`, of the template's shape, multiplies the uptake of grey matter: a lesion is below one.
    """
    grey = np.concatenate([[0.0], uptake]).astype(np.float32)
    white = np.concatenate([[0.0], WHITE_MATTER * (0.5 + 0.5 * uptake)]).astype(np.float32)
    gm, wm, csf = template.tissue
    healthy = gm if cortex is None else gm * cortex
    image = healthy * grey[template.region] + wm * white[template.region] + np.float32(FLUID) * csf
    soft = np.clip(template.t1 / np.float32(WHITE) - 0.15, 0, 0.6)
    return image + np.maximum(1 - gm - wm - csf, 0) * soft * np.float32(0.35)


def pet_grid(
    voxel: Sequence[float], centre: NDArray[np.float64]
) -> tuple[tuple[int, ...], NDArray[np.float64]]:
    """Return shape and affine (4x4, scanner world) of a PET about a point of the scanner's world.

    Axial: i to the left of the picture (world -x), j to the back, k upwards; `voxel` is in mm along
    left-right, front-back, up-down.
    """
    size = np.array(voxel, float)
    shape = tuple(2 * round(f / step / 2) for f, step in zip(PET_FIELD, size, strict=True))
    affine = np.diag([-size[0], -size[1], size[2], 1.0])
    affine[:3, 3] = centre - affine[:3, :3] @ (np.array(shape) - 1) / 2
    return shape, affine


def without_noise(
    activity: NDArray[np.float32],
    template: Template,
    deformation: Deformation,
    pose: NDArray[np.float64],
    shape: tuple[int, ...],
    affine: NDArray[np.float64],
    fwhm: float = FWHM,
) -> NDArray[np.float32]:
    """Return a head's PET as the scanner resolves it, before noise and rounding.

    Parameters
    ----------
    activity
        In the template's space, as `activity` makes it.
    deformation
        Of the head.
    pose
        4x4, head world to scanner world.
    shape, affine
        As `pet_grid` gives them.
    fwhm
        Resolution of the scanner, mm.
    """
    (sampled,) = sample([activity], template, deformation, pose, shape, affine)
    return gaussian_filter(sampled, fwhm / 2.3548 / np.abs(np.diag(affine)[:3]))


def acquire_pet(
    template: Template,
    head: Head,
    pose: NDArray[np.float64],
    voxel: list[float],
    frames: int,
    rng: np.random.Generator,
    cortex: NDArray[np.float32] | None = None,
    fwhm: float = FWHM,
    noise: Sequence[float] = NOISE,
) -> Scan:
    """Scan the head: an int16 volume (i, j, k), or (i, j, k, frame) if `frames` is above one.

    Parameters
    ----------
    pose
        4x4, head world to scanner world; the PET has its own.
    voxel
        Voxel size in mm along left-right, front-back, up-down.
    frames
        Number of frames; each holds its share of the counts.
    cortex
        What the uptake of grey matter is multiplied by, see `activity`.
    fwhm
        Resolution of the scanner, mm.
    noise
        From and to: range of the noise's standard deviation in one volume of the whole scan, where
        the uptake is one.

    Returns
    -------
    Scan
        On the grid of `pet_grid`; stored values are proportional to Bq/ml (see
        `dicom.write_pet`).
    """
    shape, affine = pet_grid(voxel, field_centre(pose, PET_CENTRE, rng))
    truth = activity(template, head.uptake, cortex)
    blurred = without_noise(truth, template, head.deformation, pose, shape, affine, fwhm)
    width = NOISE_FWHM / 2.3548 / np.array(voxel, float)
    unit = np.float32((2 * np.sqrt(np.pi)) ** 1.5 * np.sqrt(np.prod(width)))
    level = np.float32(rng.uniform(*noise) * np.sqrt(frames))
    dose = np.float32(rng.uniform(7000, 14000))  # stored value of an uptake of one
    images = []
    for _ in range(frames):
        grain = unit * gaussian_filter(rng.standard_normal(shape, dtype=np.float32), width)
        noisy = blurred + level * np.sqrt(np.maximum(blurred, 0) + np.float32(0.02)) * grain
        images.append(np.clip(np.rint(dose * np.maximum(noisy, 0)), 0, 32767).astype(np.int16))
    return Scan(images[0] if frames == 1 else np.stack(images, axis=-1), affine)
