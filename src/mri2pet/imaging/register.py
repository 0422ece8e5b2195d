"""From AC-PC space to MNI152, and from a PET scan to its MRI."""

import logging
from typing import Any

import numpy as np
from scipy import ndimage

from mri2pet.imaging.antsreg import Schedule, linear
from mri2pet.imaging.coregister import refine_pose
from mri2pet.imaging.intensity import head_mask, normalise
from mri2pet.imaging.optical_flow import Level, affine_by_flow
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

COARSE_MM = 4.0
MARGIN_MM = 12.0  # what is left around the brain
COARSE = Schedule((100,), (2,), (1,), sampling=0.5)
FLOW = (
    Level(voxel_mm=5.0, iterations=10, window_mm=14.0),
    Level(voxel_mm=3.0, iterations=6, window_mm=10.0),
)
WORST_LOSS = 0.005  # of the correlation with the template
CHECK_MM = 2.0  # of the brain that is correlated with it: the template's voxels
EDGE = 1  # voxels of the template's brain mask that do not count
PET_MM = 3.0  # of the PET for mutual information; it need be right to a millimetre or two
PET_RIGID = Schedule((100, 30), (2, 1), (1, 0), sampling=0.15)


def brain_to_template(
    brain: Volume, template: Volume, mask: Volume, start: Array | None = None
) -> Array:
    """Register a skull-stripped T1 to the template with twelve degrees of freedom.

    Local optical flow from the template to the brain (`imaging.flow`), and the affine that fits it
    best over the inside of the brain. Its edge does not count: brain masks differ in how tight
    they are, and an affine that brings edges together inflates the tighter brain by some percent.
    Should the refined affine look clearly less like the template (`WORST_LOSS`), the first one is
    kept.

    Parameters
    ----------
    brain
        Skull-stripped, normalised T1 in AC-PC space.
    template, mask
        MNI152NLin6Asym T1 and its brain mask, 2 mm.
    start
        4x4, where to begin, right to about a centimetre (that of the AC-PC correction); without
        it, a rigid and an affine registration by mutual information.

    Returns
    -------
    Array
        4x4, points of AC-PC space to points of MNI152.
    """
    fixed = crop_to_object(template_brain(template, mask), MARGIN_MM)
    first = coarse_affine(brain, fixed) if start is None else start
    solid = ndimage.binary_fill_holes(array(mask) > 0)
    core = like(mask, ndimage.binary_erosion(solid, iterations=EDGE))
    refined = affine_by_flow(fixed, core, brain, first, FLOW)
    coarse = isotropic(brain, CHECK_MM)
    before, after = (_similarity(coarse, matrix, fixed) for matrix in (first, refined))
    log.info("correlation with the template: first %.4f, refined %.4f", before, after)
    return refined if after >= before - WORST_LOSS else first


def template_brain(template: Volume, mask: Volume) -> Volume:
    """Strip and normalise the template as the brains are: its white matter is at about .7."""
    return like(template, normalise(array(template), array(mask) > 0))


def coarse_affine(brain: Volume, fixed: Volume) -> Array:
    """Affine 4x4 from a brain to the template's by mutual information, from anywhere."""
    target, moving = isotropic(fixed, COARSE_MM), isotropic(brain, COARSE_MM)
    start = np.eye(4)
    start[:3, 3] = centre_of_mass(target) - centre_of_mass(moving)
    rigid = linear(target, moving, "Rigid", start, COARSE)
    return linear(target, moving, "Affine", rigid, COARSE)


def _similarity(brain: Volume, to_template: Array, fixed: Volume) -> float:
    """Correlation of a transformed brain with the template, brain and surroundings alike."""
    moved = resample(brain, to_template, fixed.affine, fixed.shape, order=1)
    return float(np.corrcoef(array(moved).ravel(), array(fixed).ravel())[0, 1])


def pet_to_mri(pet: Volume, brain: Volume) -> tuple[Array, dict[str, Any]]:
    """Register a PET scan rigidly to the brain of its MRI.

    By mutual information, then by least squares on what the MRI tells of the PET
    (`imaging.coregister`).

    Parameters
    ----------
    pet
        Native PET.
    brain
        Skull-stripped, normalised T1 in AC-PC space: FDG shows little outside the brain.

    Returns
    -------
    transform, record
        4x4 rigid, points of the PET's world to points of AC-PC space; for the sidecar, the
        transform by mutual information (`Start`) and what the least squares did and left.
    """
    start = pet_to_mri_by_information(pet, brain)
    transform, record = refine_pose(pet, brain, start)
    return transform, {"Start": start.tolist()} | record


def pet_to_mri_by_information(pet: Volume, brain: Volume) -> Array:
    """Register a PET scan rigidly to the brain of its MRI by mutual information, from anywhere."""
    fixed = crop_to_object(isotropic(brain, COARSE_MM), MARGIN_MM)
    moving = isotropic(pet, PET_MM)
    start = np.eye(4)
    uptake = array(moving) * head_mask(array(moving))
    start[:3, 3] = centre_of_mass(fixed, array(fixed) > 0) - centre_of_mass(moving, uptake)
    return linear(fixed, moving, "Rigid", start, PET_RIGID)
