"""The simulated epilepsy study: plan, lesion, scans as BIDS files, and the truth."""

import json

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from mri2pet.cohorts.bids.reader import list_inputs, read
from mri2pet.cohorts.roles import check_roles
from mri2pet.errors import InputError
from mri2pet.simulation.epilepsy_people import AGES, Member, files, plan_members, write_tables
from mri2pet.simulation.epilepsy_scans import simulate_member
from mri2pet.simulation.lesion import CORTEX, Lesion, place_lesion
from mri2pet.simulation.pet import activity
from mri2pet.simulation.template import make_template
from mri2pet.simulation.truth import load_truth
from mri2pet.simulation.warps import apply

SIMULATION = {
    "paired": 5,
    "mri_only": 2,
    "patients": 4,
    "lesion": {"depth": [0.1, 0.3], "ml": [4, 8]},
}
SCANNER = {"mri_voxel_mm": [4.0, 3.0, 3.0], "pet_voxel_mm": [4.0, 4.0, 4.0]}
COUPLING = 0.3


@pytest.fixture(scope="module")
def template(atlases):
    return make_template(atlases)


def test_plan():
    members = plan_members(SIMULATION, 1)
    assert [m.subject for m in members][:2] == ["EPI001", "EPI002"]
    assert len({m.subject for m in members}) == len({m.person.number for m in members}) == 11
    assert [m.role for m in members].count("patient") == 4
    assert all((m.lesion is not None) == (m.role == "patient") for m in members)
    ages = np.array([m.person.age for m in members])
    assert (ages >= AGES[0]).all() and (ages <= AGES[1]).all() and ages.std() > 3
    for member in members:
        assert Member.from_dict(json.loads(json.dumps(member.as_dict()))) == member
    depths = sorted(m.lesion.depth for m in members if m.lesion)
    assert 0.1 <= depths[0] < 0.17 and 0.23 < depths[-1] <= 0.3  # few patients, whole range


def test_more_people_change_none():
    few = {m.subject: m for m in plan_members(SIMULATION, 1)}
    many = plan_members({**SIMULATION, "paired": 9, "mri_only": 7, "patients": 6}, 1)
    for member in many:
        assert few.get(member.subject, member) == member
    assert plan_members(SIMULATION, 2)[0].person.age != few["EPI001"].person.age


@pytest.mark.parametrize(
    "change, message",
    [
        ({"paired": 300}, "simulation.paired: 300"),
        ({"lesion": {"depth": [0.3, 0.1], "ml": [4, 8]}}, "lesion.depth"),
        ({"lesion": {"depth": [0.1, 0.3], "ml": [0, 8]}}, "lesion.ml"),
    ],
)
def test_impossible_plans(change, message):
    with pytest.raises(InputError, match=message):
        plan_members({**SIMULATION, **change}, 1)


@pytest.mark.parametrize("number", range(3))
def test_lesion_is_focal_cortical_and_as_large_as_asked(template, number):
    place = place_lesion(template, Lesion(0.2, 6.0), np.random.default_rng(number))
    gm = template.tissue[0]
    ml = gm[place.weight > 0.5].sum() / 1000
    assert ml == pytest.approx(6.0, rel=0.05)
    assert place.region.startswith(CORTEX)
    where = apply(template.affine, np.argwhere(place.mask))
    assert np.linalg.norm(where - place.centre, axis=1).max() < place.radius + 1
    assert len(np.unique(np.sign(where[:, 0]))) == 1  # one hemisphere
    healthy = activity(template, np.ones(116))
    ill = activity(template, np.ones(116), place.cortex(0.2))
    middle = place.weight > 0.95
    lost = 1 - ill[middle & (gm > 0.95)] / healthy[middle & (gm > 0.95)]
    assert 0.15 < lost.mean() < 0.21
    assert (ill <= healthy + 1e-6).all()
    np.testing.assert_array_equal(ill[place.weight == 0], healthy[place.weight == 0])
    edge = (place.weight > 0.2) & (place.weight < 0.8)
    assert edge.sum() > 100  # smooth


@pytest.fixture(scope="module")
def study(template, tmp_path_factory):
    """One patient and one control as files, with their truth."""
    root = tmp_path_factory.mktemp("study")
    plan = plan_members({**SIMULATION, "lesion": {"depth": [0.3, 0.3], "ml": [8, 8]}}, 1)
    members = [next(m for m in plan if m.role == role) for role in ("control", "patient")]
    write_tables(members, root / "bids")
    for member in members:
        paths = {name: root / "bids" / path for name, path in files(member).items()}
        simulate_member(template, member, SCANNER, paths, root / "truth" / member.subject, COUPLING)
    return root, members


def test_folder_is_what_the_reader_takes(study):
    root, members = study
    study = {"name": "epilepsy", "raw": root / "bids"}
    listing = list_inputs(root / "bids", study)["listing"]
    planned = sorted(path for m in members for path in files(m).values())
    assert [name for name in listing if not name.endswith(".json")] == planned
    table, exclusions = read(root / "bids", study, listing)
    check_roles(table, study)
    before, _ = read(root / "bids", study, planned)  # as before any scan is simulated
    pd.testing.assert_frame_equal(before, table)
    assert table["role"].tolist() == ["control", "patient"] and exclusions.empty
    assert table["lesion_file"].notna().tolist() == [False, True]


def test_lesion_in_the_scan_is_where_the_truth_says(study, template):
    root, (_, patient) = study
    truth = load_truth(root / "truth" / patient.subject)
    lesion = json.loads((root / "truth" / patient.subject / "lesion.json").read_text())
    image = nib.load(root / "bids" / files(patient)["lesion"])
    t1 = nib.load(root / "bids" / files(patient)["t1w"])
    assert image.shape == t1.shape
    np.testing.assert_allclose(image.affine, t1.affine, atol=1e-4)
    where = apply(image.affine, np.argwhere(np.asarray(image.dataobj) > 0))
    assert len(where) > 50
    back = truth.t1_to_template(where)
    assert np.linalg.norm(back - lesion["centre_template"], axis=1).max() < lesion["radius_mm"] + 5
    assert lesion["depth"] == 0.3 and lesion["grey_matter_ml"] == 8


def test_lesion_lowers_the_pet_and_leaves_the_mri(study, template, tmp_path):
    root, (_, patient) = study
    healthy = Member(patient.subject, "control", "paired", patient.person)
    paths = {name: tmp_path / path for name, path in files(healthy).items()}
    simulate_member(template, healthy, SCANNER, paths, tmp_path / "truth", COUPLING)
    scans = {}
    for name in ("t1w", "pet"):
        both = nib.load(paths[name]), nib.load(root / "bids" / files(patient)[name])
        scans[name] = [np.asarray(image.dataobj, float) for image in both]
        affine = both[0].affine
    np.testing.assert_array_equal(*scans["t1w"])
    truth = load_truth(root / "truth" / patient.subject)
    lesion = json.loads((root / "truth" / patient.subject / "lesion.json").read_text())
    centre = truth.template_to_pet(np.array([lesion["centre_template"]]))
    away = np.linalg.norm(
        apply(affine, np.argwhere(np.ones(scans["pet"][0].shape))) - centre, axis=1
    ).reshape(scans["pet"][0].shape)
    before, after = scans["pet"]
    near, far = away < 6, (away > 45) & (before > before.max() / 4)
    assert 0.05 < 1 - after[near].sum() / before[near].sum() < 0.3
    assert abs(1 - after[far].sum() / before[far].sum()) < 0.01
