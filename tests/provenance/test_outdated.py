"""What the workflow says of its files is understood, and asked with the run's own configuration."""

import sys

import pytest

from mri2pet.errors import InputError
from mri2pet.provenance.outdated import outdated

PROGRAM = """
import sys
given = sys.argv[1:]
config = open(given[given.index("--configfile") + 1]).read()
if "spoiled" in config:
    sys.exit("no such rule")
assert config.split() == ["b:", "1", "a:", "y:", "1", "x:", "2"], config  # as given, not sorted
assert "--summary" in given
print("output_file", "date", "rule", "log-file(s)", "status", "plan", sep="\\t")
for name, status in ROWS:
    print(name, "-", "rule", "-", status, "no update", sep="\\t")
"""
ROWS = [("one", "ok"), ("two", "params changed"), ("three", "updated input files")]
ROWS += [("four", "rule implementation changed"), ("five", "missing")]
CONFIG = {"b": 1, "a": {"y": 1, "x": 2}}


def ask(tmp_path, rows, config=CONFIG):
    program = tmp_path / "program.py"
    program.write_text(f"ROWS = {rows!r}\n{PROGRAM}")
    return outdated([sys.executable, str(program)], tmp_path / "Snakefile", config)


def test_changed_parameters_and_rules_are_told_and_time_stamps_are_not(tmp_path):
    found = ask(tmp_path, ROWS)
    assert found.keys() == {"two", "four"}
    assert found["two"] == "parameters changed since"


def test_a_workflow_that_does_not_answer_is_an_error_with_its_words(tmp_path):
    with pytest.raises(InputError, match="no such rule"):
        ask(tmp_path, ROWS, {"spoiled": 1})
