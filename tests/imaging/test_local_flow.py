"""Flow and affine of a deformed brain, whatever its contrast, shading and mask."""

import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine
from scipy import ndimage

from mri2pet.imaging.accuracy import mean_displacement
from mri2pet.imaging.intensity import unit_range
from mri2pet.imaging.optical_flow import (
    Level,
    affine_by_flow,
    fit_affine,
    local_flow,
    points_by_flow,
)
from mri2pet.imaging.resample import isotropic
from mri2pet.imaging.volume import array, like, load_volume

LEVELS = (Level(5.0, 10, 14.0), Level(4.0, 6, 10.0))


@pytest.fixture(scope="module")
def head(atlases):
    """Return the template's head, 0..1 in the brain, and its solid brain mask."""
    template = load_volume(atlases / "mni152_t1.nii.gz")
    brain = ndimage.binary_fill_holes(array(load_volume(atlases / "mni152_brain_mask.nii.gz")) > 0)
    return like(template, unit_range(array(template), brain)), like(template, brain)


def test_the_affine_of_a_deformation_is_found_through_shading_and_another_contrast(head):
    image, brain = head
    data = array(image)
    # every voxel of the moved head shows the head at its place plus a smooth displacement
    grid = np.indices(data.shape, dtype=np.float32)
    rng = np.random.default_rng(3)
    waves = [ndimage.gaussian_filter(rng.standard_normal(data.shape), 9) for _ in range(3)]
    shift = np.stack([wave / wave.std() * 1.0 for wave in waves])  # voxels of 2 mm
    warped = ndimage.map_coordinates(data, grid + shift, order=1)
    shading = np.linspace(0.8, 1.2, data.shape[1], dtype=np.float32)[None, :, None]
    moving = nib.Nifti1Image((np.sqrt(np.clip(warped, 0, 2)) * shading), image.affine)
    voxels = np.argwhere(array(brain) > 0)[::7]
    points = apply_affine(image.affine, voxels)
    inside = tuple(voxels.T)
    true = fit_affine(points, apply_affine(image.affine, voxels + shift[(slice(None), *inside)].T))
    assert mean_displacement(np.eye(4), true, points) > 0.4
    found = affine_by_flow(image, brain, moving, np.eye(4), LEVELS)
    assert mean_displacement(found, true, points) < 0.3
    np.testing.assert_array_equal(found, affine_by_flow(image, brain, moving, np.eye(4), LEVELS))


def test_a_tight_brain_mask_does_not_inflate_the_brain(head):
    image, brain = head
    tight = ndimage.binary_erosion(array(brain) > 0, iterations=2)
    stripped = like(image, np.where(tight, array(image), 0))
    core = like(image, ndimage.binary_erosion(array(brain) > 0, iterations=4))
    found = affine_by_flow(image, core, stripped, np.diag([1.02, 1.02, 1.02, 1]), LEVELS)
    np.testing.assert_allclose(np.diag(found)[:3], 1, atol=0.01)  # edges in line: 1.05


def test_points_follow_a_shift(head):
    image, brain = (isotropic(volume, 4.0) for volume in head)
    shift = np.array([2.0, -3.0, 1.5])
    moved = nib.Nifti1Image(array(image), image.affine.copy())
    moved.affine[:3, 3] += shift
    points = np.array([[0.0, 0, 0], [30, -40, 20], [-25, 20, 40]])
    at = points_by_flow(image, brain, moved, np.eye(4), points, Level(4.0, 12, 10.0))
    np.testing.assert_allclose(at, points + shift, atol=0.3)


def test_nothing_moves_where_nothing_counts(head):
    image = isotropic(head[0], 4.0)
    nothing = like(image, np.zeros(image.shape, np.float32))
    flow = local_flow(image, nothing, image, np.eye(4), Level(4.0, 1, 10.0))
    assert np.abs(flow).max() == 0


def test_fit_affine_recovers_an_affine_and_averages_noise():
    rng = np.random.default_rng(1)
    true = np.eye(4)
    true[:3] += rng.normal(size=(3, 4)) * [0.1, 0.1, 0.1, 10]
    source = rng.normal(size=(500, 3)) * 40
    target = apply_affine(true, source)
    np.testing.assert_allclose(fit_affine(source, target), true, atol=1e-9)
    noisy = fit_affine(source, target + rng.normal(size=target.shape))
    assert mean_displacement(noisy, true, source) < 0.3
