"""The audit names what does not agree with the records, and nothing else."""

import json
import logging
import os
from pathlib import Path

import pytest
import toy

from mri2pet.files import sha256
from mri2pet.provenance import audit as module
from mri2pet.provenance.audit import audit
from mri2pet.provenance.record import sidecar_of
from mri2pet.provenance.records import read_records


@pytest.fixture(autouse=True)
def _run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    toy.run()
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)


def findings(code=toy.CODE, changed=dict) -> set[tuple[str, str]]:
    """What the audit finds: kind and file."""
    done = audit(
        read_records(["results/provenance", "resources/provenance"]),
        "results",
        lambda script, _: code.get(script),
        changed,
    )
    assert all(item.reason for item in done.findings)
    return {(item.finding, item.file) for item in done.findings}


def flip(path: str, at: int = 0) -> None:
    """Change one byte and keep size and time stamp."""
    status, data = Path(path).stat(), bytearray(Path(path).read_bytes())
    data[at] ^= 1
    Path(path).write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


CONVERTED = {("stale", path) for path in (toy.IMAGE, toy.SIDECAR, toy.MAPS)}
TABLE_STALE = {("stale", toy.TABLE)}


def test_an_untouched_run_is_clean():
    assert findings() == set()


def test_a_run_that_was_moved_is_clean(tmp_path, monkeypatch):
    for name in ("results", "raw"):
        Path(name).rename(tmp_path.parent / f"{tmp_path.name}-{name}")
    moved = tmp_path.parent / f"{tmp_path.name}-moved"
    moved.mkdir()
    for name in ("results", "raw"):
        (tmp_path.parent / f"{tmp_path.name}-{name}").rename(moved / name)
    monkeypatch.chdir(moved)
    assert findings() == set()


@pytest.mark.parametrize(
    ("path", "also"),
    [
        (toy.TABLE, set()),
        (toy.IMAGE, TABLE_STALE),
        (toy.SIDECAR, TABLE_STALE),
        (f"{toy.MAPS}/deep/two.npy", TABLE_STALE),
        (f"{toy.RAW}/MPRAGE/I1/b_I1.dcm", CONVERTED),
    ],
)
def test_one_flipped_byte_is_named_and_what_was_made_of_it(path, also):
    flip(path)
    assert findings() == {("altered", path), *also}


def test_a_raw_scan_that_nothing_was_made_of_is_of_no_concern():
    flip(f"{toy.RAW}/Other/I2/c_I2.dcm")
    assert findings() == set()


def test_an_edited_table_is_altered():
    Path(toy.TABLE).write_text("a\tb\n1\t99\n")
    assert findings() == {("altered", toy.TABLE)}


@pytest.mark.parametrize(
    ("path", "also"),
    [
        (toy.TABLE, set()),
        (toy.IMAGE, TABLE_STALE),
        (f"{toy.MAPS}/one.npy", TABLE_STALE),
        (f"{toy.RAW}/MPRAGE/I1/a_I1.dcm", CONVERTED),
    ],
)
def test_a_file_that_is_gone_is_missing(path, also):
    Path(path).unlink()
    assert findings() == {("missing", path), *also}


@pytest.mark.parametrize("output", [toy.IMAGE, toy.SIDECAR, toy.MAPS])
def test_a_deleted_sidecar_is_missing(output):
    sidecar_of(output).unlink()
    assert findings() == {("missing", str(sidecar_of(output)))}


def test_the_only_sidecar_of_a_job_is_known_from_the_readers_of_its_output():
    for output in (toy.IMAGE, toy.SIDECAR, toy.MAPS):
        sidecar_of(output).unlink()
    found = findings()
    assert {("missing", str(sidecar_of(path))) for path in (toy.IMAGE, toy.MAPS)} <= found
    assert {("unrecorded", toy.IMAGE), ("unrecorded", f"{toy.MAPS}/deep/two.npy")} <= found


def test_without_its_only_sidecar_a_last_file_is_unrecorded():
    sidecar_of(toy.TABLE).unlink()
    assert findings() == {("unrecorded", toy.TABLE)}


def test_files_that_no_job_made_are_unrecorded():
    for path in ("results/notes.txt", f"{toy.MAPS}/three.npy"):
        Path(path).write_text("by hand")
    Path(toy.MAPS, ".snakemake_timestamp").touch()
    found = findings()
    assert found == {
        ("unrecorded", "results/notes.txt"),
        ("unrecorded", f"{toy.MAPS}/three.npy"),
        *TABLE_STALE,
    }


def test_what_tells_of_the_run_needs_no_record():
    for path in ("results/failures.tsv", "results/notes.tsv"):
        Path(path).write_text("what failed")
    records = read_records(["results/provenance"])
    done = audit(records, "results", lambda name, _: toy.CODE[name], apart=["results/failures.tsv"])
    assert [item.file for item in done.findings] == ["results/notes.tsv"]


def test_changed_code_makes_what_it_made_stale():
    assert findings({**toy.CODE, "table.py": "another"}) == TABLE_STALE
    assert findings({**toy.CODE, "convert.py": "another"}) == CONVERTED
    assert findings({"convert.py": toy.CODE["convert.py"]}) == TABLE_STALE  # script gone


def test_what_the_workflow_would_make_otherwise_is_stale():
    assert findings(changed=lambda: {toy.TABLE: "parameters changed since"}) == TABLE_STALE
    assert findings(changed=lambda: {"results/never/made.tsv": "parameters changed"}) == set()


def test_a_result_made_anew_leaves_what_hangs_on_it_stale():
    for name in ("a_I1", "b_I1"):
        Path(toy.RAW, f"MPRAGE/I1/{name}.dcm").write_text("another scan")
    toy.convert()
    assert findings() == TABLE_STALE
    toy.tabulate()
    assert findings() == set()


def test_a_spoiled_sidecar_is_named():
    sidecar = sidecar_of(toy.TABLE)
    sidecar.write_text(sidecar.read_text()[:-20])
    assert ("altered", str(sidecar)) in findings()


def test_a_sidecar_changed_to_fit_an_altered_file_does_not_fit_its_readers():
    Path(toy.IMAGE).write_text("forged")
    for output in (toy.IMAGE, toy.SIDECAR, toy.MAPS):
        sidecar = sidecar_of(output)
        forged = json.loads(sidecar.read_text())
        forged["outputs"][toy.IMAGE]["sha256"] = sha256(toy.IMAGE)
        sidecar.unlink()
        sidecar.write_text(json.dumps(forged))
    assert findings() == TABLE_STALE


def test_every_file_is_hashed_once(monkeypatch):
    hashed = []

    def note(path):
        hashed.append(path)
        return sha256(path)

    monkeypatch.setattr(module, "sha256", note)
    assert findings() == set()
    files = {toy.IMAGE, toy.SIDECAR, toy.TABLE, f"{toy.MAPS}/one.npy", f"{toy.MAPS}/deep/two.npy"}
    raw = {f"{toy.RAW}/MPRAGE/I1/{name}_I1.dcm" for name in "ab"}
    assert sorted(hashed) == sorted(files | raw)
