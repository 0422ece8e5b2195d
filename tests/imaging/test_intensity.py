"""Percentile scaling of MRI, scaling of PET uptake, head masks."""

import numpy as np
import pytest

from mri2pet.errors import InputError, ScanError
from mri2pet.imaging.intensity import head_mask, normalise, otsu, reference_region, scale_uptake


def test_percentiles_become_zero_and_one():
    data = np.arange(1001, dtype=np.float32).reshape(7, 11, 13)
    mask = np.ones(data.shape, bool)
    scaled = normalise(data, mask, (10, 90))
    assert scaled.ravel()[100] == pytest.approx(0)
    assert scaled.ravel()[500] == pytest.approx(0.5)
    assert scaled.ravel()[900] == pytest.approx(1)
    assert (scaled.min(), scaled.max()) == (0, 1)


def test_scale_of_the_scanner_does_not_matter_and_outside_is_zero():
    rng = np.random.default_rng(0)
    data = rng.random((10, 10, 10)).astype(np.float32)
    mask = rng.random(data.shape) > 0.4
    one, other = normalise(data, mask), normalise(data * 700 + 30, mask)
    np.testing.assert_allclose(one, other, atol=1e-4)
    assert not one[~mask].any()


def test_no_brain_and_no_contrast_are_scan_errors():
    data = np.ones((4, 4, 4), np.float32)
    with pytest.raises(ScanError, match="empty"):
        normalise(data, np.zeros(data.shape, bool))
    with pytest.raises(ScanError, match="contrast"):
        normalise(data, np.ones(data.shape, bool))


def test_uptake_by_hand():
    data = np.array([2.0, 4.0, 6.0, 30.0, 9.0], np.float32)
    reference = np.array([True, True, False, False, False])
    mask = np.array([True, True, True, True, False])
    scaled, measures = scale_uptake(data, reference, mask, ceiling=4.0)
    np.testing.assert_allclose(scaled, [2 / 12, 4 / 12, 6 / 12, 1, 0])
    assert measures == {"reference_mean": 3.0, "clipped_fraction": 0.25}


def test_no_uptake_is_a_scan_error():
    with pytest.raises(ScanError, match="no PET uptake"):
        scale_uptake(np.zeros(3), np.ones(3, bool), np.ones(3, bool), 2.0)


def test_reference_regions():
    labels = np.array([0, 90, 91, 108, 116], np.uint8)
    brain = np.array([True, False, True, True, True])
    assert reference_region("cerebellum", labels, brain).tolist() == [
        False,
        False,
        True,
        True,
        True,
    ]
    assert reference_region("brain", labels, brain) is brain
    with pytest.raises(InputError, match="pet_reference"):
        reference_region("pons", labels, brain)


def test_otsu_parts_two_clusters():
    values = np.r_[np.full(500, 10.0), np.full(300, 90.0)] + np.linspace(-5, 5, 800)
    assert 16 < otsu(values) < 84


def test_head_mask_is_the_filled_head():
    grid = np.indices((40, 40, 40)) - 20
    radius = np.sqrt((grid**2).sum(axis=0))
    data = np.random.default_rng(0).random(radius.shape) + 100 * (radius < 15)
    data[(radius > 5) & (radius < 8)] = 0  # a dark shell inside belongs to the head
    data[1:4, 1:4, 1:4] = 100  # a speck outside does not
    mask = head_mask(data)
    assert mask[20, 20, 20]
    assert mask[26, 20, 20]
    assert not mask[2, 2, 2]
    assert mask.sum() == pytest.approx((radius < 15).sum(), rel=0.05)
