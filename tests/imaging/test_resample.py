"""Resampling: identity, known shifts, sides, composition, the resize and its field of view."""

import nibabel as nib
import numpy as np
import pytest

from mri2pet.imaging.resample import (
    RES2_SHAPE,
    isotropic,
    on_grid,
    overlap_weights,
    res2_grid,
    resample,
    resample_brain,
    resize,
)
from mri2pet.imaging.volume import array, centre_of_mass

GRID = np.array([[2.0, 0, 0, -90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1]])


def blob(centre, shape=(91, 109, 91), affine=GRID, width=8.0):
    index = np.indices(shape).reshape(3, -1).T
    points = nib.affines.apply_affine(affine, index)
    data = np.exp(-(((points - centre) / width) ** 2).sum(axis=1) / 2).reshape(shape)
    return nib.Nifti1Image(data.astype(np.float32), affine)


@pytest.mark.parametrize("order", [0, 1, 3])
def test_identity_gives_the_image_back(order):
    image = blob([10, -20, 15])
    same = resample(image, np.eye(4), GRID, image.shape, order=order)
    np.testing.assert_allclose(array(same), array(image), atol=2e-6)


def test_whole_voxel_shift_is_exact():
    image = blob([10, -20, 15])
    shift = np.eye(4)
    shift[:3, 3] = [4, -6, 2]
    moved = array(resample(image, shift, GRID, image.shape))
    np.testing.assert_allclose(
        moved[10:80, 10:90, 10:80], array(image)[8:78, 13:93, 9:79], atol=1e-5
    )


def test_transform_carries_points_the_way_it_says():
    angle = np.radians(20)
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix[:3, 3] = [5, 3, -8]
    centre = np.array([20.0, -30, 10])
    moved = resample(blob(centre), matrix, GRID, RES2_SHAPE)
    expected = nib.affines.apply_affine(matrix, centre)
    np.testing.assert_allclose(centre_of_mass(moved), expected, atol=0.05)


@pytest.mark.parametrize("codes", ["LAS", "LPS", "PSR", "ASL", "IRP"])
def test_sides_are_kept_from_any_orientation(codes):
    right = blob([40, -20, 15])
    turn = nib.orientations.ornt_transform(
        nib.io_orientation(GRID), nib.orientations.axcodes2ornt(codes)
    )
    placed = resample(right.as_reoriented(turn), np.eye(4), GRID, RES2_SHAPE, order=1)
    assert array(placed)[65, 53, 43] > 0.99
    np.testing.assert_allclose(array(placed), array(right)[:90, :, :90], atol=1e-5)


def test_two_transforms_in_one_interpolation_are_their_product():
    rigid, affine = np.eye(4), np.diag([1.1, 0.9, 1.05, 1.0])
    rigid[:3, 3] = [10, -5, 3]
    centre = np.array([12.0, -20, 9])
    moved = resample(blob(centre), affine @ rigid, GRID, RES2_SHAPE)
    expected = affine[:3, :3] @ (centre + rigid[:3, 3])
    np.testing.assert_allclose(centre_of_mass(moved), expected, atol=0.05)


def test_grid_leaves_out_the_last_planes_only():
    template = nib.Nifti1Image(np.zeros((91, 109, 91), np.float32), GRID)
    grid = res2_grid(template)
    assert grid.shape == (90, 109, 90)
    np.testing.assert_array_equal(grid.affine, GRID)


def test_resize_covers_the_same_field_of_view():
    small = resize(blob([10, -20, 15], RES2_SHAPE))
    assert small.shape == (64, 64, 64)
    np.testing.assert_allclose(np.diag(small.affine)[:3], [2.8125, 3.40625, 2.8125])
    for corner in (0, 1):
        old = nib.affines.apply_affine(GRID, np.array(RES2_SHAPE) * corner - 0.5)
        new = nib.affines.apply_affine(small.affine, np.array([64] * 3) * corner - 0.5)
        np.testing.assert_allclose(old, new)
    np.testing.assert_allclose(centre_of_mass(small), [10, -20, 15], atol=0.01)


def test_resize_keeps_means_and_probabilities():
    rng = np.random.default_rng(0)
    one = rng.random(RES2_SHAPE).astype(np.float32)
    a, b = (array(resize(nib.Nifti1Image(x, GRID))) for x in (one, 1 - one))
    np.testing.assert_allclose(a + b, 1, atol=1e-6)
    assert a.mean() == pytest.approx(one.mean(), abs=1e-5)
    assert a.std() < one.std() / 1.3  # averaged, not picked


def test_weights_by_hand():
    np.testing.assert_allclose(overlap_weights(3, 2), [[2 / 3, 1 / 3, 0], [0, 1 / 3, 2 / 3]])


def test_coarser_grid_does_not_alias():
    stripes = np.zeros((64, 64, 64), np.float32)
    stripes[::2] = 1
    image = nib.Nifti1Image(stripes, np.eye(4))
    coarse = array(resample(image, np.eye(4), np.diag([4.0, 4, 4, 1]), (16, 16, 16), order=1))
    np.testing.assert_allclose(coarse[3:13, 3:13, 3:13], 0.5, atol=0.05)


def test_isotropic_keeps_the_world():
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    image = blob([30, 60, 70], (60, 60, 50), affine)
    cubes = isotropic(image, 2.0)
    assert cubes.shape == (30, 60, 75)
    np.testing.assert_allclose(centre_of_mass(cubes), centre_of_mass(image), atol=0.05)


def test_labels_are_read_where_they_lie():
    labels = np.zeros((181, 217, 181), np.uint8)
    affine = np.eye(4)
    affine[:3, 3] = [-90, -125, -71]
    labels[100, 50, 60] = 77  # at x 10, y -75, z -11
    labels[100:102, 49:51, 60:62] = 77
    grid = nib.Nifti1Image(np.zeros(RES2_SHAPE, np.uint8), GRID)
    placed = on_grid(nib.Nifti1Image(labels, affine), grid)
    assert set(np.unique(placed)) == {0, 77}
    assert placed[50, 25, 31] == 77  # x 10, y -76, z -10


def test_brain_is_zero_outside_its_mask_and_in_range():
    brain = blob([0, -20, 10], width=30.0)
    mask = nib.Nifti1Image((array(brain) > 0.3).astype(np.uint8), GRID)
    placed, inside = resample_brain(brain, mask, np.eye(4), res2_grid(brain))
    assert array(placed).min() >= 0
    assert array(placed).max() <= 1
    assert not array(placed)[array(inside) == 0].any()
    np.testing.assert_array_equal(array(inside), array(mask)[:90, :, :90])
