"""What trains depends on the people it trains on, and on nobody else."""

import os
import re

import pytest
from trainings import COHORT, WEIGHTS, make_training

from mri2pet.files import read_tsv, write_tsv

pytestmark = pytest.mark.slow
ROWS = "results/datasets/linear/learnt/cohort.tsv"


@pytest.fixture(scope="module")
def trained(root, tmp_path_factory):
    """A folder in which one model was trained, on a packed dataset."""
    training = make_training(tmp_path_factory.mktemp("learnt"), root)
    settings = training.folder / "settings.yaml"
    settings.write_text(re.sub(r"epochs: \d+", "epochs: 1", settings.read_text()))
    code, said = training.call(ROWS)
    assert code == 0, said[-3000:]
    for path in sorted((training.folder / ROWS).parent.iterdir()):
        if path.name != "cohort.tsv":
            os.utime(path)  # as if packed from these rows
    code, said = training.call()
    assert code == 0, said[-3000:]
    return training


@pytest.fixture
def cohort(trained):
    """The cohort table, put back afterwards."""
    path = trained.folder / COHORT
    before = path.read_bytes()
    yield read_tsv(path, dtype=str)
    path.write_bytes(before)


def planned(trained, cohort) -> set[str]:
    """Return the rules that would run for the weights with another cohort table."""
    write_tsv(trained.folder / COHORT, cohort)
    code, said = trained.call("-n", WEIGHTS)
    assert code == 0, said[-3000:]
    return set(re.findall(r"^(?:local)?(?:rule|checkpoint) (\w+):$", said, re.M))


def test_the_rows_are_those_of_people_with_a_pet(trained, cohort):
    rows = read_tsv(trained.folder / ROWS, dtype=str)
    assert list(rows["subject"]) == list(cohort.loc[cohort["kind"] == "paired", "subject"])
    assert rows.columns.tolist() == cohort.columns.tolist()


def test_the_same_cohort_trains_nothing(trained, cohort):
    assert planned(trained, cohort) == set()


@pytest.mark.parametrize("change", ["another", "without one", "an age", "a group"])
def test_people_with_an_mri_alone_train_nothing(trained, cohort, change):
    alone = cohort.index[cohort["kind"] == "mri_only"]
    if change == "another":
        new = cohort.loc[[alone[0]]].assign(subject="999S9999")
        cohort = type(cohort)([*cohort.to_dict("records"), *new.to_dict("records")])
    elif change == "without one":
        cohort = cohort.drop(alone[0])
    else:
        column, value = {"an age": ("age", "33.0"), "a group": ("group", "AD")}[change]
        cohort.loc[alone[0], column] = value
    assert planned(trained, cohort) == set()


@pytest.mark.parametrize("change", ["another", "without one", "an age", "a group"])
def test_people_with_a_pet_train_again(trained, cohort, change):
    paired = cohort.index[cohort["kind"] == "paired"]
    if change == "another":
        new = cohort.loc[[paired[0]]].assign(subject="999S9999")
        cohort = type(cohort)([*cohort.to_dict("records"), *new.to_dict("records")])
    elif change == "without one":
        cohort = cohort.drop(paired[0])
    else:
        column, value = {"an age": ("age", "33.0"), "a group": ("group", "AD")}[change]
        cohort.loc[paired[0], column] = value
    planned_rules = planned(trained, cohort)
    assert {"linear_learnt", "pack_linear_learnt", "train_networks"} <= planned_rules
