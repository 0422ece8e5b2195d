"""Every real T1 passes all stages, its brain in MNI space overlaps the template's."""

import nibabel as nib
import numpy as np
import pytest

from mri2pet.imaging import acpc, bias, intensity, qc, register, resample, segment, skullstrip
from mri2pet.imaging.volume import array, like, load_scan, load_volume, voxel_volume_ml

pytestmark = pytest.mark.slow
HEADS = ["bold5000_sub-CSI1_T1w", "bold5000_sub-CSI2_T1w", "ds000240_sub-01_T1w"]
VOXEL = (2.0, 2.0, 2.0)


@pytest.fixture(scope="module")
def template(atlases):
    return load_volume(atlases / "mni152_t1.nii.gz")


@pytest.fixture(scope="module")
def brain(atlases):
    return load_volume(atlases / "mni152_brain_mask.nii.gz")


@pytest.fixture(scope="module", params=HEADS)
def head(request, real, template, brain):
    """Return one head, bias-corrected in AC-PC space."""
    scan = load_scan(real / f"t1/{request.param}.nii.gz")
    marks = acpc.find_landmarks(scan, template, brain)
    assert 22 < acpc.ac_pc_length(marks) < 31
    matrix = acpc.acpc_transform(marks)
    initial = marks.affine @ np.linalg.inv(matrix)
    corrected, field = bias.n4(acpc.apply_acpc(scan, matrix), 8, brain, initial)
    assert field.min() > 0
    assert field.max() < 5
    return request.param, corrected


def in_mni(image, mask, template, brain):
    """Carry on from a brain mask to template space."""
    normalised = like(image, intensity.normalise(array(image), mask))
    matrix = register.brain_to_template(normalised, template, brain)
    assert np.linalg.det(matrix[:3, :3]) > 0  # no reflection: sides are kept
    grid = resample.res2_grid(brain)
    return resample.resample_brain(normalised, like(image, mask), matrix, grid)


def test_real_head_passes_all_stages(head, template, brain, config):
    name, image = head
    mask = skullstrip.brain_mask(image, "deepbet")
    placed, inside = in_mni(image, mask, template, brain)
    target, target_brain = (array(resample.res2_grid(v)) for v in (template, brain))
    measures = qc.mri_measures(array(placed), array(inside) > 0, target, target_brain > 0, VOXEL)
    assert measures["template_dice"] >= 0.92, name
    volume = float(mask.sum() * voxel_volume_ml(image))
    qc.verdict(measures | {"brain_ml": volume}, config["preproc"]["qc"])
    probabilities, labels, _ = segment.segment(placed, inside)
    assert set(np.unique(labels)) == {0, 1, 2, 3}
    assert np.count_nonzero(labels == 1) > np.count_nonzero(labels == 3)
    for data in (placed, *(like(placed, p) for p in probabilities.values())):
        small = resample.resize(data)
        assert small.shape == (64, 64, 64)
        assert 0 <= array(small).min() < array(small).max() <= 1 + 1e-6


def test_robex_agrees_with_deepbet(head):
    name, image = head
    if name != HEADS[2]:
        pytest.skip("ROBEX takes minutes: one head is enough")
    masks = [skullstrip.brain_mask(image, tool) for tool in ("robex", "deepbet")]
    assert qc.dice(*masks) > 0.93


def test_defaced_head_keeps_its_voxels(real):
    path = real / "t1/bold5000_sub-CSI1_T1w.nii.gz"
    scan = load_scan(path)
    np.testing.assert_array_equal(array(scan), nib.load(path).get_fdata(dtype=np.float32))
