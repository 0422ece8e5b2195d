"""The people of the simulated cohort and its tables."""

import csv
import json
import re
import time
from collections import Counter
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

import numpy as np
import pytest
import yaml

from mri2pet.errors import InputError
from mri2pet.simulation.adni_tables import ADNIMERGE, COLLECTION, write_tables
from mri2pet.simulation.people import GROUPS, SEVERITY, Person, plan_people

SMALL = {"paired": 12, "mri_only": 4, "second_visits": 3, "groups": ["CN", "AD"]}


def plan(**changes):
    return plan_people({**SMALL, **changes}, seed=1)


def test_counts_and_groups_are_those_asked_for():
    people = plan()
    paired = [person for person in people if person.visits[0].pet_image]
    alone = [person for person in people if not person.visits[0].pet_image]
    assert (len(paired), len(alone)) == (12, 4)
    assert sum(len(person.visits) == 2 for person in paired) == 3
    assert all(len(person.visits) == 1 for person in alone)
    for kind in (paired, alone):
        assert [person.group for person in kind] == ["CN", "AD"] * (len(kind) // 2)


@pytest.mark.parametrize("second", range(0, 13))
@pytest.mark.parametrize("groups", [["CN", "AD"], list(GROUPS), ["AD"]])
def test_any_number_of_second_visits(second, groups):
    people = plan(second_visits=second, groups=groups)
    assert sum(len(person.visits) == 2 for person in people) == second


def test_each_group_may_have_a_number_of_its_own():
    people = plan(paired={"CN": 5, "AD": 3}, mri_only={"AD": 2, "MCI": 1}, second_visits=4)
    kinds = [(p.group, p.visits[0].pet_time is not None, len(p.visits)) for p in people]
    found = Counter((group, paired) for group, paired, _ in kinds)
    assert found == {("CN", True): 5, ("AD", True): 3, ("AD", False): 2, ("MCI", False): 1}
    assert Counter(group for group, _, visits in kinds if visits == 2) == {"CN": 2, "AD": 2}


def test_the_same_numbers_by_group_are_the_same_people():
    by_group = plan(paired={"CN": 6, "AD": 6}, mri_only={"CN": 2, "AD": 2}, second_visits=3)
    assert by_group == plan(second_visits=3)


def test_the_papers_cohort_has_the_papers_groups(root):
    paper = yaml.safe_load((root / "config/paper/gla_gan.yaml").read_text())
    simulation = paper["studies"]["dementia"]["simulation"]
    people = plan(**simulation)
    found = Counter((p.group, p.visits[0].pet_time is not None) for p in people)
    assert found == {("CN", True): 241, ("AD", True): 161, ("CN", False): 83, ("AD", False): 79}


def test_same_seed_same_people_and_other_seed_others():
    assert plan() == plan()
    assert plan_people(SMALL, 1) != plan_people(SMALL, 2)


@pytest.mark.parametrize(
    "more",
    [{"mri_only": 5}, {"mri_only": 40}, {"paired": 13}, {"paired": 450, "mri_only": 150}],
)
def test_a_larger_cohort_has_the_same_people(more):
    large = {person.ptid: person for person in plan(**more)}
    for small in plan():
        same = large[small.ptid]
        if "paired" in more:  # who comes back follows from how many are paired
            same = replace(same, visits=same.visits[:1])
            small = replace(small, visits=small.visits[:1])
        assert small == same


@pytest.mark.parametrize(("paired", "digest"), [(24, "d23d7ab9c5719312"), (12, "f215e1c7d57425b1")])
def test_the_default_cohort_is_the_one_that_its_numbers_are_of(config, tmp_path, paired, digest):
    """Of 24 people with both scans, and of the 12 that it had before."""
    settings = config["studies"]["dementia"]["simulation"]
    assert settings["paired"] == 24
    write_tables(plan_people(settings | {"paired": paired}, config["seed"]), 1, tmp_path)
    names = ("collection.csv", "ADNIMERGE.csv")
    tables = b"".join((tmp_path / name).read_bytes() for name in names)
    assert sha256(tables).hexdigest()[:16] == digest


def test_six_hundred_are_planned_in_seconds():
    start = time.process_time()
    people = plan(paired=450, mri_only=150, second_visits=100)
    assert time.process_time() - start < 3
    assert len({person.ptid for person in people}) == 600
    images = [n for p in people for v in p.visits for n in (v.mri_image, v.pet_image) if n]
    assert len(images) == len(set(images))
    assert np.mean([person.sex == "F" for person in people]) == pytest.approx(0.5, abs=0.07)
    assert all(60 <= person.age <= 90 for person in people)


def test_identities_have_adnis_form():
    for person in plan(second_visits=12):
        assert re.fullmatch(r"\d{3}_S_\d{4}", person.ptid)
        assert [visit.code for visit in person.visits] == ["bl", "m12"][: len(person.visits)]
        for visit in filter(lambda v: v.pet_time, person.visits):
            apart = datetime.fromisoformat(visit.pet_time) - datetime.fromisoformat(visit.mri_time)
            assert 0 < abs(apart.total_seconds()) < 40 * 86400
        if len(person.visits) == 2:
            assert person.visits[1].years == pytest.approx(1, abs=0.06)
            assert person.severity_at(person.visits[1]) > person.severity


def test_severity_is_graded_by_group():
    people = plan(paired=300, groups=list(GROUPS))
    means = [np.mean([p.severity for p in people if p.group == group]) for group in GROUPS]
    assert means == sorted(means)
    assert means == pytest.approx([SEVERITY[group] for group in GROUPS], rel=0.15)


def test_a_person_passes_through_json():
    for person in plan():
        assert Person.from_dict(json.loads(json.dumps(person.as_dict()))) == person


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"groups": ["CN", "Alzheimer"]}, "Alzheimer"),
        ({"paired": {"CN": 9, "Dementia": 9}}, "Dementia"),
        ({"mri_only": {"CN": -1}}, "one person"),
        ({"groups": []}, "at least one group"),
        ({"second_visits": 13}, "only 12 people are paired"),
        ({"paired": 0, "mri_only": 0, "second_visits": 0}, "one person"),
        ({"paired": 20000}, "paired: 20000, at most 7479"),
        ({"mri_only": 2494}, "mri_only: 2494, at most 2493"),
    ],
)
def test_impossible_cohorts_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        plan(**changes)


