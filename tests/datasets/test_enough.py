"""Too few people for the folds: said from the cohort table alone."""

import pytest

from mri2pet.datasets.enough import check_enough, people_of
from mri2pet.errors import InputError

GROUPS = ("CN", "MCI", "AD")


def visits(**people):
    return [
        {"subject": f"{group}{number}", "group": group, "kind": kind}
        for group, kinds in people.items()
        for number, kind in enumerate(kinds)
    ]


P, M = "paired", "mri_only"


def test_a_subject_has_the_group_of_most_visits_and_then_the_worse():
    rows = [
        {"subject": "b", "group": "CN", "kind": M},
        {"subject": "b", "group": "AD", "kind": P},
        {"subject": "a", "group": "CN", "kind": M},
        {"subject": "a", "group": "CN", "kind": M},
        {"subject": "a", "group": "AD", "kind": M},
    ]
    assert people_of(rows, GROUPS) == {"a": ("CN", M), "b": ("AD", P)}


@pytest.mark.parametrize(
    ("people", "n", "message"),
    [
        (
            {"CN": [P, P], "AD": [P, M, M]},
            2,
            "at least 2 subjects of group AD .*are 1;",
        ),
        (
            {"CN": [P, P], "MCI": [M]},
            2,
            "group MCI with MRI and PET, there are 0; lower fol",
        ),
        ({"CN": [P] * 4, "AD": [P] * 5}, 5, "5 folds need at least 5 subjects of group CN"),
        ({"CN": [P] * 4}, 1, "folds.n: 1 is too few"),
    ],
)
def test_too_few(people, n, message):
    with pytest.raises(InputError, match=message):
        check_enough(people_of(visits(**people), GROUPS), n, GROUPS)


def test_two_visits_of_a_person_are_one_person():
    rows = visits(CN=[P, P]) * 2
    check_enough(people_of(rows, GROUPS), 2, GROUPS)
    with pytest.raises(InputError, match="there are 2"):
        check_enough(people_of(rows, GROUPS), 3, GROUPS)


def test_of_a_study_with_one_group_the_key_alone_is_named():
    people = people_of(visits(control=[P]), ["control"])
    with pytest.raises(InputError, match=r"there are 1; lower gan_anomaly\.folds\.n$"):
        check_enough(people, 3, ["control"], "gan_anomaly.folds.n")
