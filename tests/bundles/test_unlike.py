"""MRIs and people unlike those of a training are told apart by numbers."""

import numpy as np
import pytest

from mri2pet.bundles.unlike import (
    BINS,
    distance,
    histogram,
    histogram_spread,
    remarks,
    unlikeness,
)

LIMITS = {"measure_sd": 4.0, "histogram": 2.0, "age_years": 5.0}
MASK = np.zeros((12, 12, 12), bool)
MASK[2:10, 2:10, 2:10] = True


def head(grey: float, seed: int, white: float = 0.8) -> np.ndarray:
    """Half of a brain grey, half white, and some noise."""
    rng = np.random.default_rng(seed)
    volume = np.where(np.indices(MASK.shape)[0] < 6, grey, white)
    return np.clip((volume + rng.normal(0, 0.02, MASK.shape)) * MASK, 0, 1)


@pytest.fixture(scope="module")
def like():
    spread = histogram_spread(np.array([histogram(head(0.5, n), MASK) for n in range(8)]))
    return {"measures": {"brain_ml": {"mean": 1400.0, "sd": 100.0}}, **spread}


def told(like, volume, brain_ml=1400.0, age=70.0):
    return unlikeness(like, [60.0, 80.0], volume, MASK, {"brain_ml": brain_ml}, age)


def test_another_of_the_same_kind_is_like(like):
    found = told(like, head(0.5, 99))
    assert found["histogram"] < 2 and found["age_years"] == 0
    assert remarks(found, LIMITS) == []


@pytest.mark.parametrize(
    ("volume", "brain_ml", "age", "what"),
    [
        (head(0.8, 1, 0.5), 1400, 70, None),  # half and half the other way: the same intensities
        (head(0.9, 1, 0.4), 1400, 70, "intensities"),  # a T2's contrast
        (head(0.2, 1, 0.2), 1400, 70, "intensities"),  # one tissue alone, as a PET's blur
        (head(0.5, 1), 700, 70, "brain ml"),
        (head(0.5, 1), 1400, 8, "age"),
        (head(0.5, 1), 1400, 97, "age"),
    ],
)
def test_what_is_unlike_is_named_with_its_number(like, volume, brain_ml, age, what):
    said = remarks(told(like, volume, brain_ml, age), LIMITS)
    assert [line.split(":")[0] for line in said] == ([what] if what else [])
    assert all("limit" in line and any(c.isdigit() for c in line) for line in said)


def test_limits_are_the_users(like):
    found = told(like, head(0.5, 1), age=84)
    assert found["age_years"] == 4
    assert remarks(found, LIMITS) == [] and remarks(found, LIMITS | {"age_years": 3})


@pytest.mark.parametrize("age", [None, float("nan")])
def test_an_age_that_is_not_known_says_nothing(like, age):
    assert "age_years" not in told(like, head(0.5, 1), age=age)
    assert "age_years" not in unlikeness(like, [], head(0.5, 1), MASK, {}, 70.0)


def test_the_distance_is_how_far_intensities_are_moved():
    low, high = head(0.3, 0, 0.3), head(0.5, 0, 0.5)
    apart = distance(histogram(low, MASK), histogram(high, MASK))
    assert apart == pytest.approx(0.2, abs=1 / BINS)
    assert distance(histogram(low, MASK), histogram(low, MASK)) == 0
