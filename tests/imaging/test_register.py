"""ITK and RAS matrices, and registrations of the template to itself in another place."""

import subprocess
import sys

import nibabel as nib
import numpy as np
from nibabel.affines import apply_affine
from scipy import ndimage

from mri2pet.imaging import register
from mri2pet.imaging.accuracy import mean_displacement
from mri2pet.imaging.antsreg import deterministic_ants, flip_lps_ras, itk_to_matrix
from mri2pet.imaging.register import (
    brain_to_template,
    coarse_affine,
    pet_to_mri,
    template_brain,
)
from mri2pet.imaging.volume import array, crop_to_object, like, load_volume


def test_itk_transform_is_read_as_itk_applies_it():
    ants = deterministic_ants()
    rng = np.random.default_rng(0)
    parameters, centre = rng.normal(size=12), rng.normal(size=3) * 20
    itk = ants.create_ants_transform(
        transform_type="AffineTransform",
        dimension=3,
        parameters=parameters.tolist(),
        fixed_parameters=centre.tolist(),
    )
    matrix = itk_to_matrix(itk.parameters, itk.fixed_parameters)
    for point in rng.normal(size=(3, 3)) * 50:
        expected = itk.apply_to_point(point.tolist())
        np.testing.assert_allclose(apply_affine(matrix, point), expected, atol=1e-4)


def test_lps_to_ras_by_hand():
    lps = np.eye(4)
    lps[:3, 3] = [1, 2, 3]
    lps[0, 2] = 0.5
    ras = flip_lps_ras(lps)
    np.testing.assert_array_equal(ras[:3, 3], [-1, -2, 3])
    assert ras[0, 2] == -0.5
    np.testing.assert_array_equal(flip_lps_ras(ras), lps)


def _brain(atlases):
    template = load_volume(atlases / "mni152_t1.nii.gz")
    mask = load_volume(atlases / "mni152_brain_mask.nii.gz")
    brain = like(template, array(template) / array(template).max() * (array(mask) > 0))
    points = apply_affine(mask.affine, np.argwhere(array(mask) > 0)[::100])
    return template, mask, brain, points


def test_affine_to_the_template_is_recovered_and_twice_the_same(atlases):
    template, mask, brain, points = _brain(atlases)
    imposed = np.array(
        [[1.08, 0.03, 0, 4], [-0.05, 0.95, 0.1, -9], [0, -0.08, 1.1, 7], [0, 0, 0, 1]]
    )
    moved = nib.Nifti1Image(array(brain), imposed @ brain.affine)
    found = brain_to_template(moved, template, mask)
    native = apply_affine(imposed, points)
    assert mean_displacement(found, np.linalg.inv(imposed), native) < 0.5
    np.testing.assert_array_equal(found, brain_to_template(moved, template, mask))
    near = np.linalg.inv(imposed)
    near[:3, 3] += [4, -3, 5]  # from a first transform that is some mm off
    again = brain_to_template(moved, template, mask, near)
    assert mean_displacement(again, np.linalg.inv(imposed), native) < 0.3


def test_rigid_pet_is_recovered_from_another_contrast(atlases):
    _, _, brain, points = _brain(atlases)
    angle = np.radians(10)
    imposed = np.eye(4)
    imposed[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    imposed[:3, 3] = [8, -15, 12]
    data = array(brain)
    uptake = np.where(data > 0, np.exp(-(((data - 0.6) / 0.15) ** 2)), 0).astype(np.float32)
    pet = nib.Nifti1Image(uptake, imposed @ brain.affine)
    found, refinement = pet_to_mri(pet, brain)
    assert refinement["Refined"]
    np.testing.assert_allclose(found[:3, :3] @ found[:3, :3].T, np.eye(3), atol=1e-6)
    native = apply_affine(imposed, points)
    assert mean_displacement(found, np.linalg.inv(imposed), native) < 1.0


def test_a_refinement_that_inflates_the_brain_is_dropped(atlases, monkeypatch):
    template, mask, brain, points = _brain(atlases)
    monkeypatch.setattr(register, "affine_by_flow", lambda *_: np.diag([1.2, 1.2, 1.2, 1.0]))
    kept = brain_to_template(brain, template, mask, np.eye(4))  # 1.2 would be off by 10 mm
    np.testing.assert_array_equal(kept, np.eye(4))
    plain = brain_to_template(brain, template, mask)
    fixed = crop_to_object(template_brain(template, mask), register.MARGIN_MM)
    np.testing.assert_array_equal(plain, coarse_affine(brain, fixed))
    assert mean_displacement(plain, np.eye(4), points) < 1.5


def test_a_loose_brain_mask_does_not_change_the_scale(atlases):
    template, mask, _, points = _brain(atlases)
    loose = ndimage.binary_dilation(array(mask) > 0, iterations=2)
    head = like(template, array(template) / array(template).max() * loose)
    found = brain_to_template(head, template, mask)
    assert mean_displacement(found, np.eye(4), points) < 0.3


def test_ants_is_imported_without_its_statistics_and_keeps_what_is_used():
    script = (
        "import sys; from mri2pet.imaging.antsreg import deterministic_ants as load; a = load();"
        "assert not {'statsmodels', 'matplotlib', 'pandas'} & set(sys.modules);"
        "a.registration, a.atropos, a.n4_bias_field_correction, a.read_transform;"
        "import ants.plotting as p, pandas; assert p.plot and pandas.DataFrame"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
