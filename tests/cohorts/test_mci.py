"""MCI: which visits count as it, and how ill simulated people with it are."""

import numpy as np
import pytest

from mri2pet.cohorts.adni.groups import admitted
from mri2pet.cohorts.adni.reader import build_cohort
from mri2pet.simulation.adni_tables import write_tables
from mri2pet.simulation.people import plan_people

PEOPLE = {"paired": 60, "mri_only": 15, "second_visits": 3, "groups": ["CN", "AD", "MCI"]}


@pytest.mark.parametrize(
    ("group", "groups", "expected"),
    [
        ("LMCI", {"CN", "MCI", "AD"}, "MCI"),
        ("EMCI", {"CN", "MCI", "AD"}, "MCI"),
        ("LMCI", {"CN", "MCI", "LMCI"}, "LMCI"),
        ("EMCI", {"CN", "MCI", "LMCI"}, "MCI"),
        ("LMCI", {"CN", "AD"}, None),
        ("MCI", {"EMCI"}, None),
        ("SMC", {"CN", "MCI", "AD"}, None),
        (None, {"CN", "MCI"}, None),
    ],
)
def test_mci_takes_in_its_finer_kinds(group, groups, expected):
    assert admitted(group, groups) == expected


def test_simulated_people_with_mci_reach_the_cohort_as_mci(tmp_path):
    """ADNIMERGE writes them LMCI; without `admitted` the group would be empty."""
    people = plan_people(PEOPLE, seed=1)
    write_tables(people, 1, tmp_path)
    tables = [tmp_path / "collection.csv", tmp_path / "ADNIMERGE.csv"]
    cohort, exclusions = build_cohort(
        tables, groups=["CN", "MCI", "AD"], max_days_apart=183, exclude=[]
    )
    assert exclusions.empty
    assert len(cohort) == 78
    planned = {person.ptid: person.group for person in people}
    assert (cohort["mri_file"].map(planned) == cohort["group"]).all()
    both = cohort.drop_duplicates("subject").groupby(["group", "kind"]).size()
    assert set(both["MCI"]) == {5, 20}


def test_mci_lies_between_with_more_spread():
    people = plan_people(PEOPLE | {"paired": 600}, seed=1)
    severity = {
        group: np.array([p.severity for p in people if p.group == group])
        for group in ("CN", "MCI", "AD")
    }
    assert severity["CN"].max() < severity["MCI"].min()
    assert severity["MCI"].mean() < severity["AD"].min()
    assert severity["MCI"].max() > severity["AD"].min()
    spread = {group: np.log(values).std() for group, values in severity.items()}
    assert spread["MCI"] > 1.3 * spread["AD"]
