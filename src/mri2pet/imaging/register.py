"""From AC-PC space to MNI152, and from a PET scan to its MRI."""

import logging

import numpy as np
from nibabel.affines import apply_affine

from mri2pet.imaging.antsreg import Schedule, deformed_points, linear
from mri2pet.imaging.intensity import head_mask
from mri2pet.imaging.resample import isotropic, resample
from mri2pet.imaging.volume import (
    Array,
    Volume,
    array,
    centre_of_mass,
    crop_to_object,
    like,
)

log = logging.getLogger(__name__)

WORK_MM = 2.0
MARGIN_MM = 12.0  # what is left around the brain: its edge is the strongest feature
RIGID = Schedule((100,), (4,), (2,), sampling=0.5)
AFFINE = Schedule((100, 50), (4, 2), (2, 1), sampling=0.25)
WORST_LOSS = 0.005  # of the correlation with the template
REFINE_MM = 5.0
REFINE_ITERATIONS = (20,)
REFINE_RADIUS = 1
REFINE_STEP = 0.3
REFINE_STRIDE = 3  # every third voxel of the brain, along each axis
PET_RIGID = Schedule((100, 50), (4, 2), (2, 1), sampling=0.25)


def brain_to_template(brain: Volume, template: Volume, mask: Volume) -> Array:
    """Register a skull-stripped T1 to the skull-stripped template with twelve degrees of freedom.

    A short, coarse deformable registration follows the affine, and the result is the affine that
    fits this deformation best over the brain (least squares): on simulated heads it lies closer to
    the true one, though not on the template itself under a loose brain mask (.67 against .25 mm).
    On some real heads the coarse deformation inflates the brain instead: where the refined affine
    looks clearly less like the template (`WORST_LOSS`), the first one is kept.

    Parameters
    ----------
    brain
        Skull-stripped, normalised T1 in AC-PC space.
    template, mask
        MNI152NLin6Asym T1 and its brain mask, 2 mm.

    Returns
    -------
    Array
        4x4, points of AC-PC space to points of MNI152.
    """
    fixed = crop_to_object(like(template, array(template) * (array(mask) > 0)), MARGIN_MM)
    moving = isotropic(brain, WORK_MM)
    start = np.eye(4)
    start[:3, 3] = centre_of_mass(fixed) - centre_of_mass(moving)
    rigid = linear(fixed, moving, "Rigid", start, RIGID)
    affine = linear(fixed, moving, "Affine", rigid, AFFINE)
    voxels = np.argwhere(array(mask) > 0)
    voxels = voxels[(voxels % REFINE_STRIDE == 0).all(axis=1)]
    points = apply_affine(mask.affine, voxels)
    deformed = deformed_points(
        isotropic(fixed, REFINE_MM),
        isotropic(brain, REFINE_MM),
        affine,
        points,
        REFINE_ITERATIONS,
        radius=REFINE_RADIUS,
        step=REFINE_STEP,
    )
    refined = fit_affine(deformed, points)
    before, after = (_similarity(brain, matrix, fixed) for matrix in (affine, refined))
    log.info("correlation with the template: affine %.4f, refined %.4f", before, after)
    return refined if after >= before - WORST_LOSS else affine


def _similarity(brain: Volume, to_template: Array, fixed: Volume) -> float:
    """Correlation of a transformed brain with the template, brain and surroundings alike."""
    moved = resample(brain, to_template, fixed.affine, fixed.shape, order=1)
    return float(np.corrcoef(array(moved).ravel(), array(fixed).ravel())[0, 1])


def fit_affine(source: Array, target: Array) -> Array:
    """Return the 4x4 affine that carries (n, 3) points to (n, 3) points with least squares."""
    homogeneous = np.column_stack([source, np.ones(len(source))])
    solution, *_ = np.linalg.lstsq(homogeneous, target, rcond=None)
    matrix = np.eye(4)
    matrix[:3] = solution.T
    return matrix


def pet_to_mri(pet: Volume, brain: Volume) -> Array:
    """Register a PET scan rigidly to the brain of its MRI by mutual information.

    Parameters
    ----------
    pet
        Native PET.
    brain
        Skull-stripped T1 in AC-PC space: FDG shows little outside the brain.

    Returns
    -------
    Array
        4x4 rigid, points of the PET's world to points of AC-PC space.
    """
    fixed = crop_to_object(isotropic(brain, WORK_MM), MARGIN_MM)
    moving = isotropic(pet, WORK_MM)
    start = np.eye(4)
    uptake = array(moving) * head_mask(array(moving))
    start[:3, 3] = centre_of_mass(fixed, array(fixed) > 0) - centre_of_mass(moving, uptake)
    return linear(fixed, moving, "Rigid", start, PET_RIGID)
