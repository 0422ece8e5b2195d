"""A group that a study names and nobody is in is told of once, in the cohort's job."""

import logging

import pandas as pd
import pytest
from bids_fakes import bids, scan, table_of

from mri2pet.cohorts.contract import warn_of_empty_groups


@pytest.fixture
def table(tmp_path):
    people = ["participant_id\tgroup", "sub-1\tHC", "sub-2\tAD"]
    pets = [scan(name, suffix="pet", entities="trc-18FFDG") for name in "12"]
    return table_of(bids(tmp_path, people, [scan("1"), scan("2"), *pets]), groups=["CN", "AD"])[0]


@pytest.mark.parametrize(
    ("groups", "empty", "told"),
    [
        (["CN", "AD"], [], ""),
        ({"HC": "CN", "AD": "AD"}, [], ""),
        (["CN", "MCI", "AD"], ["MCI"], "studies.ds.groups: nobody is in MCI;"),
        (["CN", "SMC", "MCI", "AD"], ["SMC", "MCI"], "nobody is in SMC and nobody in MCI;"),
        (
            {"HC": "CN", "AD": "AD", "early": "MCI", "late": "MCI"},
            ["MCI"],
            "nobody is in MCI (early, late in the tables);",
        ),
        (["Cn"], ["Cn"], "nobody is in Cn;"),
        ([], [], ""),
        (None, [], ""),
    ],
)
def test_groups_without_anybody_are_named_once(table, caplog, groups, empty, told):
    study = {"name": "ds"} | ({} if groups is None else {"groups": groups})
    with caplog.at_level(logging.WARNING):
        assert warn_of_empty_groups(table, study) == empty
    assert len(caplog.records) == bool(empty)
    assert told in caplog.text
    if empty:
        assert "results/cohort/ds_exclusions.tsv" in caplog.text


def test_a_table_without_groups_has_empty_ones(caplog):
    table = pd.DataFrame({"group": [None, None]})
    assert warn_of_empty_groups(table, {"name": "ds", "groups": ["CN"]}) == ["CN"]
