"""Geometry of the AC-PC transform from known points, and what finding the points achieves."""

import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine

from mri2pet.errors import ScanError
from mri2pet.imaging import acpc
from mri2pet.imaging.accuracy import acpc_errors, pose_angles
from mri2pet.imaging.acpc import Landmarks, acpc_transform, apply_acpc, fit_plane
from mri2pet.imaging.volume import array, load_volume


def pose(roll, yaw, pitch, shift):
    (cr, cy, cp), (sr, sy, sp) = (f(np.radians([roll, yaw, pitch])) for f in (np.cos, np.sin))
    matrix = np.eye(4)
    matrix[:3, :3] = (
        np.array([[cr, 0, sr], [0, 1, 0], [-sr, 0, cr]])
        @ np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
        @ np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    )
    matrix[:3, 3] = shift
    return matrix


def test_angles_come_back():
    np.testing.assert_allclose(pose_angles(pose(5, -8, 12, 0)[:3, :3]), [5, -8, 12])


def test_transform_undoes_a_known_pose_exactly():
    matrix = pose(9, -11, 14, [20, -25, 10])
    ac, pc, up = apply_affine(matrix, [[0, 0, 0], [0, -26, 0], [0, 0, 60]])
    marks = Landmarks(ac, pc, matrix[:3, 0])
    found = acpc_transform(marks)
    np.testing.assert_allclose(found @ matrix, np.eye(4), atol=1e-12)
    errors = acpc_errors(found, ac, pc, up)
    np.testing.assert_allclose(list(errors.values()), 0, atol=1e-5)


def test_transform_is_rigid_though_landmarks_are_off_the_plane():
    marks = Landmarks(np.array([1.0, 2, 3]), np.array([0.2, -24, 4]), np.array([1.0, 0.05, -0.1]))
    matrix = acpc_transform(marks)
    np.testing.assert_allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1)
    ac, pc = apply_affine(matrix, [marks.ac, marks.pc])
    assert ac[0] == pytest.approx(-pc[0])  # the plane runs between them
    np.testing.assert_allclose([ac[1], ac[2], pc[2]], 0, atol=1e-12)
    assert pc[1] < -20


def test_errors_by_hand():
    errors = acpc_errors(pose(0, 0, 0, [1, 0, 0]), [0, 0, 0], [0, -25, 0], [0, 0, 60])
    assert errors["ac_mm"] == pytest.approx(1)
    assert errors["pc_mm"] == pytest.approx(1)
    assert errors["yaw_deg"] == pytest.approx(0)
    turned = acpc_errors(pose(0, 0, 3, 0), [0, 0, 0], [0, -25, 0], [0, 0, 60])
    assert turned["pitch_deg"] == pytest.approx(3)
    assert turned["ac_mm"] == pytest.approx(0)


def test_plane_through_points_points_right():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(50, 3)) * [0, 30, 30]
    matrix = pose(6, 4, 0, [7, 0, 0])
    np.testing.assert_allclose(fit_plane(apply_affine(matrix, points)), matrix[:3, 0], atol=1e-9)


def test_only_the_affine_changes():
    data = np.random.default_rng(0).random((8, 9, 10)).astype(np.float32)
    matrix = pose(3, 2, 1, [4, 5, 6])
    moved = apply_acpc(nib.Nifti1Image(data, np.diag([2.0, 2, 2, 1])), matrix)
    np.testing.assert_array_equal(array(moved), data)
    np.testing.assert_allclose(moved.affine, matrix @ np.diag([2.0, 2, 2, 1]))


def test_template_in_another_pose_is_found_again_and_twice_the_same(atlases):
    template = load_volume(atlases / "mni152_t1.nii.gz")
    brain = load_volume(atlases / "mni152_brain_mask.nii.gz")
    matrix = pose(8, -10, -12, [15, -20, 25])
    turned = nib.Nifti1Image(array(template), matrix @ template.affine)
    marks = acpc.find_landmarks(turned, template, brain)
    truth = apply_affine(matrix, [acpc.AC_MNI, acpc.PC_MNI])
    np.testing.assert_allclose([marks.ac, marks.pc], truth, atol=0.5)
    normal = matrix[:3, :3] @ acpc.MIDLINE_NORMAL
    assert np.degrees(np.arccos(np.clip(normal @ marks.normal, -1, 1))) < 0.5
    middle = apply_affine(matrix, [[0, -20, 0], [40, -60, 20], [-50, 30, 10]])
    back = apply_affine(np.linalg.inv(matrix), middle)
    assert np.linalg.norm(apply_affine(marks.affine, middle) - back, axis=1).max() < 1.0
    again = acpc.find_landmarks(turned, template, brain)
    np.testing.assert_array_equal(marks.ac, again.ac)
    np.testing.assert_array_equal(marks.normal, again.normal)


def test_a_head_that_cannot_be_registered_is_a_scan_error(monkeypatch, atlases):
    template = load_volume(atlases / "mni152_t1.nii.gz")
    brain = load_volume(atlases / "mni152_brain_mask.nii.gz")
    far = np.array([[0.0, 40, 0], [0, -40, 0]])
    monkeypatch.setattr(acpc, "register_head", lambda *_: (np.eye(4), template))
    monkeypatch.setattr(acpc, "points_by_flow", lambda *_: far)
    with pytest.raises(ScanError, match=r"80\.0 mm apart"):
        acpc.find_landmarks(template, template, brain)
