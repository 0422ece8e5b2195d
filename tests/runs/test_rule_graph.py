"""The picture of the rules is of the rules that there are."""

import json
import os
import subprocess
import sys

import pytest

from mri2pet.config.systems import SYSTEMS as KNOWN_SYSTEMS
from mri2pet.runs.rule_graph import (
    ASKED,
    SYSTEMS,
    as_dot,
    of_system,
    picture_of,
    reduced,
    rules_in,
)


def rules_by_file(root, *systems):
    """In a process of its own: reading the workflow changes how Snakemake starts scripts."""
    program = "import json, sys; from mri2pet.runs.rule_graph import read_workflow, rules_of; "
    program += "print(json.dumps(rules_of(read_workflow(sys.argv[1], None, sys.argv[2:]))))"
    done = subprocess.run(
        [sys.executable, "-c", program, str(root / "Snakefile"), *systems],
        env=os.environ | {"PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def rules(root):
    return rules_by_file(root)


def test_the_picture_shows_the_rules_of_the_snakefile(root, rules):
    """Else draw it again: `python -m mri2pet.runs.rule_graph` says how."""
    there = {name for names in rules.values() for name in names}
    assert rules_in(root / picture_of()) == there
    assert len(there) > 100
    assert not there & ASKED


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_picture_of_a_system_shows_the_rules_of_a_run_of_it_alone(root, system):
    own = of_system(rules_by_file(root, system), system)
    there = {name for names in own.values() for name in names}
    assert rules_in(root / picture_of(system)) == there
    assert any(step.startswith(f"papers/{system}/") for step in own)


def test_a_picture_of_a_system_names_no_other_paper():
    rules = {"papers/gla_gan/contest": ["judge"], "papers/ixi/results": ["t"], "visit/warp": ["w"]}
    assert set(of_system(rules, "ixi")) == {"papers/ixi/results", "visit/warp"}


def test_all_systems_have_a_picture():
    assert set(SYSTEMS) == set(KNOWN_SYSTEMS)


def test_rules_stand_in_the_file_that_has_them(rules):
    assert "train" in rules["models/train"]
    assert "n4" in rules["visit/preproc"]
    assert "detection_table" in rules["papers/gan_anomaly/detector"]
    assert "report_page" in rules["report"]


@pytest.mark.parametrize(
    ("edges", "left"),
    [
        ({("a", "b"), ("b", "c"), ("a", "c")}, {("a", "b"), ("b", "c")}),
        ({("a", "b"), ("b", "a")}, {("a", "b"), ("b", "a")}),
        ({("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")}, {("a", "b"), ("b", "c"), ("c", "d")}),
        ({("a", "b"), ("a", "c")}, {("a", "b"), ("a", "c")}),
    ],
)
def test_arrows_that_follow_from_others_are_left_out(edges, left):
    assert reduced(edges) == left


def test_a_frame_stands_around_the_steps_of_a_folder():
    dot = as_dot(
        {"visit/preproc": ["n4"], "report": ["report_page"]}, {("visit/preproc", "report")}
    )
    assert dot.count("subgraph cluster_") == 2
    assert '"visit/preproc" -> "report";' in dot
    assert "each visit" in dot
