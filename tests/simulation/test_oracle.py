"""The best PET of simulated visits: what it depends on, what it does not, how near it comes."""

from dataclasses import dataclass, replace

import nibabel as nib
import numpy as np
import pytest

import fakes
from mri2pet.files import read_json, write_json
from mri2pet.imaging.intensity import (
    divide_uptake,
    reference_region,
    scale_image,
    scale_uptake,
)
from mri2pet.imaging.resample import on_grid, res2_grid, res15_grid, resample, resize, spm_grid
from mri2pet.imaging.volume import array, like, load_volume, save_transform
from mri2pet.imaging.warp import Warp, resample_through, save_warp
from mri2pet.simulation import people, pet
from mri2pet.simulation.epilepsy_people import plan_members
from mri2pet.simulation.epilepsy_scans import simulate_member
from mri2pet.simulation.oracle import best_pet, to_anomaly, to_linear, to_nonlinear
from mri2pet.simulation.people import plan_people
from mri2pet.simulation.template import load_template, make_template, save_template
from mri2pet.simulation.truth import Truth, load_truth
from mri2pet.simulation.visit_scans import scan_visit

SCANNER = {"mri_voxel_mm": [6.0, 6.0, 6.0], "pet_voxel_mm": [4.0, 4.0, 4.0]}
VOXEL = SCANNER["pet_voxel_mm"]
PLAN = {"paired": 4, "mri_only": 1, "second_visits": 0, "groups": ["CN", "AD"]}
PEOPLE = plan_people(PLAN, 5)
EMPTY = Warp(np.zeros((3, 20, 20, 20), np.float32), np.diag([10.0, 10.0, 10.0, 1.0]))
EMPTY.affine[:3, 3] = -100
SHAPE = (48, 58, 48)
SPACES = ["linear", "nonlinear", "anomaly"]


@dataclass(frozen=True)
class Visit:
    """A simulated visit: the real PET, the truth, and points of the PET's world to MNI152."""

    pet: nib.Nifti1Image
    truth: Truth
    to_mni: np.ndarray


@pytest.fixture(scope="module")
def template(atlases, tmp_path_factory):
    folder = tmp_path_factory.mktemp("template")
    save_template(folder, make_template(atlases))
    return load_template(folder)


@pytest.fixture(scope="module")
def simulate(template, tmp_path_factory):
    def visit(person):
        folder = tmp_path_factory.mktemp("truth")
        _, scan = scan_visit(template, person, person.visits[0], SCANNER, folder)
        truth = load_truth(folder)
        image = nib.Nifti1Image(scan.data.astype(np.float32), scan.affine)
        to_mni = np.array(truth.values["affine_mni2009c_from_t1"]) @ truth.t1_from_pet
        return Visit(nib.as_closest_canonical(image), truth, to_mni)

    return visit


@pytest.fixture(scope="module")
def cohort(simulate):
    return [simulate(person) for person in PEOPLE if person.visits[0].pet_time]


@pytest.fixture(scope="module")
def grids(atlases):
    brain = load_volume(atlases / "mni152_brain_mask.nii.gz")
    linear, coarse = res2_grid(brain), spm_grid(4.0)
    labels = on_grid(load_volume(atlases / "aal.nii.gz"), linear)
    return {
        "linear": linear,
        "region": reference_region("cerebellum", labels, array(linear) > 0),
        "nonlinear": res15_grid(brain),
        "anomaly": resample(brain, np.eye(4), coarse.affine, coarse.shape, 1),
    }


def best(visit, template, space, grids):
    """The best PET of a visit in a space."""
    made, matrix = best_pet(template, visit.truth, True, VOXEL), visit.to_mni
    if space == "anomaly":
        return array(to_anomaly(made, matrix, EMPTY, grids["anomaly"])[0])
    image, measures = to_linear(made, matrix, grids["linear"], grids["region"], 2.0)
    if space == "linear":
        return array(image)
    mean = measures["reference_mean"]
    return array(to_nonlinear(made, matrix, EMPTY, grids["nonlinear"], mean, 2.0, SHAPE)[0])


