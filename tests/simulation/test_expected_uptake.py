"""The expectation of the uptake, against the mean of many draws of what no MRI can tell."""

from dataclasses import replace

import numpy as np
import pytest

from mri2pet.simulation import people
from mri2pet.simulation.anatomy import (
    COUPLING,
    MOST_LOST,
    UNSEEN_SD,
    expected_uptake,
    regional_uptake,
)
from mri2pet.simulation.people import plan_people
from mri2pet.simulation.uptake import PATTERN, Regions, regions

NAMES = [f"{row[0]}_{side}" for row in PATTERN for side in "LR"]
DRAWS = 4000
PERSON = plan_people({"paired": 1, "mri_only": 0, "second_visits": 0, "groups": ["AD"]}, 3)[0]


@pytest.fixture(scope="module")
def table() -> Regions:
    return regions(NAMES)


def draws(table, age, severity, disease):
    """Uptake of many people of one anatomy."""
    return np.array(
        [
            regional_uptake(replace(PERSON, number=number), table, age, severity, disease)
            for number in range(DRAWS)
        ]
    )


@pytest.mark.parametrize(("age", "severity"), [(45, 0.0), (70, 0.3), (80, 1.0), (90, 4.0)])
def test_it_is_the_mean_of_many_people(table, age, severity):
    disease = np.linspace(0.4, 2.2, len(NAMES))
    drawn = draws(table, age, severity, disease)
    error = drawn.std(axis=0, ddof=1) / np.sqrt(DRAWS)
    expected = expected_uptake(table, age, severity, disease)
    # 72 regions: beyond 4.5 standard errors by chance once in two thousand
    assert (np.abs(drawn.mean(axis=0) - expected) < 4.5 * error).all()


def test_the_cut_of_the_loss_counts(table):
    """Where disease takes more than there is to lose, and where it sometimes does."""
    disease = np.ones(len(NAMES))
    uptake = expected_uptake(table, 60, 4.0, disease)
    mean = table.uptake_ad * 4.0 * (COUPLING + (1 - COUPLING) * np.exp(UNSEEN_SD**2 / 2))
    uncut = table.uptake * np.exp(0.035**2 / 2) * (1 - mean)
    assert uptake[NAMES.index("Cingulum_Post_L")] > uncut[NAMES.index("Cingulum_Post_L")] + 0.05
    assert uptake[NAMES.index("Precentral_L")] == pytest.approx(uncut[NAMES.index("Precentral_L")])
    most = expected_uptake(table, 60, 40.0, disease)
    assert most[NAMES.index("Hippocampus_L")] == pytest.approx(
        table.uptake[NAMES.index("Hippocampus_L")] * np.exp(0.035**2 / 2) * (1 - MOST_LOST)
    )


def test_it_knows_nothing_of_the_draws_but_all_of_the_anatomy(table, monkeypatch):
    disease = np.linspace(0.7, 1.4, len(NAMES))
    args = (table, 75, 0.8)
    before, drawn = expected_uptake(*args, disease), regional_uptake(PERSON, *args, disease)
    monkeypatch.setitem(people.STREAMS, "uptake", 77)
    assert not np.array_equal(regional_uptake(PERSON, *args, disease), drawn)
    assert np.array_equal(expected_uptake(*args, disease), before)
    for changed in (
        expected_uptake(table, 75, 0.9, disease),
        expected_uptake(table, 76, 0.8, disease),
        expected_uptake(table, 75, 0.8, disease * 1.1),
    ):
        assert (changed < before)[table.uptake_ad > 0].any()
