"""Some of the people of a fold to learn from: even over groups, fewer always among more."""

import pandas as pd
import pytest

from mri2pet.datasets.selection import few_people, select_training
from mri2pet.errors import InputError


def visits(people=(20, 10, 4), second=3):
    rows = []
    for group, count in zip(("CN", "AD", "MCI"), people, strict=True):
        for number in range(count):
            times = ("bl", "m12") if number < second else ("bl",)
            rows += [(f"{group}{number:02}", time, group, "paired") for time in times]
    table = pd.DataFrame(rows, columns=["subject", "visit", "group", "kind"])
    return table.assign(index=range(len(table)))


def groups_of(rows):
    return rows.drop_duplicates("subject")["group"].value_counts().to_dict()


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        (3, {"CN": 1, "AD": 1, "MCI": 1}),
        (9, {"CN": 3, "AD": 3, "MCI": 3}),
        (20, {"CN": 8, "AD": 8, "MCI": 4}),
        (34, {"CN": 20, "AD": 10, "MCI": 4}),
    ],
)
def test_groups_give_as_many_as_they_can(people, expected):
    assert groups_of(few_people(visits(), people, seed=1)) == expected


@pytest.mark.parametrize("fewer", [1, 5, 12, 33])
def test_fewer_people_are_among_more_with_all_their_visits(fewer):
    rows = visits()
    few, more = (few_people(rows, count, seed=1) for count in (fewer, fewer + 1))
    assert few["subject"].nunique() == fewer
    assert set(few["subject"]) < set(more["subject"])
    assert len(few) == rows["subject"].isin(few["subject"]).sum()
    assert list(few["index"]) == sorted(few["index"])


def test_the_order_of_the_rows_does_not_matter_and_the_seed_does():
    rows = visits()
    chosen = set(few_people(rows, 9, seed=1)["subject"])
    assert chosen == set(few_people(rows.sample(frac=1, random_state=0), 9, seed=1)["subject"])
    assert chosen != set(few_people(rows, 9, seed=2)["subject"])


def test_all_are_kept_unless_a_number_is_named():
    assert len(few_people(visits(), 0, seed=1)) == len(visits())


def test_without_groups_people_come_in_the_order_of_the_hash():
    assert few_people(visits().drop(columns="group"), 5, seed=1)["subject"].nunique() == 5


def test_more_than_there_are_is_an_error():
    with pytest.raises(InputError, match="is to learn from 35, and there are 34"):
        few_people(visits(), 35, seed=1)


def test_they_are_of_those_who_are_left_by_fold_and_validation():
    rows = visits()
    subjects = rows["subject"].unique()
    folds = pd.DataFrame({"subject": subjects, "fold": [n % 3 for n in range(len(subjects))]})
    about = (rows, folds, 0, (), 4, 1)
    learnt, held = select_training(*about)
    few, same = select_training(*about, 9)
    assert list(same["subject"]) == list(held["subject"])
    assert set(few["subject"]) < set(learnt["subject"])
    assert few["subject"].nunique() == 9
