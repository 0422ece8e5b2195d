"""What all tests share: paths, and the atlases fetched once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import settings

# The same examples at every run, and no clock: a test that fails on a busy machine tells nothing.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the project's folder."""
    return ROOT


@pytest.fixture
def schema(root) -> Path:
    """Return the path of the configuration's schema."""
    return root / "workflow/schemas/config.schema.yaml"


@pytest.fixture
def config(root) -> dict:
    """Return the default configuration."""
    return yaml.safe_load((root / "config/config.yaml").read_text())


@pytest.fixture(scope="session")
def atlases() -> Path:
    """Return resources/atlases, made by its rule if it is not there yet."""
    folder = ROOT / "resources/atlases"
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "--nolock"]
    subprocess.run([*command, "--until", "fetch_atlases"], cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="session")
def real() -> Path:
    """Return the folder of real scans; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("MRI2PET_REAL", ROOT.parent / "shared/real"))
    if not folder.is_dir():
        pytest.skip(f"real scans are not at {folder}")
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--faults", action="store_true", help="also the tests marked `faults`")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--faults"):
        for item in items:
            if item.get_closest_marker("faults"):
                item.add_marker(pytest.mark.skip(reason="takes minutes: --faults, or make faults"))
