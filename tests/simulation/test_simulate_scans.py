"""Scans of simulated people: anatomy, disease, DICOM, truth. Coarse grids, to be quick."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from mri2pet.errors import InputError
from mri2pet.simulation.adni_scans import simulate_subject, simulate_visit
from mri2pet.simulation.anatomy import make_head, regional_uptake
from mri2pet.simulation.dicom_writer import mri_image, pet_image, series_folder, write_series
from mri2pet.simulation.mri import MRI_FIELD, SAGITTAL, Scan, scan_grid
from mri2pet.simulation.people import plan_people
from mri2pet.simulation.pet import activity
from mri2pet.simulation.template import load_template, make_template, save_template
from mri2pet.simulation.truth import load_truth
from mri2pet.simulation.uptake import regions
from mri2pet.simulation.visit_scans import whole_folder
from mri2pet.simulation.warps import apply, jacobian

SCANNER = {"mri_voxel_mm": [2.4, 2.0, 2.0], "pet_voxel_mm": [3.0, 3.0, 3.0]}
PEOPLE = plan_people({"paired": 4, "mri_only": 0, "second_visits": 4, "groups": ["CN", "AD"]}, 7)


@pytest.fixture(scope="session")
def template(atlases):
    return make_template(atlases)


@pytest.fixture(scope="session")
def person():
    return next(person for person in PEOPLE if person.group == "AD" and len(person.visits) == 2)


@pytest.fixture(scope="session")
def folder(template, person, tmp_path_factory):
    """Make one person's baseline: raw/ and truth/bl/."""
    folder = tmp_path_factory.mktemp("simulated")
    (folder / "raw").mkdir()
    simulate_visit(template, person, 0, SCANNER, folder / "raw", folder / "truth")
    return folder


@pytest.fixture(scope="session")
def scans(folder, person):
    return {
        image.modality: convert(folder / "raw" / series_folder(image))
        for image in (mri_image(person.visits[0]), pet_image(person.visits[0], 1))
    }


@pytest.fixture(scope="session")
def ill(template, person):
    return make_head(template, person, person.visits[0])


@pytest.fixture(scope="session")
def truth(folder):
    return load_truth(folder / "truth/bl")


