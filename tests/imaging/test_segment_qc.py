"""Order of tissues, quality measures by hand, verdicts, pictures."""

import tempfile

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from mri2pet.errors import InputError, ScanError
from mri2pet.imaging import qc
from mri2pet.imaging.qcplots import draw
from mri2pet.imaging.segment import order_tissues, segment
from mri2pet.imaging.skullstrip import TOOLS, brain_mask


def head():
    """Three shells: CSF outside, grey matter, white matter in the middle."""
    radius = np.sqrt(((np.indices((40, 40, 40)) - 19.5) ** 2).sum(axis=0))
    truth = np.select([radius < 9, radius < 14, radius < 18], [2, 1, 3], 0)
    level = np.choose(truth, [0, 0.55, 0.9, 0.15])
    noise = np.random.default_rng(0).normal(0, 0.04, truth.shape)
    data = np.where(truth > 0, np.clip(level + noise, 0.01, 1), 0).astype(np.float32)
    return nib.Nifti1Image(data, np.diag([2.0, 2, 2, 1])), truth


def test_tissues_are_found_named_and_twice_the_same():
    image, truth = head()
    mask = nib.Nifti1Image((truth > 0).astype(np.uint8), image.affine)
    probabilities, labels, means = segment(image, mask)
    assert means["CSF"] < means["GM"] < means["WM"]
    for label in (1, 2, 3):
        assert qc.dice(labels == label, truth == label) > 0.95
    total = sum(probabilities.values())
    np.testing.assert_allclose(total[truth > 0], 1, atol=1e-5)
    assert not total[truth == 0].any()
    again, _, _ = segment(image, mask)
    for tissue, found in probabilities.items():
        np.testing.assert_array_equal(found, again[tissue])


def test_segmentation_leaves_no_temporary_files(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    image, truth = head()
    segment(image, nib.Nifti1Image((truth > 0).astype(np.uint8), image.affine))
    assert list(tmp_path.iterdir()) == []
    assert tempfile.gettempdir() == str(tmp_path)


def test_classes_are_ordered_by_intensity_whatever_their_order():
    brain = np.array([0.9, 0.1, 0.5, 0.5])
    inside = np.array([True, True, True, False])
    found = np.array([[1, 0, 0, 1], [0, 2, 0, 0], [0, 0, 0.5, 0.0]])  # WM, CSF, GM
    probabilities, labels, _ = order_tissues(found, brain, inside)
    assert labels.tolist() == [2, 3, 1, 0]
    assert probabilities["CSF"].tolist() == [0, 1, 0, 0]


def test_two_tissues_are_not_three():
    found = np.array([[1.0, 0], [0, 1], [0, 0]])
    with pytest.raises(ScanError, match="fewer than three"):
        order_tissues(found, np.array([0.2, 0.8]), np.array([True, True]))


def test_dice_correlation_and_information():
    a, b = np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)
    assert qc.dice(a, b) == 0.5
    assert qc.dice(a & ~a, a & ~a) == 1
    data = np.random.default_rng(0).random((20, 20, 20))
    mask = np.ones(data.shape, bool)
    assert qc.correlation(data, 3 - 2 * data, mask) == pytest.approx(-1)
    assert qc.correlation(data, np.zeros_like(data), mask) == 0
    assert qc.normalised_information(data, -data, mask) == pytest.approx(1, abs=1e-6)
    other = np.random.default_rng(1).random(data.shape)
    assert qc.normalised_information(data, other, mask) < 0.1


def test_mirrored_brain_is_seen():
    template = np.random.default_rng(0).random((20, 20, 20))
    mask = np.ones(template.shape, bool)
    assert qc.mirror_difference(template, template, mask) > 0.5
    assert qc.mirror_difference(template[::-1], template, mask) < -0.5


def test_verdict_names_every_measure_outside():
    limits = {"min_brain_ml": 800, "max_brain_ml": 2200, "min_template_correlation": 0.3}
    qc.verdict({"brain_ml": 1400, "template_correlation": 0.7}, limits)
    qc.verdict({"pet_mri_information": 0.1}, limits)
    with pytest.raises(ScanError, match=r"brain_ml 2.5e\+03 is above.*template_correlation 0.1"):
        qc.verdict({"brain_ml": 2500, "template_correlation": 0.1}, limits)
    with pytest.raises(ScanError, match="template_correlation nan"):
        qc.verdict({"template_correlation": float("nan")}, limits)
    with pytest.raises(InputError, match="min_brian_ml"):
        qc.verdict({}, {"min_brian_ml": 1})


def test_skullstrip_refuses_impossible_brains_and_unknown_tools(monkeypatch):
    image, truth = head()
    monkeypatch.setitem(TOOLS, "robex", lambda _: truth > 0)
    with pytest.raises(ScanError, match=r"brain mask of 1\d\d ml by robex"):
        brain_mask(image, "robex")
    assert brain_mask(image, "robex", (100, 300)).sum() == (truth > 0).sum()
    with pytest.raises(InputError, match="deepbet, robex"):
        brain_mask(image, "bet")


def test_picture_is_small_and_the_same_twice(tmp_path):
    image, truth = head()
    for name in ("a.png", "b.png"):
        draw(tmp_path / name, image, "head", [ndimage.binary_erosion(truth > 0)])
    draw(tmp_path / "c.png", image, "head", at=np.array([40.0, 40, 40]))
    picture = (tmp_path / "a.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert 2000 < len(picture) < 300_000
    assert picture == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "c.png").stat().st_size > 2000
