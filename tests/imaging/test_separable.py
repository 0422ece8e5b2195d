"""Matrices along axes, and parts of volumes, give what scipy gives on whole volumes."""

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from mri2pet.imaging.acpc import apply_acpc
from mri2pet.imaging.linear_weights import linear_weights
from mri2pet.imaging.optical_flow import solve_symmetric
from mri2pet.imaging.resample import isotropic, resample, without_finer_detail
from mri2pet.imaging.separable import along_axes, blur, linear_matrix
from mri2pet.imaging.volume import array
from mri2pet.imaging.warp import Warp, resample_through

RNG = np.random.default_rng(5)


def plainly(image, to_target, affine, shape, order):
    """Resample all of a volume by scipy alone."""
    voxels = np.linalg.inv(image.affine) @ np.linalg.inv(to_target) @ affine
    data = array(image).astype(np.float32)
    footprint = np.linalg.norm(voxels[:3, :3], axis=1)
    sigma = np.sqrt(np.clip(footprint**2 - 1, 0, None)) / 2.355
    if order and sigma.max() > 0.1:
        data = ndimage.gaussian_filter(data, sigma, mode="constant", truncate=3)
    result = ndimage.affine_transform(data, voxels[:3, :3], voxels[:3, 3], shape, order=order)
    return np.clip(result, min(data.min(), 0), array(image).max())


@pytest.mark.parametrize("mode", ["constant", "reflect"])
@pytest.mark.parametrize("sigma", [0.0, 1.3, (2.0, 0.0, 7.0)])
def test_blur_is_that_of_scipy(mode, sigma):
    data = RNG.random((2, 20, 31, 9), dtype=np.float32)
    same = [ndimage.gaussian_filter(one, sigma, mode=mode, truncate=2.5) for one in data]
    np.testing.assert_allclose(blur(data, sigma, 2.5, mode), same, atol=1e-6)
    np.testing.assert_allclose(blur(data[0], sigma, 2.5, mode), same[0], atol=1e-6)


def test_interpolation_beyond_the_edge_is_zero_or_goes_on():
    at = np.array([-0.5, 0, 1.25, 3, 3.2])
    values = np.array([2.0, 4, 8, 16])
    np.testing.assert_allclose(linear_matrix(at, 4) @ values, [0, 2, 5, 16, 0])
    np.testing.assert_allclose(linear_matrix(at, 4, nearest=True) @ values, [2, 2, 5, 16, 16])


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("held", [np.s_[:, :, :], np.s_[3:9, 5:6, 2:20], np.s_[:0, :, :]])
def test_what_is_zero_around_a_brain_changes_nothing(held, order):
    data = np.zeros((12, 31, 22), np.float32)
    data[held] = RNG.normal(size=data[held].shape)
    at = np.linspace(2, 9, 5), np.linspace(-3, 40, 17), np.linspace(30, 40, 4)
    for last in (np.linspace(1, 20, 6), at[2]):
        matrices = [
            linear_matrix(place, count)
            for place, count in zip((*at[:2], last), data.shape, strict=True)
        ]
        same = np.einsum("ai,bj,ck,ijk->abc", *matrices, data)
        found = along_axes(np.asarray(data, order=order), matrices)
        np.testing.assert_allclose(found, same, atol=2e-6)
        assert found.dtype == np.float32


@pytest.mark.parametrize("source", [(9, 12, 7), (1, 5, 6)])
@pytest.mark.parametrize("shift", [(0.3, -2, 1), (50, 0, 0)])
def test_weights_of_many_volumes_are_those_of_scipy(source, shift):
    turn = nib.affines.from_matvec(nib.eulerangles.euler2mat(0.2, -0.1, 0.3) * 0.8, shift)
    if source[0] == 1:
        turn[0] = [0, 0, 0, shift[0] if shift[0] > 1 else 0]
    volumes, target = RNG.normal(size=(3, *source)).astype(np.float32), (11, 8, 9)
    rows, weights = linear_weights(turn, source, target)
    found = np.zeros((3, int(np.prod(target))), np.float32)
    found[:, rows] = volumes.reshape(3, -1) @ weights.T
    same = [
        ndimage.affine_transform(v, turn[:3, :3], turn[:3, 3], target, order=1) for v in volumes
    ]
    np.testing.assert_allclose(found.reshape(3, *target), same, atol=2e-6)
    assert weights.shape == (len(rows), np.prod(source))