def real(visit, space, grids):
    """The real PET in a space, as the scripts of that space bring and scale it."""
    grid, scan, matrix = grids[space], visit.pet, visit.to_mni
    if space == "anomaly":
        inside = array(grid) > 0.5
        moved = array(resample_through(scan, matrix, EMPTY, grid, where=inside))
        return scale_image(moved, inside)[0]
    linear = grids["linear"]
    data = array(resample(scan, matrix, linear.affine, linear.shape))
    scaled, measures = scale_uptake(data, grids["region"], array(linear) > 0, 2.0)
    if space == "linear":
        return array(resize(like(linear, scaled)))
    brain = array(grid) > 0.5
    moved = array(resample_through(scan, matrix, EMPTY, grid, where=brain))
    scaled, _ = divide_uptake(moved, measures["reference_mean"], brain, 2.0)
    return array(resize(like(grid, scaled), SHAPE))


@pytest.mark.parametrize("space", SPACES)
def test_it_is_nearer_than_the_mean_pet(space, cohort, template, grids):
    pets = np.stack([real(visit, space, grids) for visit in cohort])
    made = np.stack([best(visit, template, space, grids) for visit in cohort])
    mask = pets.mean(axis=0) > 0.1
    others = [np.delete(pets, number, 0).mean(axis=0) for number in range(len(pets))]
    mean_pet = np.abs(np.array(others) - pets)[:, mask].mean(axis=1)
    oracle = np.abs(made - pets)[:, mask].mean(axis=1)
    assert (oracle < 0.6 * mean_pet).all(), (oracle, mean_pet)
    assert made[:, mask].mean() == pytest.approx(pets[:, mask].mean(), rel=0.02)


def with_other_scatter(monkeypatch):
    monkeypatch.setitem(people.STREAMS, "uptake", 77)


def with_other_noise(monkeypatch):
    place = pet.field_centre

    def placed(pose, centre, rng):
        found = place(pose, centre, rng)
        rng.random(1000)  # what comes after it is the noise
        return found

    monkeypatch.setattr(pet, "field_centre", placed)


@pytest.mark.parametrize("change", [with_other_scatter, with_other_noise])
def test_it_is_the_same_bytes_whatever_no_mri_can_tell(
    change, cohort, template, simulate, monkeypatch
):
    change(monkeypatch)
    other = simulate(PEOPLE[1])
    assert not np.array_equal(other.pet.get_fdata(), cohort[1].pet.get_fdata())
    first, second = (best_pet(template, v.truth, True, VOXEL) for v in (cohort[1], other))
    assert array(first).tobytes() == array(second).tobytes()
    assert np.array_equal(first.affine, second.affine)


@pytest.mark.parametrize(
    "change", [{"severity": 0.1}, {"age": 62.0}, {"seed": 6}], ids=lambda change: next(iter(change))
)
def test_it_changes_with_the_anatomy(change, cohort, template, simulate):
    other = simulate(replace(PEOPLE[1], **change))
    uptake, changed = (v.truth.values["regions"]["expected_uptake"] for v in (cohort[1], other))
    assert not np.allclose(uptake, changed, atol=1e-4)
    first, second = (best_pet(template, v.truth, True, VOXEL) for v in (cohort[1], other))
    assert not np.array_equal(array(first), array(second))


def test_a_lesion_that_no_mri_shows_is_not_in_it(template, tmp_path):
    block = {
        "paired": 0,
        "mri_only": 0,
        "patients": 1,
        "lesion": {"depth": [0.9, 0.9], "ml": [8, 8]},
    }
    (patient,) = plan_members(block, 1)
    made = []
    for name, member in (("with", patient), ("without", replace(patient, lesion=None))):
        files = {key: tmp_path / name / f"{key}.nii.gz" for key in ("t1w", "pet", "lesion")}
        (tmp_path / name).mkdir()
        simulate_member(template, member, SCANNER, files, tmp_path / name / "truth", 0.3)
        truth = load_truth(tmp_path / name / "truth")
        made.append((nib.load(files["pet"]), best_pet(template, truth, True, VOXEL)))
    (scan, oracle), (healthy, same) = made
    assert not np.array_equal(scan.get_fdata(), healthy.get_fdata())
    assert array(oracle).tobytes() == array(same).tobytes()


