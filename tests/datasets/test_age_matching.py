"""Controls of another study are as old as those that they stand beside."""

import numpy as np
import pytest

from mri2pet.datasets.age_matching import match_ages
from mri2pet.errors import InputError

RNG = np.random.default_rng(3)
AGES = {(f"IXI{number:03d}", "bl"): age for number, age in enumerate(RNG.uniform(20, 86, 200))}
YOUNG = RNG.uniform(20, 45, 12).tolist()


@pytest.mark.parametrize("count", [1, 5, 12, 40])
def test_chosen_people_are_as_old_as_the_group(count):
    chosen = match_ages(AGES, YOUNG, count)
    assert len(set(chosen)) == count
    ages = np.array([AGES[key] for key in chosen])
    assert (
        abs(ages.mean() - np.mean(YOUNG)) < 4 < abs(np.mean(list(AGES.values())) - np.mean(YOUNG))
    )
    assert ages.max() < 50
    assert chosen == [key for key in AGES if key in chosen]  # in the order given


def test_order_of_the_group_does_not_matter_and_missing_ages_do_not_count():
    chosen = match_ages(AGES, YOUNG, 6)
    assert match_ages(AGES, [*YOUNG[::-1], float("nan")], 6) == chosen


def test_people_of_unknown_age_come_last():
    some = dict.fromkeys("abc", float("nan")) | {"d": 80.0, "e": 81.0}
    assert match_ages(some, [20.0], 2) == ["d", "e"]
    assert match_ages(some, [20.0], 3) == ["a", "d", "e"]
    assert match_ages(some, [], 2) == ["a", "b"]


@pytest.mark.parametrize("there", [0, 1, 3])
def test_too_few_people_are_told_and_not_passed_over(there):
    some = {key: AGES[key] for key in list(AGES)[:there]}
    with pytest.raises(InputError, match=f"ixi_controls: 4 people are asked for, {there} have"):
        match_ages(some, YOUNG, 4)
