"""The simulated IXI: names and table that the reader takes, and scans like two echoes."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from mri2pet.cohorts.ixi.ixi_table import read_people
from mri2pet.cohorts.ixi.reader import find_table, list_inputs, read
from mri2pet.errors import InputError
from mri2pet.imaging.dual_echo import ReducedGrid, prepare_pair
from mri2pet.imaging.volume import array, load_scan
from mri2pet.simulation.ixi_people import (
    plan_ixi,
    planned_files,
    simulate_ixi_subject,
    write_ixi_table,
)
from mri2pet.simulation.mri import scan_grid
from mri2pet.simulation.people import MOST_PEOPLE, Person
from mri2pet.simulation.t2_pd import AXIAL, FIELD
from mri2pet.simulation.template import make_template

SCANNER = {"voxel_mm": [5.0, 5.0, 2.5], "t1_voxel_mm": [4.0, 4.0, 4.0]}


def test_a_larger_cohort_begins_with_the_same_people():
    few, many = plan_ixi(10, 1), plan_ixi(355, 1)
    assert many[:10] == few
    assert len({person.ptid for person, _ in many}) == 355
    assert plan_ixi(10, 2) != few
    sites = [name.split("-")[1] for _, name in many]
    assert {site for site in sites} == {"Guys", "HH", "IOP"}
    assert sites.count("Guys") > sites.count("HH") > sites.count("IOP") > 20


def test_people_share_no_randomness_with_another_cohort():
    assert all(person.number > MOST_PEOPLE for person, _ in plan_ixi(20, 1))
    assert all(20 <= person.age <= 86 for person, _ in plan_ixi(200, 1))


@pytest.mark.parametrize("people", [0, 997])
def test_impossible_numbers_are_refused(people):
    with pytest.raises(InputError, match=r"simulation\.people is"):
        plan_ixi(people, 1)


def test_a_person_goes_through_a_rules_parameters_unchanged():
    person, _ = plan_ixi(1, 1)[0]
    assert Person.from_dict(person.as_dict()) == person


def test_the_reader_takes_names_and_table(tmp_path):
    plan = plan_ixi(10, 1)
    write_ixi_table([person for person, _ in plan], tmp_path / "IXI.csv")
    people = read_people(find_table(tmp_path))
    assert len(people) == 10
    for place, (person, _) in enumerate(plan):
        found = people[person.ptid]
        assert found.sex == person.sex
        assert found.age == (None if place == 4 else person.age)
    planned = planned_files([name for _, name in plan])
    for name in planned:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    split = {"train": 6, "val": 2, "test": 2}
    listed = list_inputs(tmp_path, {})
    assert listed["listing"] == sorted(planned)  # what is planned is what is found
    assert listed["tables"] == [str(tmp_path / "IXI.csv")]
    cohort, excluded = read(tmp_path, {"split": split, "seed": 1}, planned)
    told = {"split": split, "seed": 1, "simulated": True}
    pd.testing.assert_frame_equal(read(tmp_path, told, planned)[0], cohort)
    assert len(cohort) == 10
    assert excluded.empty
    without = planned_files([plan[0][1]], t1=False)
    assert sorted(name[:6] for name in without) == ["IXI-PD", "IXI-T2"]


def test_the_axial_grid_is_centred_and_turned_as_ixis():
    voxel, centre = np.array([0.9375, 0.9375, 1.25]), np.array([1.0, 2, 3])
    shape, affine = scan_grid(AXIAL, FIELD, voxel, centre)
    assert shape == (256, 256, 130)
    assert nib.aff2axcodes(affine) == ("L", "A", "S")
    middle = affine @ [*((np.array(shape) - 1) / 2), 1]
    np.testing.assert_allclose(middle[:3], [1, 2, 3])


@pytest.fixture(scope="module")
def template(atlases):
    return make_template(atlases), atlases / "anatomy_t2.nii.gz"


@pytest.fixture(scope="module")
def scans(template, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ixi")
    person, name = plan_ixi(1, 1)[0]
    images = {c: folder / f"{name}-{c}.nii.gz" for c in ("T1", "T2", "PD")}
    simulate_ixi_subject(*template, person, SCANNER, images, folder / "tissue.nii.gz")
    return folder, images


def test_t2_and_pd_are_two_echoes_of_one_head(scans):
    folder, images = scans
    t2, pd = (load_scan(images[name]) for name in ("T2", "PD"))
    prepare_pair(t2, pd, ReducedGrid((32, 32, 48), 240.0, 3))  # raises where they are no pair
    tissue = nib.as_closest_canonical(nib.load(folder / "tissue.nii.gz"))
    label = np.asarray(tissue.dataobj)
    grey, white, fluid = (
        [float(np.median(array(image)[label == k])) for image in (t2, pd)] for k in (1, 2, 3)
    )
    assert white[0] < grey[0] < 0.8 * fluid[0]  # in T2 fluid is bright
    assert white[1] < grey[1] < fluid[1] < 1.5 * white[1]  # in PD all are nearly alike
    assert t2.shape == (48, 48, 64)


def test_simulation_repeats_itself_bit_by_bit(scans, template, tmp_path):
    _, images = scans
    person, _ = plan_ixi(1, 1)[0]
    again = {c: tmp_path / f"{c}.nii.gz" for c in ("T2", "PD")}  # T1 is drawn last: no effect
    simulate_ixi_subject(*template, person, SCANNER, again, tmp_path / "tissue.nii.gz")
    for contrast, path in again.items():
        assert path.read_bytes() == images[contrast].read_bytes()
