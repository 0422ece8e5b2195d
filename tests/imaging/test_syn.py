"""SyN finds a known warp of the template, twice the same, and is refused where it went wrong."""

import numpy as np
import pytest
from nibabel.affines import apply_affine
from scipy.ndimage import gaussian_filter

from mri2pet.errors import ScanError
from mri2pet.imaging import syn
from mri2pet.imaging.optical_flow import fit_affine
from mri2pet.imaging.register import template_brain
from mri2pet.imaging.resample import resample
from mri2pet.imaging.syn import judge_warp, syn_to_template
from mri2pet.imaging.volume import array, load_volume
from mri2pet.imaging.warp import Warp, resample_through, save_warp

VOXEL_MM, ITERATIONS = 5.0, (15, 6)
FINE = {
    "affine_correlation": 0.7,
    "correlation": 0.8,
    "mean_displacement_mm": 2.0,
    "largest_displacement_mm": 9.0,
    "smallest_jacobian": 0.4,
    "folded_fraction": 0.0,
}


@pytest.fixture(scope="module")
def template(atlases):
    return [load_volume(atlases / f"mni152_{name}.nii.gz") for name in ("t1", "brain_mask")]


@pytest.fixture(scope="module")
def imposed(template):
    """A smooth pull-back: the person's point p shows the template's point p + g(p)."""
    rng = np.random.default_rng(1)
    shape = template[0].shape
    smooth = [gaussian_filter(rng.standard_normal(shape), 9) for _ in range(3)]
    data = np.stack([4.0 * part / part.std() for part in smooth])
    return Warp(data.astype(np.float32), template[0].affine)


@pytest.fixture(scope="module")
def found(template, imposed):
    brain = resample_through(template_brain(*template), np.eye(4), imposed, template[0], order=1)
    return syn_to_template(brain, *template, np.eye(4), VOXEL_MM, ITERATIONS)


def test_a_known_warp_is_recovered_better_than_by_any_affine(template, imposed, found):
    warp, measures = found
    x = apply_affine(template[0].affine, np.argwhere(array(template[1]) > 0)[::50])
    there = warp.carry(x.T)
    error = np.linalg.norm(imposed.carry(there).T - x, axis=1).mean()
    inverse = x.copy()  # the person's points of the template's, by fixed-point iteration
    for _ in range(30):
        inverse = x - (imposed.carry(inverse.T).T - inverse)
    affine = apply_affine(fit_affine(x, inverse), x)
    by_affine = np.linalg.norm(imposed.carry(affine.T).T - x, axis=1).mean()
    assert by_affine > 3.0
    assert error < 0.4 * by_affine
    assert measures["correlation"] > measures["affine_correlation"] + 0.05
    assert measures["folded_fraction"] == 0


def test_twice_gives_the_same_bytes(template, imposed, found, tmp_path):
    brain = resample_through(template_brain(*template), np.eye(4), imposed, template[0], order=1)
    again, measures = syn_to_template(brain, *template, np.eye(4), VOXEL_MM, ITERATIONS)
    save_warp(tmp_path / "one.nii.gz", found[0])
    save_warp(tmp_path / "two.nii.gz", again)
    assert (tmp_path / "one.nii.gz").read_bytes() == (tmp_path / "two.nii.gz").read_bytes()
    assert measures == found[1]


def test_the_field_starts_at_the_affine(template, imposed, found):
    """A brain in another place, whose affine is known, has the same field."""
    away = np.diag([1.1, 0.95, 1.05, 1.0])
    away[:3, 3] = [12, -8, 5]
    brain = resample_through(template_brain(*template), np.eye(4), imposed, template[0], order=1)
    moved = resample(brain, away, away @ brain.affine, brain.shape, order=1)
    warp, _ = syn_to_template(moved, *template, np.linalg.inv(away), VOXEL_MM, ITERATIONS)
    inside = np.linalg.norm(found[0].displacement, axis=0) > 0.5
    apart = np.linalg.norm(warp.displacement - found[0].displacement, axis=0)[inside]
    assert apart.mean() < 0.2


@pytest.mark.parametrize(
    ("measure", "value", "message"),
    [
        ("correlation", float("nan"), "not finite"),
        ("folded_fraction", 0.01, r"1\.00% of the brain is folded"),
        ("largest_displacement_mm", 44.0, "moves the brain by 44 mm"),
        ("correlation", 0.6, r"falls from 0\.700 to 0\.600"),
    ],
)
def test_a_field_that_cannot_be_right_excludes_the_scan(measure, value, message):
    judge_warp(FINE)
    with pytest.raises(ScanError, match=message):
        judge_warp(FINE | {measure: value})


def test_a_failure_of_ants_excludes_the_scan_alone(template, monkeypatch):
    class Ants:
        """ANTs that gives up."""

        @staticmethod
        def registration(*_, **__):
            raise RuntimeError("Registration failed with error code 1")

    monkeypatch.setattr(syn, "deterministic_ants", Ants)
    monkeypatch.setattr(syn, "to_ants", lambda image: image)
    with pytest.raises(ScanError, match="SyN gave up: Registration failed with error code 1"):
        syn_to_template(template_brain(*template), *template, np.eye(4), VOXEL_MM, ITERATIONS)
