"""A clock that was ahead: results dated in the future hide nothing that is outdated."""

import os
import time
from pathlib import Path

import pytest
from toy import IMAGE, MAPS, SIDECAR, TABLE, convert, raw_scans, tabulate

from mri2pet.provenance.clock import LONG_AGO_NS, settle_future

DAY = 86_400
RECORDS = ["results/provenance", "resources/provenance"]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    raw_scans()
    convert()
    tabulate()


def date(path: str, seconds: float) -> None:
    for each in (path, f"{path}/.snakemake_timestamp"):
        if Path(each).exists():
            os.utime(each, (seconds, seconds))


def put_ahead() -> None:
    Path(MAPS, ".snakemake_timestamp").touch()
    for path in (IMAGE, SIDECAR, MAPS, TABLE):
        date(path, time.time() + DAY)


def is_ahead(path: str) -> bool:
    return Path(path).stat().st_mtime > time.time() + 1


@pytest.mark.usefixtures("run")
def test_results_of_the_future_are_dated_now_if_their_inputs_are_the_same():
    assert settle_future(RECORDS) == ([], [])
    put_ahead()
    future, outdated = settle_future(RECORDS)
    assert set(future) == {IMAGE, SIDECAR, MAPS, TABLE}
    assert outdated == []
    assert not any(map(is_ahead, [*future, f"{MAPS}/.snakemake_timestamp"]))
    dates = {Path(path).stat().st_mtime_ns for path in future}
    assert len(dates) == 1  # none is older than its input
    assert settle_future(RECORDS) == ([], [])


@pytest.mark.usefixtures("run")
def test_what_was_made_of_other_inputs_is_dated_long_ago():
    """The image was made anew after the clock was set right; the table lies in the future."""
    Path("raw/001_S_0001/MPRAGE/I1/a_I1.dcm").write_text("another scan")
    convert()
    date(TABLE, time.time() + DAY)
    assert settle_future(RECORDS) == ([TABLE], [TABLE])
    assert Path(TABLE).stat().st_mtime_ns == LONG_AGO_NS


@pytest.mark.usefixtures("run")
def test_a_scan_replaced_while_the_clock_was_ahead_is_seen():
    put_ahead()
    Path("raw/001_S_0001/MPRAGE/I1/a_I1.dcm").write_text("another scan")
    _, outdated = settle_future(RECORDS)
    assert set(outdated) == {IMAGE, SIDECAR, MAPS}


@pytest.mark.usefixtures("run")
def test_what_has_no_record_and_what_is_gone_is_left_alone():
    Path("results/notes.txt").write_text("mine")
    date("results/notes.txt", time.time() + DAY)
    Path(TABLE).unlink()
    assert settle_future(RECORDS) == ([], [])
    assert is_ahead("results/notes.txt")
