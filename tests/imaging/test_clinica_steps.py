"""What the benchmark takes for Clinica's steps outside of ANTs."""

import nibabel as nib
import numpy as np
import pytest

from mri2pet.imaging.volume import load_volume


@pytest.fixture
def steps(root, monkeypatch):
    monkeypatch.syspath_prepend(root / "benchmarks")
    import clinica_steps

    return clinica_steps


def test_crop_keeps_the_world(steps, tmp_path, atlases):
    template = load_volume(atlases / "anatomy_t1.nii.gz")
    assert template.shape == (193, 229, 193)  # the grid of Clinica's own template
    data = np.zeros(template.shape, np.float32)
    data[20, 30, 40] = 1
    nib.save(nib.Nifti1Image(data, template.affine), tmp_path / "one.nii")
    cropped = nib.load(steps.crop(tmp_path / "one.nii"))
    assert cropped.shape == (169, 208, 179)
    (place,) = np.argwhere(cropped.get_fdata() == 1)
    world = template.affine @ [20, 30, 40, 1]
    np.testing.assert_allclose(cropped.affine @ [*place, 1], world)


def test_background_is_clipped(steps, tmp_path):
    data = np.array([3.0, 3, 3, -1, 2, 7, 9, 5]).reshape(2, 2, 2)
    nib.save(nib.Nifti1Image(data, np.eye(4)), tmp_path / "pet.nii.gz")
    clipped = nib.load(steps.clip(tmp_path / "pet.nii.gz", tmp_path)).get_fdata()
    np.testing.assert_array_equal(clipped.ravel(), [3, 3, 3, 3, 3, 7, 9, 5])
