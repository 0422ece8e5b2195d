"""A whole run of the workflow on a very small cohort, two of whose scans are bad."""

from pathlib import Path

import pytest
from small_run import Run, first_targets, name_spoiled


@pytest.fixture(scope="session")
def sources(begun_run) -> Path:
    """Return a copy of the sources, in a repository of their own."""
    return begun_run[0].root


@pytest.fixture(scope="session")
def finished(begun_run) -> Run:
    """Wait for the small whole run, which began beside the first tests."""
    run, process = begun_run
    if process.wait():
        pytest.fail(run.log().read_text()[-12000:])
    name_spoiled(run, *first_targets(run)[1:])
    return run
