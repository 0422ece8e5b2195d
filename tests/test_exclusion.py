"""A stage gives real outputs, or empty ones and the reason."""

import json
from pathlib import Path

import pytest

from mri2pet.errors import ScanError
from mri2pet.exclusion import is_excluded, run_stage


def run(folder: Path, work, upstream=()) -> tuple[Path, Path]:
    output, sidecar = folder / "image.nii.gz", folder / "image.json"
    run_stage("acpc", lambda: work(output), sidecar, [output], ["raw.nii"], upstream)
    return output, sidecar


def good(output: Path) -> dict:
    output.write_text("pixels")
    return {"BrainVolume": 1400}


def bad(output: Path) -> dict:
    raise ScanError("slice 3 of 9 is missing")


def test_a_good_scan_leaves_its_outputs_and_measures(tmp_path):
    output, sidecar = run(tmp_path, good)
    record = json.loads(sidecar.read_text())
    assert output.read_text() == "pixels"
    assert record["BrainVolume"] == 1400
    assert record["Sources"] == ["raw.nii"]
    assert record["GeneratedBy"][0]["Stage"] == "acpc"
    assert is_excluded(sidecar) is None


def test_a_bad_scan_leaves_empty_outputs_and_the_reason(tmp_path):
    output, sidecar = run(tmp_path, bad)
    assert output.stat().st_size == 0
    assert is_excluded(sidecar) == {"stage": "acpc", "reason": "slice 3 of 9 is missing"}


def test_later_stages_pass_the_reason_on_without_working(tmp_path):
    _, first = run(tmp_path / "first", bad)

    def never(_):
        pytest.fail("worked on an excluded scan")

    output, second = run(tmp_path / "second", never, [first])
    assert output.stat().st_size == 0
    assert is_excluded(second) == is_excluded(first)


def test_a_fault_of_the_program_is_not_an_exclusion(tmp_path):
    def broken(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(tmp_path, broken)
    assert not list(tmp_path.iterdir())
