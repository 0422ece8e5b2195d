import numpy as np
import pytest

from mri2pet.synthesis.smoothing import search_fwhm, smooth, voxel_size

VOXEL = (1.0, 1.5, 2.0)


def ball(shape=(30, 24, 20)):
    grid = np.indices(shape) - (np.array(shape) - 1).reshape(3, 1, 1, 1) / 2
    return np.linalg.norm(grid / (np.array(shape).reshape(3, 1, 1, 1) / 2.4), axis=0) < 1


def test_a_point_gets_the_width_asked_for_in_mm():
    volume, mask = np.zeros((41, 41, 41)), np.ones((41, 41, 41), bool)
    volume[20, 20, 20] = 1
    made = smooth(volume, 6.0, VOXEL, mask)
    for axis, side in enumerate(VOXEL):
        profile = np.moveaxis(made, axis, 0)[:, 20, 20].astype(float)
        places = np.arange(41) * side
        mean = (profile * places).sum() / profile.sum()
        sigma = np.sqrt((profile * (places - mean) ** 2).sum() / profile.sum())
        assert sigma * 2.3548 == pytest.approx(6.0, rel=0.02)


def test_the_rim_of_the_brain_does_not_grow_dark():
    mask = ball()
    made = smooth(0.7 * mask, 5.0, VOXEL, mask)
    np.testing.assert_allclose(made[mask], 0.7, rtol=1e-6)
    assert not made[~mask].any()


def test_what_lies_outside_does_not_enter():
    mask, rng = ball(), np.random.default_rng(0)
    volume = rng.random(mask.shape)
    inside = smooth(volume * mask, 3.0, VOXEL, mask)
    np.testing.assert_allclose(smooth(volume, 3.0, VOXEL, mask), inside, rtol=1e-6)


def test_no_width_changes_nothing():
    mask = ball()
    volume = np.random.default_rng(0).random(mask.shape).astype(np.float32) * mask
    np.testing.assert_array_equal(smooth(volume, 0, VOXEL, mask), volume)


def negative_error(real, made, mask):
    return -float(np.abs(real - made)[mask].mean())


def test_the_search_finds_the_width_that_undoes_the_noise():
    mask, rng = ball((40, 40, 40)), np.random.default_rng(0)
    grid = np.indices(mask.shape)
    real = (0.5 + 0.3 * np.sin(grid / 4).prod(axis=0)) * mask
    noisy = (real + rng.normal(0, 0.2, real.shape)) * mask
    voxel = (1.0, 1.0, 1.0)
    widths = [3.0, 0.0, 1.5]
    best, scores = search_fwhm([noisy], [real], mask, voxel, widths, negative_error)
    assert list(scores) == [0.0, 1.5, 3.0]
    assert best == 3.0
    best, _ = search_fwhm([real], [real], mask, voxel, widths, negative_error)
    assert best == 0.0


def test_voxel_size_is_that_of_the_affine():
    affine = np.array([[0, -2.0, 0, 5], [1.0, 0, 0, 3], [0, 0, 3.0, 1], [0, 0, 0, 1]])
    assert voxel_size(affine) == (1.0, 2.0, 3.0)
