"""The best PET that can be told from a simulated person's MRI, brought where the real one is.

It is the noise-free image of the expected uptake: all that shaped the anatomy is known, what no MRI
can tell is averaged out (`anatomy.expected_uptake`). It goes through the transforms that the run
has estimated and is scaled as the real PET is, by a reference of its own.
"""

from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from mri2pet.imaging.intensity import divide_uptake, scale_image, scale_uptake
from mri2pet.imaging.resample import resample, resize
from mri2pet.imaging.volume import Volume, array, like
from mri2pet.imaging.warp import Warp, resample_through
from mri2pet.simulation.pet import FWHM, PET_CENTRE, activity, pet_grid, without_noise
from mri2pet.simulation.template import Template
from mri2pet.simulation.truth import Truth
from mri2pet.simulation.warps import apply

Placed = tuple[Volume, dict[str, Any]]


def best_pet(template: Template, truth: Truth, in_pet: bool, voxel: list[float]) -> Volume:
    """Make the noise-free PET of a visit's expected uptake.

    Parameters
    ----------
    template
        The anatomy that everyone is made from.
    truth
        Of the visit.
    in_pet
        Whether the head lies as in the visit's PET and is sampled where that is (between voxels of
        some mm detail is lost); else as in its T1.
    voxel
        Voxel size of the scanner in the latter case, mm: left-right, front-back, up-down; where
        the truth names the scanner, its own counts, as does its resolution.

    Returns
    -------
    Volume
        float32 in RAS order, 1 in average healthy grey matter; its world is that of the raw PET, or
        of the raw T1.
    """
    scanner = truth.values.get("scanner", {})
    if in_pet:
        pose, shape = truth.pet_from_head, tuple(truth.values["pet_shape"])
        affine = np.array(truth.values["pet_affine"])
    else:
        pose = truth.t1_from_head
        shape, affine = pet_grid(
            scanner.get("pet_voxel_mm", voxel), apply(pose, PET_CENTRE[None])[0]
        )
    expected = activity(template, np.array(truth.values["regions"]["expected_uptake"]))
    fwhm = scanner.get("pet_fwhm_mm", FWHM)
    data = without_noise(expected, template, truth.deformation, pose, shape, affine, fwhm)
    return nib.as_closest_canonical(Volume(data, affine))


def to_linear(
    pet: Volume,
    to_mni: NDArray[np.float64],
    grid: Volume,
    region: NDArray[np.bool_],
    ceiling: float,
) -> Placed:
    """Carry it to MNI152 by an affine, scale it as `scale_uptake` does, then to 64x64x64.

    Parameters
    ----------
    pet
        As `best_pet` makes it.
    to_mni
        4x4, points of its world to MNI152, mm.
    grid
        The template's brain at 2 mm.
    region
        The reference region on that grid.
    ceiling
        Uptake, in units of the reference region's mean, that becomes 1.

    Returns
    -------
    image, measures
        0..1; with `reference_mean`.
    """
    brain = array(grid) > 0
    data = array(resample(pet, to_mni, grid.affine, grid.shape))
    scaled, measures = scale_uptake(data, region, brain, ceiling)
    return resize(like(grid, scaled)), measures


def to_nonlinear(
    pet: Volume,
    to_mni: NDArray[np.float64],
    warp: Warp,
    grid: Volume,
    reference_mean: float,
    ceiling: float,
    shape: tuple[int, ...],
) -> Placed:
    """Carry it through affine and warp, divide it by the mean of the linear space, and resize it.

    Parameters
    ----------
    pet, to_mni, ceiling
        As for `to_linear`.
    warp
        The field after the affine.
    grid
        The template's brain at 1.5 mm.
    reference_mean
        What `to_linear` has measured.
    shape
        Of the networks' grid.
    """
    brain = array(grid) > 0.5
    data = array(resample_through(pet, to_mni, warp, grid, where=brain))
    scaled, clipped = divide_uptake(data, reference_mean, brain, ceiling)
    measures = {"reference_mean": reference_mean, "clipped_fraction": clipped}
    return resize(like(grid, scaled), shape), measures


def to_anomaly(pet: Volume, to_mni: NDArray[np.float64], warp: Warp, brain: Volume) -> Placed:
    """Carry it through affine and warp onto the anomaly study's grid, scaled by itself.

    Parameters
    ----------
    pet, to_mni, warp
        As for `to_nonlinear`.
    brain
        The template's brain on that grid, 0..1.
    """
    inside = array(brain) > 0.5
    data = array(resample_through(pet, to_mni, warp, brain, where=inside))
    scaled, measures = scale_image(data, inside)
    return like(brain, scaled), measures
