"""Lines over age, their bands and slopes, against SciPy and the textbook's formulas."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mri2pet.errors import InputError
from mri2pet.evaluation.ageing import ALL, fit_line, mean_curve, slope_table
from mri2pet.evaluation.regions import (
    BRAIN,
    COLUMNS,
    OWN_AGE,
    SET_AGE,
    check_regions,
    region_values,
)


@pytest.fixture
def people():
    rng = np.random.default_rng(0)
    age = rng.uniform(55, 90, 15)
    return age, 0.8 - 0.004 * age + rng.normal(0, 0.02, 15)


def test_line_and_slope_interval_are_scipys(people):
    age, value = people
    line, theirs = fit_line(age, value), stats.linregress(age, value)
    assert line.slope == pytest.approx(theirs.slope)
    assert line.at(0) == pytest.approx(theirs.intercept)
    assert line.slope_half_width() == pytest.approx(stats.t.ppf(0.975, 13) * theirs.stderr)
    assert (line.n, line.freedom) == (15, 13)


def test_band_is_the_confidence_band_of_the_mean_by_the_normal_equations(people):
    age, value = people
    design = np.column_stack([np.ones_like(age), age])
    solution, (rss,), *_ = np.linalg.lstsq(design, value)
    covariance = rss / 13 * np.linalg.inv(design.T @ design)
    at = np.array([50.0, age.mean(), 100.0])
    point = np.column_stack([np.ones(3), at])
    expected = stats.t.ppf(0.975, 13) * np.sqrt(np.einsum("ni,ij,nj->n", point, covariance, point))
    line = fit_line(age, value)
    np.testing.assert_allclose(line.half_width(at), expected)
    np.testing.assert_allclose(line.at(at), point @ solution)
    assert line.half_width(at, 0.8)[0] < expected[0]


def test_band_holds_the_true_line_as_often_as_it_says():
    rng = np.random.default_rng(1)
    age = rng.uniform(50, 90, 8)
    held = 0
    for _ in range(1000):
        line = fit_line(age, 1 - 0.01 * age + rng.normal(0, 0.1, 8))
        held += abs(line.at(80) - 0.2) <= line.half_width(80)
    assert 0.93 < held / 1000 < 0.97


def test_groups_of_other_ages_make_no_slope():
    """Old and low against young and high, flat within each: the slope is of the groups alone."""
    age = np.array([60.0, 62, 64, 80, 82, 84])
    value = np.array([0.61, 0.59, 0.60, 0.41, 0.39, 0.40])
    groups = ["CN"] * 3 + ["AD"] * 3
    assert fit_line(age, value).slope < -0.008
    within = fit_line(age, value, groups)
    assert within.slope == pytest.approx(-0.0025)
    design = np.column_stack([age, np.repeat([1, 0], 3), np.repeat([0, 1], 3)])
    solution, (rss,), *_ = np.linalg.lstsq(design, value)
    assert within.slope == pytest.approx(solution[0])
    error = np.sqrt(rss / 3 * np.linalg.inv(design.T @ design)[0, 0])
    assert within.slope_half_width() == pytest.approx(stats.t.ppf(0.975, 3) * error)


@pytest.mark.parametrize("age", [[60, 70], [70, 70, 70], [60, 70, np.nan]])
def test_what_leaves_no_line(age):
    assert fit_line(age, np.arange(len(age))) is None


def long(method, curve, rows):
    """Rows of (subject, visit, group, age, value) as a table of one region."""
    table = pd.DataFrame(rows, columns=["subject", "visit", "group", "age", "value"])
    return table.assign(method=method, curve=curve, fold=0, region="R")[list(COLUMNS)]


def test_set_age_slope_is_each_mris_own_averaged_over_people_then_folds():
    """People of one fold share a generator: the interval is over folds."""
    tables = []
    for fold, subject, visit, level, slope in (
        (0, "a", "bl", 0.3, -0.001), (0, "a", "m12", 0.3, -0.003), (0, "b", "bl", 0.9, -0.004),
        (1, "c", "bl", 0.1, -0.005),
    ):  # fmt: skip
        rows = [(subject, visit, "CN", age, level + slope * age) for age in (50, 60, 100)]
        tables.append(long("m", SET_AGE, rows).assign(fold=fold))
    table = slope_table(pd.concat(tables), ["R"], ["CN"]).set_index("group")
    row = table.loc["CN"]
    assert row["slope"] == pytest.approx(10 * -0.004)
    half = stats.t.ppf(0.975, 1) * np.std([0.003, 0.005], ddof=1) / np.sqrt(2)
    assert (row["low"], row["high"]) == pytest.approx((10 * (-0.004 - half), 10 * (-0.004 + half)))
    assert row["n"] == 3
    assert table.loc[ALL, "slope"] == row["slope"]


def test_own_age_slope_counts_a_person_once_and_too_few_people_have_none():
    rows = [(f"s{i}", "bl", "CN", 60 + i, 0.5 - 0.002 * i) for i in range(5)]
    twice = [("s0", f"m{i}", "CN", 60, 0.5) for i in range(9)]
    other = [("x", "bl", "AD", 70, 0.3), ("y", "bl", "AD", 80, 0.2)]
    table = slope_table(long("m", OWN_AGE, rows + twice + other), ["R"], ["CN", "AD"])
    table = table.set_index("group")
    assert table.loc["CN", "slope"] == pytest.approx(-0.02)
    assert table.loc["CN", "n"] == 5
    assert table.loc["AD", ["slope", "low", "high"]].isna().all()
    assert table.loc["AD", "n"] == 2


def test_mean_curve_keeps_the_ages_apart():
    rows = [("a", "bl", "CN", 90, 0.1), ("a", "bl", "CN", 50, 0.5), ("b", "bl", "CN", 50, 0.3)]
    curve = mean_curve(long("m", SET_AGE, rows)).set_index("age")
    assert list(curve.index) == [50, 90]
    assert curve.loc[50, "mean"] == pytest.approx(0.4)
    assert curve.loc[50, "half_width"] == pytest.approx(stats.t.ppf(0.975, 1) * 0.1)
    assert np.isnan(curve.loc[90, "half_width"])


def test_region_values_by_hand_inside_the_mask():
    mask = np.array([[[True, True, True, False]]])
    atlas = np.array([[[1, 1, 2, 2]]])
    image = np.array([[[0.1, 0.3, 0.8, 0.9]]])
    visits = pd.DataFrame({"subject": ["a"], "visit": ["bl"], "group": ["CN"], "age": [71.0]})
    table = region_values(visits, [image], mask, atlas, ["One", "Two"], "m", OWN_AGE, 3)
    assert list(table.columns) == list(COLUMNS)
    values = table.set_index("region")["value"].to_dict()
    assert values == pytest.approx({BRAIN: 0.4, "One": 0.2, "Two": 0.8})
    assert set(table["age"]) == {71.0}
    assert set(table["fold"]) == {3}
    with pytest.raises(InputError, match="1 visits, but 2 volumes"):
        region_values(visits, [image, image], mask, atlas, ["One", "Two"], "m", OWN_AGE, 3)


def test_a_region_that_the_atlas_lacks_is_named_with_the_nearest():
    check_regions(["Precuneus_L", BRAIN], ["Precuneus_L", "Precuneus_R"])
    with pytest.raises(InputError, match="did you mean 'Precuneus_R'"):
        check_regions(["Precuneus_Rr"], ["Cuneus_L", "Precuneus_R"])
