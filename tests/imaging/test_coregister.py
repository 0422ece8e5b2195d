"""A PET laid over its MRI where uptake differs from place to place, and when that cannot be."""

import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine
from scipy import ndimage
from scipy.spatial.transform import Rotation

from mri2pet.imaging import coregister
from mri2pet.imaging.accuracy import mean_displacement
from mri2pet.imaging.coregister import Fit, explain, hats, picture, placed, refine_pose
from mri2pet.imaging.intensity import normalise
from mri2pet.imaging.register import pet_to_mri_by_information
from mri2pet.imaging.resample import resample
from mri2pet.imaging.volume import array, like, load_volume

WORSE = ((0.2, 1.0), (0.3, 0.0))  # residual and next step at two poses


def _step(shift, degrees):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    matrix[:3, 3] = shift
    return matrix


@pytest.fixture
def one_width(monkeypatch):
    """Let the resolution of the PET be known, which takes a third of the time."""
    monkeypatch.setattr(coregister, "FWHM_MM", (6.0,))


@pytest.fixture(scope="module")
def pair(atlases):
    """Return a PET in another pose, the MRI's brain, the true pose, and points of the PET's world.

    Uptake: grey above white matter above fluid, half as much again in front as behind, 30% less in
    a ball of 4 cm in the left temporoparietal lobe; scalp; 6.5 mm resolution, 3% noise, 4 mm grain.
    """
    template = load_volume(atlases / "mni152_t1.nii.gz")
    mask = array(load_volume(atlases / "mni152_brain_mask.nii.gz")) > 0
    brain = like(template, normalise(array(template), mask))
    data = array(brain)
    x, y, z = np.moveaxis(apply_affine(template.affine, np.indices(mask.shape).T).T, 0, 0)
    uptake = np.interp(data, [0.1, 0.6, 0.9], [0.05, 1.0, 0.4]) * mask
    uptake *= 1 + 0.2 * np.tanh(y / 40) + 0.1 * np.sin(x / 25) * np.cos(z / 20)
    uptake *= np.where((x + 50) ** 2 + (y + 50) ** 2 + (z - 30) ** 2 < 20**2, 0.7, 1.0)
    uptake += 0.2 * ~mask * np.clip(array(template) / array(template)[mask].mean(), 0, 1)
    true = _step([6, -9, 11], [7, -5, 4])
    affine = np.diag([2.5, 2.5, 2.5, 1])
    affine[:3, 3] = apply_affine(np.linalg.inv(true), [0, -18, 8]) - 2.5 * 45
    pet = array(resample(like(brain, uptake), np.linalg.inv(true), affine, (91, 91, 91), order=1))
    noise = ndimage.gaussian_filter(np.random.default_rng(2).standard_normal(pet.shape), 0.68)
    pet = ndimage.gaussian_filter(pet, 6.5 / 2.355 / 2.5)
    pet = pet + 0.03 * noise / noise.std() * np.sqrt(np.maximum(pet, 0.02))
    points = apply_affine(np.linalg.inv(true) @ template.affine, np.argwhere(mask)[::50])
    return nib.Nifti1Image(9000 * pet.astype(np.float32), affine), brain, true, points


def test_local_uptake_does_not_pull_the_pose(pair):
    pet, brain, true, points = pair
    start = pet_to_mri_by_information(pet, brain)
    found, record = refine_pose(pet, brain, start)
    before, after = (mean_displacement(pose, true, points) for pose in (start, found))
    assert before > 0.3 > after
    np.testing.assert_allclose(found[:3, :3] @ found[:3, :3].T, np.eye(3), atol=1e-6)
    assert record["Refined"] and record["Residual"][1] < record["Residual"][0]
    again, same = refine_pose(pet, brain, start)
    np.testing.assert_array_equal(found, again)
    assert record == same


def test_a_first_pose_some_mm_off_is_mended(pair, one_width):
    pet, brain, true, points = pair
    start = _step([2, -2, 1], [2, -1, 2]) @ true
    assert mean_displacement(start, true, points) > 3
    found, record = refine_pose(pet, brain, start)
    assert mean_displacement(found, true, points) < 0.3
    assert record["MovedMM"] > 3


def test_the_unit_of_the_pet_and_its_size_of_voxels_do_not_matter(pair, one_width):
    pet, brain, true, points = pair
    finer = resample(pet, np.eye(4), pet.affine @ np.diag([0.8, 0.6, 1.3, 1]), (113, 151, 70))
    found, _ = refine_pose(like(finer, array(finer) / 1e4), brain, true)
    assert mean_displacement(found, true, points) < 0.3


def test_an_exact_model_has_its_rest_at_the_true_pose(pair):
    _, brain, true, _ = pair
    model = picture(hats(brain), 6.0, brain.affine)
    parts = array(model)
    mixed = nib.Nifti1Image(parts @ np.array([0.1, 0.5, 1.0, 0.9, 0.4]), brain.affine)
    pet = resample(mixed, np.linalg.inv(true), np.linalg.inv(true) @ brain.affine, brain.shape)
    fit = explain(pet, model, placed(pet, model, true))
    assert fit.residual < 0.03
    assert np.linalg.norm(fit.step[:3]) < 0.01 and np.linalg.norm(fit.step[3:]) < 1e-4
    off = _step([0.5, 0, -0.5], [0.3, 0, 0])
    away = placed(pet, model, off @ true)
    assert explain(pet, model, away).residual > 2 * fit.residual


def test_where_least_squares_fail_the_first_pose_stays_and_says_why(pair, one_width, monkeypatch):
    pet, brain, true, _ = pair

    def kept(scan, start, reason):
        found, record = refine_pose(scan, brain, start)
        np.testing.assert_array_equal(found, start)
        assert not record["Refined"] and reason in record["Reason"]

    kept(pet, _step([0, 0, 400], [0, 0, 0]) @ true, "no brain in it")
    kept(like(pet, np.zeros(pet.shape)), true, "does not fix the pose")
    monkeypatch.setattr(coregister, "FURTHEST_MM", 0.5)
    kept(pet, _step([1, 1, 0], [1, 0, 0]) @ true, "moved by more than 0.5 mm")
    monkeypatch.setattr(coregister, "FURTHEST_MM", 50.0)
    worse = [
        Fit(left, np.zeros(3), lambda step=step: np.array([step, 0, 0, 0, 0, 0]))
        for left, step in WORSE
    ]
    with monkeypatch.context() as patch:
        patch.setattr(coregister, "explain", lambda *_: worse.pop(0))
        kept(pet, true, "smaller residual")
    monkeypatch.setattr(coregister, "STEPS", 1)
    kept(pet, _step([3, 3, 0], [3, 0, 0]) @ true, "not at rest")
