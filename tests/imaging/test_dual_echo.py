"""T2 and PD on the networks' grid: pairs that are none, slices that are kept, standardisation."""

import nibabel as nib
import numpy as np
import pytest

from mri2pet.errors import ScanError
from mri2pet.imaging.dual_echo import (
    ReducedGrid,
    check_alike,
    prepare_pair,
    reduce_volume,
    standardise,
)
from mri2pet.imaging.volume import array

IXI = np.array([0.9375, 0.9375, 1.25])


def scan(shape=(256, 256, 130), voxel=IXI, shift=(0, 0, 0), turn=0.0, data=None):
    affine = np.diag([*voxel, 1.0])
    angle = np.radians(turn)
    affine[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]] @ affine[
        :2, :2
    ]
    affine[:3, 3] = shift
    if data is None:
        data = np.arange(shape[2], dtype=np.float32) * np.ones(shape, np.float32)
    return nib.Nifti1Image(data, affine)


PAPER = ReducedGrid((224, 224, 96), 240.0, 3)


def test_the_reports_grid():
    assert ReducedGrid.from_config({"shape": [224, 224, 96], "field_mm": 240, "every": 3}) == PAPER
    assert PAPER.kept == (224, 224, 32)
    assert ReducedGrid((224, 224, 96), 240.0, 1).kept == (224, 224, 96)
    reduced = reduce_volume(scan(), PAPER)
    assert reduced.shape == (224, 224, 32)
    np.testing.assert_allclose(np.diag(reduced.affine)[:3], [240 / 224, 240 / 224, 3.75])


def test_every_third_of_the_middle_slices_is_kept_as_it_is():
    reduced = reduce_volume(scan(), PAPER)
    np.testing.assert_allclose(array(reduced)[112, 112], np.arange(17, 17 + 96, 3), atol=1e-4)


def test_a_grid_like_the_scans_changes_nothing():
    rng = np.random.default_rng(0)
    data = rng.random((64, 64, 100)).astype(np.float32)
    voxel = np.array([3.75, 3.75, 1.25])
    reduced = reduce_volume(scan(data.shape, voxel, data=data), ReducedGrid((64, 64, 96), 240.0, 3))
    np.testing.assert_allclose(array(reduced), data[:, :, 2:98:3], atol=1e-5)


def test_the_reduced_volume_stays_in_its_place():
    """A linear ramp of world coordinates comes out as the coordinates of the new voxels."""
    image = scan(turn=7, shift=(-100, 30, 5))
    grid = np.stack(np.indices(image.shape), axis=-1)
    world = nib.affines.apply_affine(image.affine, grid)
    for axis in range(3):
        ramp = nib.Nifti1Image(world[..., axis].astype(np.float32), image.affine)
        reduced = reduce_volume(ramp, PAPER)
        there = nib.affines.apply_affine(
            reduced.affine, np.stack(np.indices(reduced.shape), axis=-1)
        )[..., axis]
        inside = (slice(4, -4), slice(4, -4), slice(None))
        np.testing.assert_allclose(array(reduced)[inside], there[inside], atol=0.02)


def test_too_few_slices_are_refused():
    with pytest.raises(ScanError, match="80 slices; 96 are needed"):
        reduce_volume(scan((64, 64, 80)), PAPER)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"shape": (256, 256, 128)}, "T2 has .* voxels and PD"),
        ({"shift": (0, 0, 1.25)}, "up to 1.2 mm apart"),
        ({"voxel": IXI * [1, 1, 1.02]}, "mm apart by their headers"),
        ({"turn": 1}, "mm apart by their headers"),
    ],
)
def test_a_pair_that_is_none_is_refused(other, reason):
    with pytest.raises(ScanError, match=reason):
        check_alike(scan(), scan(**other))


def test_headers_that_differ_by_rounding_are_alike():
    check_alike(scan(), scan(shift=(0.02, 0, -0.03)))


def test_standardised_volumes_have_mean_0_and_sd_1():
    data = np.random.default_rng(0).gamma(2, 300, (20, 20, 20)).astype(np.float32)
    made, mean, sd = standardise(data)
    assert made.dtype == np.float32
    assert abs(made.mean(dtype=float)) < 1e-5
    assert made.std(dtype=float) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(made * sd + mean, data, rtol=1e-3, atol=1e-2)
    with pytest.raises(ScanError, match="the same"):
        standardise(np.ones((2, 2, 2)))


def test_a_pair_is_prepared_with_its_measures():
    rng = np.random.default_rng(0)
    t2, pd = (scan((64, 64, 100), data=rng.random((64, 64, 100)).astype(np.float32) * k)
              for k in (100, 700))  # fmt: skip
    volumes, measures = prepare_pair(t2, pd, ReducedGrid((32, 32, 96), 60.0, 3))
    assert {name: image.shape for name, image in volumes.items()} == dict.fromkeys(
        ("t2", "pd"), (32, 32, 32)
    )
    np.testing.assert_allclose(volumes["t2"].affine, volumes["pd"].affine)
    assert measures["pdMean"] == pytest.approx(350, rel=0.05)
    assert measures["NativeShape"] == [64, 64, 100]