@pytest.mark.parametrize("voxel", [0.7, 2.0, 5.5])
def test_cubes_are_those_of_a_general_resampling(voxel):
    affine = np.array([[0, 1.2, 0, 3], [-0.9, 0, 0, 5], [0, 0, 1.1, -7], [0, 0, 0, 1]])
    image = nib.Nifti1Image(RNG.normal(size=(40, 31, 22)).astype(np.float32), affine)
    cubes = isotropic(image, voxel)
    same = plainly(image, np.eye(4), cubes.affine, cubes.shape, 1)
    np.testing.assert_allclose(array(cubes), same, atol=5e-6)


@pytest.mark.parametrize("order", [0, 1, 3])
@pytest.mark.parametrize("voxel", [1.0, 3.0])
def test_a_part_is_resampled_as_the_whole(order, voxel):
    data = np.zeros((60, 70, 50), np.float32)
    data[25:40, 30:52, 20:31] = RNG.random((15, 22, 11))  # a small object in much air
    image = nib.Nifti1Image(data, np.eye(4))
    turn = nib.affines.from_matvec(nib.eulerangles.euler2mat(0.2, -0.1, 0.3), [4, -3, 2])
    affine = nib.affines.from_matvec(np.eye(3) * voxel, [20, 20, 10])
    for shape in ((12, 14, 10), (30, 30, 30)):  # some of it, and all of it
        found = array(resample(image, turn, affine, shape, order=order))
        np.testing.assert_allclose(found, plainly(image, turn, affine, shape, order), atol=2e-6)
    nowhere = nib.affines.from_matvec(np.eye(3) * voxel, [500, 20, 10])
    assert not array(resample(image, turn, nowhere, (5, 5, 5), order=order)).any()
    none = Warp(np.zeros((3, 2, 2, 2), np.float32), np.eye(4))
    grid = nib.Nifti1Image(np.zeros((12, 14, 10), np.float32), affine)
    through = array(resample_through(image, turn, none, grid, order=order))
    same = array(resample(image, turn, affine, grid.shape, order=order))
    np.testing.assert_allclose(through, same, atol=2e-6)


def test_finer_detail_is_left_out_as_before():
    data = RNG.random((30, 20, 25), dtype=np.float32)
    same = ndimage.gaussian_filter(data, np.sqrt(8) / 2.355, mode="constant", truncate=3)
    np.testing.assert_allclose(without_finer_detail(data, np.diag([3.0, 3, 3, 1])), same, atol=1e-6)


def test_many_small_systems_are_solved():
    root = RNG.normal(size=(50, 3, 3))
    matrices = root @ root.transpose(0, 2, 1) + 0.1 * np.eye(3)
    right = RNG.normal(size=(50, 3))
    expected = np.linalg.solve(matrices, right[..., None])[..., 0]
    parts = [matrices[:, i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))]
    np.testing.assert_allclose(solve_symmetric(*parts, right.T).T, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("values", "kind"), [([0, 900], np.int16), ([0, 0.5], np.float32)])
def test_whole_numbers_are_kept_in_half_the_room(values, kind):
    data = RNG.choice(np.array(values, np.float32), (6, 5, 4))
    moved = apply_acpc(nib.Nifti1Image(data, np.eye(4)), np.eye(4))
    assert moved.get_data_dtype() == kind
    np.testing.assert_array_equal(array(moved), data)
