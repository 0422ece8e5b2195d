"""A script of the workflow run by hand makes what its job makes, in a process one can stop in."""

import os
import subprocess
import sys

import pytest

TABLE = "results/cohort/ixi.tsv"
GIVEN = ["--config", "systems=[ixi]", "studies={ixi: {simulation: {people: 11}}}"]


@pytest.fixture
def call(root, tmp_path):
    """Call a module of Python in a folder of its own."""

    def start(*arguments):
        return subprocess.run(
            [sys.executable, "-m", *arguments, "-s", str(root / "Snakefile"), *GIVEN],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(root / "src")},
            capture_output=True,
            text=True,
        )

    return start


def test_it_makes_what_the_job_makes_and_a_debugger_stops_in_it(root, call, tmp_path):
    done = call("snakemake", "--cores", "1", TABLE)
    assert done.returncode == 0, done.stderr
    made = (tmp_path / TABLE).read_bytes()
    (tmp_path / TABLE).unlink()
    script = root / "workflow/scripts/cohort.py"
    line = script.read_text().splitlines().index("with recorded(snakemake):") + 1
    debugger = ["pdb", "-c", f"break {script}:{line}", "-c", "continue"]
    debugger += ["-c", "p 'stopped', snakemake.rule, snakemake.output.table", "-c", "continue"]
    done = call(*debugger, "-c", "quit", "-m", "mri2pet.runs.by_hand", TABLE)
    assert f"('stopped', 'ixi_cohort', '{TABLE}')" in done.stdout
    assert done.returncode == 0, done.stderr
    assert (tmp_path / TABLE).read_bytes() == made
    assert (tmp_path / "results/provenance/cohort/ixi.tsv.json").is_file()


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (TABLE, "inputs of its job are not there yet"),
        ("results/nothing.tsv", "No rule to produce results/nothing.tsv"),
        ("results/report/report.html", "inputs of its job are not there yet"),
    ],
)
def test_what_cannot_be_run_is_told_in_a_line(call, tmp_path, target, told):
    done = call("mri2pet.runs.by_hand", target)
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()
