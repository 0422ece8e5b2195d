"""The uptake at another age or diagnosis, against the simulation's own rules and volumes."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from mri2pet.simulation.anatomy import MOST_LOST, expected_uptake
from mri2pet.simulation.counterfactual import anatomy_of, mixing
from mri2pet.simulation.people import SEVERITY
from mri2pet.simulation.pet import FWHM, activity
from mri2pet.simulation.template import Template
from mri2pet.simulation.uptake import PATTERN, regions

NAMES = [f"{row[0]}_{side}" for row in PATTERN for side in "LR"]
TABLE = regions(NAMES)


def truth(age=78.3, severity=0.8, disease=None):
    disease = np.linspace(0.5, 2.0, len(NAMES)) if disease is None else disease
    expected = expected_uptake(TABLE, age, severity, disease)
    told = {"name": NAMES, "expected_uptake": expected.round(5)}
    return {"age": age, "severity": severity, "regions": told}, disease


@pytest.mark.parametrize(("age", "severity"), [(62.0, 0.05), (78.3, 0.8), (88.0, 1.4)])
def test_what_is_held_is_found_from_the_expected_uptake(age, severity):
    values, disease = truth(age, severity)
    anatomy = anatomy_of(values)
    np.testing.assert_allclose(anatomy.uptake(), values["regions"]["expected_uptake"], atol=1e-5)
    there = TABLE.uptake_ad * severity > 0.02
    np.testing.assert_allclose(anatomy.vulnerability[there], disease[there], atol=0.01)


def test_ten_years_take_the_percentage_of_the_table_and_none_before_sixty():
    anatomy = anatomy_of(truth()[0])
    at = {age: anatomy.uptake(age=age) for age in (50, 60, 70, 80, 90)}
    np.testing.assert_array_equal(at[50], at[60])
    for age in (70, 80, 90):
        lost = 1 - at[age] / at[60]
        np.testing.assert_allclose(lost, TABLE.uptake_age * (age - 60) / 10, atol=1e-9)
    front, motor = NAMES.index("Frontal_L"), NAMES.index("Paracentral_L")
    assert (1 - at[70] / at[60])[front] > 4 * (1 - at[70] / at[60])[motor]


def test_a_diagnosis_is_of_its_average_severity_and_of_this_person_s_anatomy():
    values, disease = truth(severity=0.3)
    anatomy = anatomy_of(values)
    ill, well = anatomy.uptake(diagnosis="AD"), anatomy.uptake(diagnosis="CN")
    by_hand = expected_uptake(TABLE, 78.3, SEVERITY["AD"], disease)
    np.testing.assert_allclose(ill, by_hand, atol=2e-3)
    spared = TABLE.uptake_ad == 0
    np.testing.assert_allclose(ill[spared], well[spared])
    assert (ill[~spared] < well[~spared]).all()
    assert (ill >= (1 - MOST_LOST) * well - 1e-9).all()


@pytest.fixture(scope="module")
def template():
    """Three slabs of grey matter, white matter in their middle, fluid around."""
    shape = (36, 30, 28)
    place = np.indices(shape)
    inside = (np.abs(place[1] - 15) < 11) & (np.abs(place[2] - 14) < 10) & (place[0] > 2)
    white = inside & (np.abs(place[1] - 15) < 3)
    tissue = np.stack([inside & ~white, white, ~inside]).astype(np.float32)
    region = np.where(inside, 1 + place[0] // 12, 0).astype(np.uint8)
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    affine[:3, 3] = [-10, -12, -9]
    t1 = np.full(shape, 6000, np.float32)
    names = ("Frontal_L", "Cuneus_L", "Putamen_L")
    return Template(affine, t1, tissue, inside.astype(np.float32), region, names, {})


def test_mixing_is_that_of_the_blurred_volume(template):
    """Against blurring the whole volume of an uptake and averaging it over a coarse atlas."""
    affine = np.diag([4.0, 3.0, 4.0, 1.0])
    affine[:3, 3] = template.affine[:3, 3] + [1.5, 1.0, 1.5]
    shape = (9, 10, 7)
    atlas = np.zeros(shape, np.uint8)
    atlas[1:4], atlas[4:6], atlas[6:] = 1, 2, 4  # no voxel is of region 3
    mask = np.ones(shape, bool)
    mask[:, :2] = False
    mixed = mixing(template, atlas, mask, affine, 4, "brain", 2.0)
    for uptake in (np.array([1.0, 0.8, 1.3]), np.array([0.2, 1.0, 0.9])):
        volume = gaussian_filter(activity(template, uptake), FWHM / 2.3548, mode="constant")
        coarse = volume.reshape(9, 4, 10, 3, 7, 4).mean(axis=(1, 3, 5))
        reference = coarse[mask].mean()
        expected = [coarse[mask & (atlas == i)].mean() / reference / 2 for i in (1, 2, 4)]
        values = mixed.values(uptake)
        np.testing.assert_allclose(values[[0, 1, 3]], expected, rtol=2e-3)
        assert np.isnan(values[2])
