"""Intervals: what they hold, the factor that sets them right, and scores with known values."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, t

from mri2pet.evaluation.intervals import (
    FACTORS,
    NOMINAL,
    conformal_factors,
    crps_of_draws,
    crps_of_gaussian,
    crps_of_student,
    deviations,
    enough_people,
    error_over_sd,
    held_by_factor,
    with_chosen,
)
from mri2pet.evaluation.visit_intervals import bounds_of_quantiles

REACH = {share: float(norm.ppf((1 + share) / 2)) for share in NOMINAL}


def gaussian(rng, voxels, said=1.0):
    """Return values of sd 1 and their intervals, which say another sd."""
    zero = np.zeros(voxels)
    return rng.normal(size=voxels), zero, bounds_of_quantiles(zero, np.full(voxels, said), REACH)


def people(said, count, voxels=4000, scatter=0.0, seed=0):
    rng = np.random.default_rng(seed)
    tables = []
    for person in range(count):
        real, centre, bounds = gaussian(rng, voxels, said)
        real = real * np.exp(scatter * rng.normal())
        tables.append(held_by_factor(real, centre, bounds).assign(subject=f"s{person}"))
    return pd.concat(tables, ignore_index=True)


def test_a_voxel_needs_the_factor_that_brings_it_to_the_border():
    real = np.array([0.0, 0.5, 1.0, -3.0, 2.0])
    low, high = np.full(5, -1.0), np.full(5, 2.0)
    assert deviations(real, np.zeros(5), low, high) == pytest.approx([0, 0.25, 0.5, 3, 1])


def test_an_interval_without_width_holds_its_centre_alone():
    zero = np.zeros(2)
    assert deviations(np.array([0.0, 0.1]), zero, zero, zero).tolist() == [0.0, np.inf]


@pytest.mark.parametrize("share", NOMINAL)
@pytest.mark.parametrize("said", [0.5, 1.0, 2.0])
def test_a_factor_without_guarantee_holds_the_share_of_new_people(said, share):
    """With the guarantee up to 2 / (n + 1) more are held."""
    known = people(said, 19, scatter=0.3)
    new = people(said, 200, scatter=0.3, seed=1)
    coverage = {}
    for missed in (0, 1):
        factors = conformal_factors(known, missed=missed)
        used = with_chosen(new, factors)
        used = used[(used["chosen"] == 1) & (used["nominal"] == share)]
        coverage[missed] = used["coverage"].mean()
    assert coverage[0] == pytest.approx(share, abs=0.04)
    assert coverage[1] >= share
    assert coverage[1] > coverage[0]


def test_factors_widen_and_one_is_the_interval_itself():
    assert 1.0 in FACTORS
    held = people(1.0, 1, voxels=20000)
    for share in NOMINAL:
        own = held[held["nominal"] == share].set_index("factor")
        assert own.loc[1.0, "coverage"] == pytest.approx(share, abs=0.01)
        assert own["coverage"].is_monotonic_increasing
        assert own.loc[1.0, "mean_width"] == pytest.approx(2 * REACH[share])


@pytest.mark.parametrize(("share", "people"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19)])
def test_people_that_a_factor_needs(share, people):
    assert enough_people(share) == people


@pytest.mark.parametrize("said", [0.4, 1.0, 2.5])
def test_conformal_intervals_hold_what_they_should_of_new_people(said):
    new = people(said, 60, 200, scatter=0.3, seed=99)
    used = []
    for seed in range(8):
        factors = conformal_factors(people(said, 40, 200, scatter=0.3, seed=seed))
        own = with_chosen(new, factors)
        used.append(own[own["chosen"] == 1].groupby("nominal")["coverage"].mean())
    mean = pd.concat(used, axis=1).mean(axis=1)
    for share in NOMINAL:
        # at least the share; the bound and the steps of the factor add a little
        assert share - 0.02 <= mean[share] <= share + 0.04


def test_with_too_few_people_intervals_stay_as_they_are():
    held = people(0.4, 18)
    assert conformal_factors(held) == dict.fromkeys(NOMINAL, 1.0)
    assert conformal_factors(pd.DataFrame()) == dict.fromkeys(NOMINAL, 1.0)
    assert conformal_factors(people(0.4, 19))[0.95] > 2


def test_a_share_of_few_draws_is_used_as_it_is():
    held = people(1.0, 2).replace({"nominal": {0.5: 1 / 3}})
    used = with_chosen(held, conformal_factors(pd.DataFrame(), [1 / 3, 0.8, 0.9, 0.95]))
    assert (used[used["chosen"] == 1]["factor"] == 1).all()
    assert set(used[used["chosen"] == 1]["nominal"]) == {1 / 3, 0.8, 0.9, 0.95}


def test_visits_of_one_person_count_as_one():
    many = people(0.4, 1)
    held = pd.concat([many] * 30)  # one person of thirty visits
    assert set(conformal_factors(held).values()) == {1.0}


def test_crps_of_a_gaussian_is_that_of_its_draws():
    rng = np.random.default_rng(0)
    real = rng.normal(size=300)
    draws = rng.normal(0.3, 0.7, size=(400, 300))
    exact = crps_of_gaussian(np.full(300, 0.3), np.full(300, 0.7), real)
    assert crps_of_draws(draws, real) == pytest.approx(exact, rel=0.01)
    # unbiased however few the draws are
    few = np.mean([crps_of_draws(rng.normal(0.3, 0.7, size=(3, 300)), real) for _ in range(400)])
    assert few == pytest.approx(exact, rel=0.02)


def test_crps_of_students_t_is_its_integral():
    freedom, real, grid = 7.0, 1.3, np.linspace(-60, 60, 400001)
    step = (grid >= real).astype(float)
    integral = np.trapezoid((t.cdf(grid / 0.8, freedom) - step) ** 2, grid)
    found = crps_of_student(np.zeros(1), np.full(1, 0.8), freedom, np.array([real]))
    assert found == pytest.approx(integral, rel=1e-4)
    wide = crps_of_student(np.zeros(1), np.ones(1), 1e6, np.array([real]))
    assert wide == pytest.approx(crps_of_gaussian(np.zeros(1), np.ones(1), np.array([real])))


def test_error_over_sd_is_one_where_errors_are_as_said():
    sd = np.random.default_rng(0).uniform(0.5, 2, 50000)
    error = sd * np.random.default_rng(1).normal(size=50000)
    assert error_over_sd(error, sd) == pytest.approx(1, abs=0.02)
    assert error_over_sd(3 * error, sd) == pytest.approx(3, abs=0.06)
