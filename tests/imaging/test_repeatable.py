"""Bias correction, brain mask and segmentation give the same bits twice."""

from functools import partial

import numpy as np
import pytest
from scipy import ndimage

from mri2pet.imaging import skullstrip
from mri2pet.imaging.bias import n4
from mri2pet.imaging.qc import dice
from mri2pet.imaging.segment import segment
from mri2pet.imaging.skullstrip import brain_mask
from mri2pet.imaging.volume import array, like, load_volume


@pytest.fixture(scope="module")
def head(atlases):
    template = load_volume(atlases / "mni152_t1.nii.gz")
    shading = np.linspace(0.8, 1.2, template.shape[1], dtype=np.float32)[None, :, None]
    return like(template, array(template) * shading)


def test_n4_repeats_itself_and_flattens(head, atlases):
    (once, field), (again, _) = n4(head, 3), n4(head, 3)
    np.testing.assert_array_equal(array(once), array(again))
    inside = array(load_volume(atlases / "mni152_brain_mask.nii.gz")) > 0
    along = np.array([field[:, j][inside[:, j]].mean() for j in range(20, 90)])
    imposed = np.linspace(0.8, 1.2, head.shape[1])[20:90]
    assert np.corrcoef(along, imposed)[0, 1] > 0.9


def test_n4_of_a_brain_sees_nothing_of_the_neck(head, atlases):
    """Bright fat below the brain pulls a field that is fitted on it; the brain's own stays."""
    brain = load_volume(atlases / "mni152_brain_mask.nii.gz")
    inside = array(brain) > 0
    below = ~ndimage.binary_dilation(inside, iterations=8)
    below[:, :, 40:] = False
    fat = np.where(below, 3 * array(head), array(head))
    (plain, _), (same, field) = (n4(each, 3, brain, np.eye(4)) for each in (head, like(head, fat)))
    np.testing.assert_allclose(array(same)[inside], array(plain)[inside], rtol=0.02)
    pulled = array(n4(like(head, fat), 3)[0])[inside] / array(plain)[inside]
    assert pulled.std() > 0.02
    assert field[inside].mean() == pytest.approx(1, abs=0.05)


def test_n4_of_a_brain_that_lies_elsewhere_is_of_the_head(head, atlases):
    brain, away = load_volume(atlases / "mni152_brain_mask.nii.gz"), np.eye(4)
    away[:3, 3] = 1000
    (found, field), (same, whole) = n4(head, 4, brain, away), n4(head, 4)
    np.testing.assert_array_equal(array(found), array(same))
    np.testing.assert_array_equal(field, whole)


@pytest.fixture(scope="module")
def their_mask(head):
    """Return the brain mask that deepbet's own call gives."""
    from deepbet.bet import BrainExtraction

    _, mask, _ = BrainExtraction(no_gpu=True).run(head)
    return array(mask).astype(bool)


def test_deepbet_gives_what_its_own_call_gives(head, their_mask, monkeypatch):
    monkeypatch.setattr(skullstrip, "_multiplies_bfloat16", lambda: False)
    np.testing.assert_array_equal(brain_mask(head, "deepbet"), their_mask)


def test_deepbet_in_bfloat16_repeats_itself_and_moves_single_voxels(head, their_mask, monkeypatch):
    monkeypatch.setattr(skullstrip, "_multiplies_bfloat16", lambda: True)
    once, again = brain_mask(head, "deepbet"), brain_mask(head, "deepbet")
    np.testing.assert_array_equal(once, again)
    assert dice(once, their_mask) > 0.999
    assert not (once ^ their_mask)[ndimage.binary_erosion(their_mask, iterations=2)].any()
    assert not (once & ~ndimage.binary_dilation(their_mask, iterations=2)).any()


@pytest.mark.parametrize("shape", [(96, 120, 90), (256, 256, 256), (140, 111, 256)])
def test_deepbet_scales_as_its_own_code_does(shape):
    """Mean and sd are those of the fine grid, of which only the box is at hand."""
    import torch
    from deepbet.utils import normalize

    part = np.random.default_rng(1).normal(300, 200, shape).astype(np.float32)
    part[: shape[0] // 3] = 0  # so that it matters how often each voxel comes on the fine grid
    repeat = partial(torch.nn.functional.interpolate, size=(256, 256, 256), mode="nearest-exact")
    theirs = normalize(repeat(torch.from_numpy(part)[None, None]), 10.0, 650.0)
    ours = skullstrip._scaled(part, (10.0, 650.0), (256, 256, 256))
    np.testing.assert_allclose(repeat(torch.from_numpy(ours)[None, None]), theirs, atol=2e-5)


def test_segmentation_repeats_itself_however_much_air_there_is(atlases):
    mask = load_volume(atlases / "mni152_brain_mask.nii.gz")
    template = load_volume(atlases / "mni152_t1.nii.gz")
    brain = like(template, array(template) / array(template).max() * (array(mask) > 0))
    wide = [like(image, np.pad(array(image), ((3, 9), (8, 2), (5, 5)))) for image in (brain, mask)]
    back = tuple(slice(start, start + n) for start, n in zip((3, 8, 5), brain.shape, strict=True))
    (once, labels, _), (again, labels_again, _) = segment(brain, mask), segment(*wide)
    np.testing.assert_array_equal(labels, labels_again[back])
    for tissue in once:
        np.testing.assert_array_equal(once[tissue], again[tissue][back])