def convert(series: Path) -> nib.Nifti1Image:
    """Convert a series with dcm2niix into its own folder, and return the one volume it makes."""
    program = shutil.which("dcm2niix", path=Path(sys.executable).parent) or "dcm2niix"
    command = [program, "-b", "n", "-z", "n", "-f", "out", str(series)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "warning" not in (done.stdout + done.stderr).lower(), done.stdout
    (image,) = series.glob("out*.nii")
    return nib.load(image)


def values(image, points):
    where = apply(np.linalg.inv(image.affine), points).T
    return map_coordinates(np.asarray(image.dataobj, float), where, order=1)


def brain_points(template, flip=False):
    index = np.argwhere(template.tissue[:2].sum(axis=0) > 0.5)[::150]
    points = apply(template.affine, index)
    return points * [-1, 1, 1] if flip else points


def at(volume, template, points):
    return map_coordinates(volume, (points - template.affine[:3, 3]).T, order=1)


def test_same_anatomy_at_the_true_places(template, scans, truth):
    points = brain_points(template)
    wanted = at(template.t1, template, points)
    found = values(scans["MR"], truth.template_to_t1(points))
    mirrored = values(scans["MR"], truth.template_to_t1(brain_points(template, flip=True)))
    fit, wrong = np.corrcoef(wanted, found)[0, 1], np.corrcoef(wanted, mirrored)[0, 1]
    assert fit > 0.8
    assert wrong < fit - 0.15


def test_pet_lies_where_its_truth_says(template, scans, truth):
    points = brain_points(template)
    uptake = np.array(truth.values["regions"]["uptake"])
    blurred = gaussian_filter(activity(template, uptake), 2.8)
    wanted = at(blurred, template, points)
    found = values(scans["PT"], truth.template_to_pet(points))
    assert np.corrcoef(wanted, found)[0, 1] > 0.9
    shifted = values(scans["PT"], truth.template_to_pet(points + np.array([6.0, 0, 0])))
    assert np.corrcoef(wanted, shifted)[0, 1] < np.corrcoef(wanted, found)[0, 1] - 0.03


def test_truth_agrees_with_itself(template, truth):
    points = brain_points(template)[::20]
    t1 = truth.template_to_t1(points)
    assert truth.t1_to_template(t1) == pytest.approx(points, abs=2e-3)
    assert apply(truth.t1_from_pet, truth.template_to_pet(points)) == pytest.approx(t1, abs=1e-6)
    for name in ("AC", "PC", "genu of CC"):
        place = np.array([truth.values["landmarks_t1"][name]])
        assert truth.t1_to_template(place)[0] == pytest.approx(template.landmarks[name], abs=5e-3)
        pet = np.array([truth.values["landmarks_pet"][name]])
        assert apply(truth.t1_from_pet, pet) == pytest.approx(place, abs=1e-3)
    affine = np.array(truth.values["affine_mni2009c_from_t1"])
    error = np.linalg.norm(apply(affine, t1) - points, axis=1)
    assert 1 < np.median(error) < 5


def test_mid_sagittal_point_is_right_of_left(template, truth):
    ac, pc, top = (np.array(truth.values["landmarks_t1"][k]) for k in ("AC", "PC", "mid_sagittal"))
    assert np.linalg.norm(top - ac) == pytest.approx(60, abs=0.01)
    assert (top - ac) @ (ac - pc) == pytest.approx(0, abs=0.1)
    normal = np.cross(ac - pc, top - ac)
    normal /= np.linalg.norm(normal)
    for name in template.landmarks:
        if name.startswith(("R ", "L ")):
            side = normal @ (np.array(truth.values["landmarks_t1"][name]) - ac)
            assert side > 0 if name.startswith("R ") else side < 0, name


def test_labels_lie_on_the_grid_of_the_t1(scans, folder, truth):
    t1 = nib.as_closest_canonical(scans["MR"])
    for name in ("brain_mask", "tissue"):
        label = nib.load(folder / f"truth/bl/{name}.nii.gz")
        assert label.shape == t1.shape
        assert np.abs(label.affine - t1.affine).max() < 0.01
    data, tissue = np.asarray(t1.dataobj), np.asarray(label.dataobj)
    grey, white, fluid = (np.median(data[tissue == k]) for k in (1, 2, 3))
    assert fluid < 0.6 * grey < grey < 0.85 * white
    brain = np.asarray(nib.load(folder / "truth/bl/brain_mask.nii.gz").dataobj) > 0
    assert not any(brain.take(edge, axis).any() for axis in range(3) for edge in (0, -1))
    assert 1000 < truth.values["brain_ml"] < 2000
    assert brain[tissue > 0].mean() > 0.99


@pytest.mark.parametrize("modality", ["MR", "PT"])
def test_a_marker_keeps_its_place_and_side(tmp_path, person, modality):
    visit = person.visits[0]
    if modality == "MR":
        image = mri_image(visit)
        voxel, centre = np.array([2.4, 2.2, 2.0]), np.array([7.0, -31.0, 12.0])
        shape, affine = scan_grid(SAGITTAL, MRI_FIELD, voxel, centre)
    else:
        image, shape = pet_image(visit, 1), (60, 50, 40)
        affine = np.diag([-4.0, -4.2, 3.5, 1.0])
        affine[:3, 3] = [101.3, 88.7, -61.9]
    index = np.array([11, 17, 23])
    data = np.random.default_rng(0).integers(0, 50, shape).astype(np.int16)
    data[tuple(index)] = 9000
    found = convert(write_series(tmp_path, person, visit, image, Scan(data, affine)))
    volume = np.asarray(found.dataobj)
    place = apply(found.affine, np.array([np.unravel_index(volume.argmax(), volume.shape)]))
    assert place == pytest.approx(apply(affine, index[None]), abs=0.1)
    assert sorted(found.shape) == sorted(shape)


def test_frames_become_a_fourth_axis(tmp_path, person):
    visit = person.visits[0]
    image = pet_image(visit, 3)
    data = np.random.default_rng(0).integers(0, 90, (20, 24, 12, 3)).astype(np.int16)
    data[..., 1] += 500
    affine = np.diag([-4.0, -4.0, 4.0, 1.0])
    found = convert(write_series(tmp_path, person, visit, image, Scan(data, affine)))
    assert found.shape == (20, 24, 12, 3)
    means = np.asarray(found.dataobj).mean(axis=(0, 1, 2))
    assert means.argmax() == 1


def test_same_seed_same_bytes(template, person, folder, tmp_path):
    one = replace(person, visits=person.visits[:1])
    simulate_subject(template, one, SCANNER, tmp_path / "raw", tmp_path / "truth")
    for name in ("raw", "truth"):
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        assert files
        for path in files:
            assert path.read_bytes() == (folder / path.relative_to(tmp_path)).read_bytes()


def test_disease_shrinks_and_darkens_its_regions(template, person, ill):
    visit = person.visits[0]
    healthy = make_head(template, replace(person, group="CN", severity=0.05), visit)
    uptake = dict(zip(template.names, ill.uptake / healthy.uptake, strict=True))
    for name in ("Cingulum_Post_L", "Precuneus_R", "Angular_L", "Temporal_Mid_R", "Hippocampus_L"):
        assert uptake[name] < 0.95, name
    assert uptake["Cerebelum_6_L"] == pytest.approx(1, abs=0.01)
    assert uptake["Precentral_R"] == pytest.approx(1, abs=0.02)
    volume = [region_volumes(template, h.deformation.displacement) for h in (healthy, ill)]
    ratio = {name: volume[1][name] / volume[0][name] for name in volume[0]}
    assert ratio["Hippocampus"] < 0.92
    assert ratio["Temporal_Mid"] < 0.95
    assert ratio["Cerebelum"] > ratio["Temporal_Mid"] + 0.03
    assert ratio["ventricles"] > 1.08


def region_volumes(template, displacement):
    """Volumes in the subject, of some structures, in template units: integrals of 1/Jacobian."""
    index = np.indices(displacement.shape[1:]) * 3 - 1.5  # the deformation's nodes, in voxels
    inverse = 1 / jacobian(displacement)
    sizes = {}
    names = np.array(["", *template.names])
    gm = map_coordinates(template.tissue[0], index, order=1)
    region = map_coordinates(template.region, index, order=0)
    for family in ("Hippocampus", "Temporal_Mid", "Cerebelum"):
        inside = np.isin(region, np.flatnonzero(np.char.startswith(names, family))) * gm
        sizes[family] = (inside * inverse).sum()
    world = index + template.affine[:3, 3][:, None, None, None]
    middle = (np.abs(world[0]) < 30) & (np.abs(world[1] + 12) < 35) & (np.abs(world[2] - 18) < 14)
    csf = map_coordinates(template.tissue[2], index, order=1)
    sizes["ventricles"] = (csf * middle * inverse).sum()
    return sizes


def test_ageing_lowers_uptake_most_in_front(template, person):
    table = regions(list(template.names))
    still = np.ones(116)
    young, old = (regional_uptake(person, table, age, 0.05, still) for age in (62, 88))
    change = dict(zip(template.names, old / young, strict=True))
    assert change["Frontal_Mid_L"] < change["Calcarine_L"] < 1
    assert change["Frontal_Mid_L"] < 0.93


def test_a_year_later_it_is_the_same_head(template, person, ill):
    first, second = ill, make_head(template, person, person.visits[1])
    assert (first.deformation.affine == second.deformation.affine).all()
    moved = np.linalg.norm(first.deformation.displacement - second.deformation.displacement, axis=0)
    assert 0.02 < moved.max() < 2.5
    assert second.atrophy.sum() > first.atrophy.sum()
    assert second.uptake.sum() < first.uptake.sum()


def test_folders_are_whole_or_absent(tmp_path):
    with pytest.raises(RuntimeError), whole_folder(tmp_path / "raw") as part:
        (part / "half").touch()
        raise RuntimeError
    assert not list(tmp_path.iterdir())
    for text in ("old", "new"):
        with whole_folder(tmp_path / "raw") as part:
            (part / text).touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["raw", "new"]


def test_missing_atlas_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match="fetch_atlases"):
        make_template(tmp_path)


def test_the_template_is_the_same_after_it_was_kept(template, tmp_path):
    save_template(tmp_path, template)
    kept = load_template(tmp_path)
    assert (kept.names, kept.landmarks) == (template.names, template.landmarks)
    for name in ("affine", "t1", "tissue", "brain", "region"):
        there, here = getattr(template, name), getattr(kept, name)
        assert there.dtype == here.dtype
        np.testing.assert_array_equal(here, there)
