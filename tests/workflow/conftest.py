"""A whole run of the workflow on a very small cohort, two of whose scans are bad."""

import shutil
import subprocess
from pathlib import Path

import pytest
from small_run import Run, first_targets, spoil


def git(folder: Path, *arguments: str) -> str:
    """Call git in a folder, as a person of no name."""
    command = ["git", "-C", folder, "-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
    return subprocess.run(
        [*map(str, command), *arguments], check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture(scope="session")
def sources(root, tmp_path_factory) -> Path:
    """Return a copy of the sources, in a repository of their own."""
    folder = tmp_path_factory.mktemp("sources")
    made = (".*", "__pycache__", "*.egg-info", "atlases", "results", "logs")
    shutil.copytree(root, folder, ignore=shutil.ignore_patterns(*made), dirs_exist_ok=True)
    shutil.copy(root / ".gitignore", folder)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "as it is")
    return folder


@pytest.fixture(scope="session")
def finished(sources, atlases, tmp_path_factory) -> Run:
    """Simulate, spoil two scans, run everything."""
    run = Run(tmp_path_factory.mktemp("run"), sources)
    (run.folder / "resources").mkdir()
    shutil.copytree(atlases, run.folder / "resources/atlases")
    (run.folder / "config").symlink_to(sources / "config")
    run.snakemake("results/cohort/dementia.tsv")
    raw, alone, again = first_targets(run)
    run.snakemake(*raw)
    spoil(run, alone, again)
    run.snakemake()
    return run
