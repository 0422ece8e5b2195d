"""Every command in README and docs: tried with -n or held to what there is, or named as not run."""

import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from mri2pet.config.schema import load_schema

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "config/README.md", ROOT / "CONTRIBUTING.md"]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
PROGRAMS = ("snakemake", "make", "python", "python3", "source", "cd", "apt-get", "snakedeploy")
PROGRAMS += ("tensorboard", "pip", "git", "mkdocs", "bids-validator")
# Programs whose commands are not run, with the reason.
NOT_RUN = {
    "source": "of the shell",
    "cd": "of the shell",
    "apt-get": "asks for root and a network",
    "snakedeploy": "asks for a network; tests/workflow/test_deployed.py does what it does",
    "tensorboard": "a server that does not end",
    "python3": "makes an environment of another package",
}
# Configuration files that a reader makes, and letters that stand for a number.
OWN_FILES = {"mine.yaml", "depth.yaml"}
NOT_KEYS = {"file", "short", "bundle", "raw"}  # taken out before the schema is asked


def commands():
    """Return page and words of every command in an indented or a shell block."""
    found = {}
    for page in PAGES:
        text = re.sub(r"```(?!bash|sh\b)\w+\n.*?```", "", page.read_text(), flags=re.S)
        text = text.replace("\\\n", " ")
        for line in re.findall(r"^ {4,}(\S.*)$", text, re.M) + _fenced(text):
            line = re.sub(r"\s+#\s.*$", "", line).strip()
            program = line.split()[0].removeprefix(".venv/bin/")
            if program in PROGRAMS and "=" not in program and not line.endswith(":"):
                found.setdefault(line, page.relative_to(ROOT))
    return [pytest.param(line, id=f"{page}: {line}"[:90]) for line, page in found.items()]


def _fenced(text):
    blocks = re.findall(r"```(?:bash|sh)\n(.*?)```", text, re.S)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


COMMANDS = commands()


def split(line):
    words = shlex.split(line)
    return [words[0].removeprefix(".venv/bin/"), *words[1:]]


@pytest.fixture(scope="module")
def rules():
    from mri2pet.runs.rule_graph import read_workflow

    return {rule.name for rule in read_workflow(ROOT / "Snakefile", None).rules}


def test_commands_are_found():
    assert len(COMMANDS) > 50


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_is_one_that_there_is(line, rules):
    program, *words = split(line)
    if program == "snakemake":
        check_snakemake(words, rules)
    elif program == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M)
        assert {word for word in words if "=" not in word} <= set(targets)
    elif program == "python":
        check_python(words)
    else:
        assert program in NOT_RUN


def check_snakemake(words, rules):
    """Hold a call to Snakemake's own parser, the schema, the rules and the files that there are."""
    from snakemake.cli import get_argument_parser

    known = get_argument_parser(profiles=[])
    given = known.parse_args(["2" if word == "N" else word for word in words])
    for path in given.configfile or []:
        assert (ROOT / path).is_file() or str(path) in OWN_FILES, path
    keys = load_schema(ROOT / "workflow/schemas/config.schema.yaml")["properties"]
    for key, value in (word.split("=", 1) for word in given.config or []):
        assert key in {*keys, *NOT_KEYS}, key
        yaml.safe_load(value)
    for target in given.targets:
        assert target in rules or target.startswith("results/"), target


def check_python(words):
    if words[0] == "-m":
        module = words[1] if words[1] != "pdb" else words[3]
        assert find_spec(module) is not None, module
    else:
        assert (ROOT / words[0]).is_file(), words[0]


# What a call needs that a test has not: scans and files of the reader's own, a cluster, a run.
NEEDS = r"/data|/path|/tmp|--profile|--unlock|audit|trace|bundle|submission|\.yaml|--sdm|--report"
TRIED = [
    each
    for each in COMMANDS
    if split(each.values[0])[0] == "snakemake" and not re.search(NEEDS, each.values[0])
]


def test_some_are_tried():
    assert len(TRIED) >= 4


@pytest.mark.slow
@pytest.mark.parametrize("line", TRIED)
def test_a_call_without_own_scans_lists_its_jobs(line, tmp_path):
    (tmp_path / "config").symlink_to(ROOT / "config")
    (tmp_path / "resources").symlink_to(ROOT / "resources")
    words = ["2" if word == "N" else word for word in split(line)[1:]]
    command = [sys.executable, "-m", "snakemake", "-n", "--snakefile", str(ROOT / "Snakefile")]
    done = subprocess.run(
        [*command, "--directory", str(tmp_path), *words],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