def test_the_head_lies_as_the_scan_that_it_stands_for(cohort, template):
    """Brought into one world, the PET's pose and the T1's give the same image."""
    truth = cohort[0].truth
    in_pet, in_t1 = (best_pet(template, truth, pose, VOXEL) for pose in (True, False))
    moved = resample(in_pet, truth.t1_from_pet, in_t1.affine, in_t1.shape)
    brain = array(in_t1) > 0.3
    still = resample(in_pet, np.eye(4), in_t1.affine, in_t1.shape)
    placed, apart = (
        np.corrcoef(array(v)[brain], array(in_t1)[brain])[0, 1] for v in (moved, still)
    )
    assert placed > 0.95 > 0.7 > apart


@pytest.fixture
def script(cohort, template, atlases, tmp_path):
    """Run oracle_pet.py on one visit; return its sidecar and whether there is an image."""
    truth = cohort[0].truth
    folder = tmp_path / "truth/bl"
    folder.mkdir(parents=True)
    write_json(folder / "truth.json", truth.values)
    warp = np.moveaxis(truth.deformation.displacement, 0, -1)
    nib.save(nib.Nifti1Image(warp, np.eye(4)), folder / "warp.nii.gz")
    save_template(tmp_path, template)
    to_mni = np.array(truth.values["affine_mni2009c_from_t1"])
    save_transform(tmp_path / "rigid.txt", truth.t1_from_pet)
    save_transform(tmp_path / "still.txt", np.eye(4))
    save_transform(tmp_path / "affine.txt", to_mni)
    save_warp(tmp_path / "syn.nii.gz", EMPTY)
    good, bad = {"Sources": []}, {"Excluded": {"stage": "acpc", "reason": "no head found"}}
    for name, content in (("good", good), ("bad", bad)):
        write_json(tmp_path / f"{name}.json", content)
    nib.save(spm_grid(4.0), tmp_path / "grid.nii.gz")

    def run(space, name, rigid="rigid.txt", judged="good.json", mri="good.json"):
        given = {
            "about": tmp_path / "template.json",
            "truth": tmp_path / "truth",
            "rigid": tmp_path / rigid if rigid else [],
            "pet_sidecar": tmp_path / judged,
            "mri_sidecar": tmp_path / mri,
            "to_acpc": tmp_path / "still.txt",
            "affine": tmp_path / "affine.txt",
            "brain": atlases / "mni152_brain_mask.nii.gz",
            "atlas": atlases / "aal.nii.gz",
            "image": tmp_path / "grid.nii.gz",
            "linear": tmp_path / "linear.json",
        }
        given |= {} if space == "linear" else {"warp": tmp_path / "syn.nii.gz"}
        made = {"image": tmp_path / f"{name}.nii.gz", "sidecar": tmp_path / f"{name}.json"}
        params = {"reference": "cerebellum", "ceiling": 2.0, "grid": list(SHAPE)}
        params |= {"space": space, "visit": "bl", "voxel_mm": VOXEL}
        fakes.run_script("oracle_pet", given, made, tmp_path / "log.txt", **params)
        return read_json(made["sidecar"]), made["image"]

    return run


def test_the_job_takes_the_pet_s_pose_and_else_that_of_the_t1(script):
    sidecar, image = script("linear", "linear")
    assert (sidecar["Pose"], array(load_volume(image)).shape) == ("PET", (64, 64, 64))
    assert any("rigid" in source for source in sidecar["Sources"])
    _, without = script("linear", "without", rigid="")
    unusable, fallen = script("linear", "fallen", judged="bad.json")
    assert unusable["Pose"] == "T1w"
    assert without.read_bytes() == fallen.read_bytes()
    first, second = (array(load_volume(path)) for path in (image, without))
    brain = first > 0.1  # detail that falls between voxels of 4 mm differs with the pose
    assert 0.95 < np.corrcoef(first[brain], second[brain])[0, 1] < 1
    assert second[brain].mean() == pytest.approx(first[brain].mean(), rel=0.02)


@pytest.mark.parametrize("space", SPACES)
def test_every_space_has_its_grid_and_an_excluded_mri_has_none(space, script):
    script("linear", "linear")
    sidecar, image = script(space, "made")
    shape = {"linear": (64, 64, 64), "nonlinear": SHAPE, "anomaly": spm_grid(4.0).shape}[space]
    made = array(load_volume(image))
    assert made.shape == shape
    assert 0 <= made.min() < 0.1 < made.max() <= 1
    sidecar, image = script(space, "none", mri="bad.json")
    assert sidecar["Excluded"]["reason"] == "no head found"
    assert image.stat().st_size == 0