def test_tables_are_as_loni_writes_them(tmp_path):
    people = plan(groups=["CN", "MCI", "AD"])
    write_tables(people, 1, tmp_path)
    lines = (tmp_path / "collection.csv").read_text().splitlines()
    assert lines[0].startswith('"Image Data ID","Subject","Group","Sex","Age","Visit","Modality"')
    assert all(re.fullmatch(r'"[^"]*"(,"[^"]*"){11}', line) for line in lines)
    with (tmp_path / "collection.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert tuple(rows[0]) == COLLECTION
    images = sum(1 + (v.pet_image is not None) for p in people for v in p.visits)
    assert len(rows) == images == 12 * 2 + 3 * 2 + 4
    first = people[0]
    mine = [row for row in rows if row["Subject"] == first.ptid]
    assert [row["Modality"] for row in mine] == ["MRI", "PET"]
    assert mine[0]["Image Data ID"] == f"I{first.visits[0].mri_image}"
    day = datetime.strptime(mine[0]["Acq Date"], "%m/%d/%Y")
    assert day.date() == datetime.fromisoformat(first.visits[0].mri_time).date()


def test_adnimerge_has_its_columns_and_spellings(tmp_path):
    people = plan(groups=["CN", "MCI", "AD"])
    write_tables(people, 1, tmp_path)
    with (tmp_path / "ADNIMERGE.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert tuple(rows[0]) == ADNIMERGE
    assert len(rows) == sum(len(person.visits) for person in people)
    assert {row["DX_bl"] for row in rows} == {"CN", "LMCI", "AD"}
    assert {row["DX"] for row in rows} == {"CN", "MCI", "Dementia"}
    assert {row["PTGENDER"] for row in rows} <= {"Male", "Female"}
    assert [int(row["RID"]) for row in rows[:1]] == [int(people[0].ptid[-4:])]


def test_tables_are_the_same_bytes_twice(tmp_path):
    for name in "ab":
        write_tables(plan(), 1, tmp_path / name)
    for name in ("collection.csv", "ADNIMERGE.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
