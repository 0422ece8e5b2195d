"""Too few people for the folds: said from the cohort table alone."""

import pytest

from mri2pet.datasets.enough import check_enough, people_of, small_groups
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
            4,
            "4 folds need at least 4 subjects .* are 3; lower fol",
        ),
        ({"CN": [M] * 9}, 2, "there are 0"),
        ({"CN": [P] * 4}, 1, "folds.n: 1 is too few"),
    ],
)
def test_too_few(people, n, message):
    with pytest.raises(InputError, match=message):
        check_enough(people_of(visits(**people), GROUPS), n, 1)


def test_two_visits_of_a_person_are_one_person():
    rows = visits(CN=[P, P]) * 2
    check_enough(people_of(rows, GROUPS), 2, 1)
    with pytest.raises(InputError, match="there are 2"):
        check_enough(people_of(rows, GROUPS), 3, 1)


def test_the_key_is_named_that_says_how_many_folds():
    people = people_of(visits(control=[P]), ["control"])
    with pytest.raises(InputError, match=r"there are 1; lower gan_anomaly\.folds\.n$"):
        check_enough(people, 3, 1, key="gan_anomaly.folds.n")


CLASSES = {"gla_gan.diagnosis.positive": ["AD"], "dual_glow.diagnosis.positive": ["MCI", "AD"]}


@pytest.mark.parametrize(
    ("people", "there"),
    [
        ({"CN": [P] * 9, "MCI": [P] * 9}, "nobody"),
        ({"CN": [P] * 9, "MCI": [P] * 9, "AD": [P]}, "AD0"),
        ({"CN": [P] * 9, "MCI": [P] * 9, "AD": [M] * 9}, "nobody"),
    ],
)
def test_a_class_that_training_folds_lack_is_refused_by_its_key(people, there):
    message = rf"^gla_gan\.diagnosis\.positive: of AD there must be .* there is {there}\."
    with pytest.raises(InputError, match=message):
        check_enough(people_of(visits(**people), GROUPS), 3, 1, CLASSES)


def test_two_people_of_a_class_in_one_fold_are_refused():
    """One AD and one MCI: of the places dealt in turn both have the same fold, or not."""
    merged = {"dual_glow.diagnosis.positive": ["MCI", "AD"]}
    together = people_of(visits(CN=[P] * 5, AD=[P], MCI=[P]), GROUPS)
    with pytest.raises(InputError, match="all 2 are in one"):
        check_enough(together, 2, 1, merged)
    apart = people_of(visits(CN=[P] * 4, AD=[P], MCI=[P]), GROUPS)
    check_enough(apart, 2, 1, merged)


def test_people_held_out_for_validation_must_leave_somebody():
    """Five people in two folds: beside the larger fold there are two."""
    people, key = people_of(visits(CN=[P] * 5), GROUPS), "gan_anomaly.validation.people"
    check_enough(people, 2, 1, spare={key: 1})
    message = r"^gan_anomaly\.validation\.people: 2 of 2 people .* leave nobody to learn from"
    with pytest.raises(InputError, match=message):
        check_enough(people, 2, 1, spare={key: 2})


def test_six_people_of_a_group_do_not_stop_ten_folds():
    people = people_of(visits(CN=[P] * 20, MCI=[P] * 6, AD=[P] * 2), GROUPS)
    check_enough(people, 10, 1, CLASSES)
    assert small_groups(people, 10) == {"MCI": 6, "AD": 2}
