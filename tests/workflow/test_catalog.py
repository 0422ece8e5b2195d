"""What the workflow catalog and `snakemake --lint` ask for, and the documented exceptions."""

import os
import re
import subprocess
import sys

import pytest
import yaml

LAYOUT = [
    "README.md",
    "LICENSE",
    "workflow/Snakefile",
    "workflow/schemas/config.schema.yaml",
    "workflow/report/report.rst",
    "workflow/profiles/default/config.yaml",
    "config/config.yaml",
    "config/README.md",
]


@pytest.mark.parametrize("path", LAYOUT)
def test_what_the_catalog_looks_for_is_there(root, path):
    assert (root / path).is_file()


def test_the_usage_says_what_there_is(root):
    usage = yaml.safe_load((root / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    conda = [path for path in (root / "workflow/rules").rglob("*.smk") if has_rule(path)]
    assert all("conda:" in path.read_text() for path in conda)
    assert usage["software-stack-deployment"] == {
        "conda": True,
        "apptainer": False,
        "apptainer+conda": False,
    }
    assert usage["report"] and any("report(" in path.read_text() for path in conda)


def has_rule(path) -> bool:
    return bool(re.search(r"^\s*(rule|checkpoint) ", path.read_text(), re.M))


@pytest.fixture(scope="module")
def lints(root) -> set[str]:
    """Return the titles of what Snakemake finds in the rules of all systems."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--lint"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert "Lints for" in done.stdout or done.returncode == 0, done.stdout[-2000:]
    return set(re.findall(r"^    \* (.*?)\.?:$", done.stdout, re.M))


def test_what_lint_finds_is_excepted_with_a_reason_and_no_more_is(root, lints):
    text = (root / "docs/deployment.md").read_text()
    table = text.partition("| lint | why it stands |")[2].partition("\n\n")[0]
    assert lints == set(re.findall(r"^\| `(.*?)` \| \w", table, re.M))
