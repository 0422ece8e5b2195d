"""The grid of the anomaly study, and a PET scaled by itself."""

import numpy as np
import pytest

from mri2pet.errors import ScanError
from mri2pet.imaging.intensity import scale_image
from mri2pet.imaging.resample import spm_grid


@pytest.mark.parametrize("voxel, shape", [(1.0, (157, 189, 136)), (3.0, (53, 63, 46)), (2.0, None)])
def test_grid_fills_spms_box(voxel, shape):
    grid = spm_grid(voxel)
    assert shape is None or grid.shape == shape
    last = grid.affine @ [*(np.array(grid.shape) - 1), 1]
    np.testing.assert_array_equal(grid.affine[:3, 3], [-78, -112, -50])
    assert ((last[:3] <= [78, 76, 85]) & (last[:3] + voxel > [78, 76, 85])).all()


def test_pet_is_scaled_by_its_own_brain():
    rng = np.random.default_rng(0)
    data = rng.uniform(0, 8000, (20, 20, 20))
    mask = np.zeros(data.shape, bool)
    mask[5:15, 5:15, 5:15] = True
    data[~mask] *= 10  # what is outside does not matter
    scaled, measures = scale_image(data, mask)
    assert scaled.max() == 1 and not scaled[~mask].any() and scaled.dtype == np.float32
    assert measures["top"] == pytest.approx(np.percentile(data[mask], 99.5))
    np.testing.assert_allclose(scale_image(3 * data, mask)[0], scaled, atol=1e-6)
    assert 0.4 < scaled[mask].mean() < 0.6


@pytest.mark.parametrize("mask", [np.zeros((4, 4, 4), bool), np.ones((4, 4, 4), bool)])
def test_pet_without_uptake_is_excluded(mask):
    with pytest.raises(ScanError, match="no PET uptake"):
        scale_image(np.zeros((4, 4, 4)), mask)
