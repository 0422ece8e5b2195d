"""A job that ends well leaves a sidecar for each output, and hashes nothing twice."""

import hashlib
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
import toy

from mri2pet.errors import InputError
from mri2pet.files import sha256
from mri2pet.provenance import hashing, record
from mri2pet.provenance.record import recorded, sidecar_of


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    """Work in a folder of our own, and leave the logging as it was."""
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)


def content(output: str) -> dict:
    return json.loads(sidecar_of(output).read_text())


@pytest.fixture
def hashed(monkeypatch) -> list[str]:
    """Return the list of files that are hashed from here on."""
    paths = []

    def note(path):
        paths.append(str(path))
        return sha256(path)

    monkeypatch.setattr(hashing, "sha256", note)
    return paths


def test_every_output_has_a_sidecar_that_says_all_of_its_job():
    toy.run()
    assert str(sidecar_of(toy.TABLE)) == "results/provenance/gla_gan/tables/table1.tsv.json"
    made = content(toy.IMAGE)
    assert made == content(toy.SIDECAR) == content(toy.MAPS)
    assert set(made["outputs"]) == {toy.IMAGE, toy.SIDECAR, toy.MAPS}
    for path in (toy.IMAGE, toy.SIDECAR):
        digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        assert made["outputs"][path]["sha256"] == digest
    assert set(made["outputs"][toy.MAPS]["files"]) == {"one.npy", "deep/two.npy"}
    assert made["params"] == {"seed": 3, "key": "1"}
    assert (made["seed"], made["rule"], made["script"]) == (3, "convert", "convert.py")
    assert (made["code"], made["symbols"]) == ("c0de", ["mri2pet.a:b"])
    assert made["wildcards"] == {"subject": "001S0001"}
    assert made["environment"]["lock_sha256"] == sha256(toy.ROOT / "requirements.lock")
    assert made["environment"]["packages"]["mri2pet"]
    assert made["machine"]["host"] and made["device"] == "cpu"
    assert made["started"] <= made["ended"]


def test_the_commit_and_changes_to_it_are_told(tmp_path):
    from mri2pet.provenance.circumstances import commit

    def git(*arguments):
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    assert commit(tmp_path / "nowhere") is None
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.py").write_text("1\n")
    git("init", "-q")
    git("add", "src")
    git("commit", "-qm", "a")
    first = commit(tmp_path)
    assert len(first["id"]) == 40 and first["dirty"] is False
    (tmp_path / "notes.txt").write_text("not a source\n")
    assert commit(tmp_path) == first
    (tmp_path / "src/new.py").write_text("2\n")
    assert commit(tmp_path) == {**first, "dirty": True}


def test_of_a_raw_folder_the_files_that_were_read_are_told():
    toy.run()
    folder = content(toy.IMAGE)["inputs"][toy.RAW]
    assert set(folder["files"]) == {"MPRAGE/I1/a_I1.dcm", "MPRAGE/I1/b_I1.dcm"}
    assert "record" not in folder


def test_inputs_lead_to_the_records_of_the_jobs_that_made_them():
    toy.run()
    made, read = content(toy.IMAGE)["outputs"], content(toy.TABLE)["inputs"]
    for path in (toy.IMAGE, toy.MAPS):
        assert read[path]["sha256"] == made[path]["sha256"]
        assert content(path) == json.loads(Path(read[path]["record"]).read_text())


def test_a_file_is_hashed_by_the_job_that_makes_it_and_by_no_reader(hashed):
    toy.run()
    read = [path for path in hashed if not path.startswith("/")]
    assert len(read) == len(set(read))
    # Snakemake sets an output's time stamp once more after its job
    os.utime(toy.IMAGE)
    hashed.clear()
    toy.tabulate()
    assert [path for path in hashed if not path.startswith("/")] == [toy.TABLE]


@pytest.mark.parametrize("change", ["content", "time"])
def test_an_input_that_is_not_as_recorded_is_hashed_anew(change):
    toy.run()
    if change == "content":
        Path(toy.IMAGE).write_text("another image, of another size")
    else:  # the same size, but written long after its job
        text = Path(toy.IMAGE).read_text()
        Path(toy.IMAGE).write_text(text[:-1] + "?")
        later = content(toy.IMAGE)["recorded_ns"] + 10 * record.TOUCHED_NS
        os.utime(toy.IMAGE, ns=(later, later))
    toy.tabulate()
    assert content(toy.TABLE)["inputs"][toy.IMAGE]["sha256"] == sha256(toy.IMAGE)


def test_a_large_source_is_hashed_once_for_all_its_readers(hashed, monkeypatch):
    monkeypatch.setattr(hashing, "LARGE", 10)
    Path("IXI-T1.tar").write_text("an archive of scans")
    for number in (1, 2):
        with recorded(toy.job("unpack", ["IXI-T1.tar"], [f"results/{number}.nii"])):
            Path("results").mkdir(exist_ok=True)
            Path(f"results/{number}.nii").write_text(str(number))
    assert hashed.count("IXI-T1.tar") == 1
    digest = content("results/2.nii")["inputs"]["IXI-T1.tar"]["sha256"]
    assert digest == sha256("IXI-T1.tar")
    Path("IXI-T1.tar").write_text("another archive of scans")
    with recorded(toy.job("unpack", ["IXI-T1.tar"], ["results/1.nii"])):
        pass
    assert content("results/1.nii")["inputs"]["IXI-T1.tar"]["sha256"] == sha256("IXI-T1.tar")


@pytest.mark.parametrize("error", [InputError, ZeroDivisionError])
def test_a_job_that_fails_leaves_no_record(error):
    with (
        pytest.raises((SystemExit, ZeroDivisionError)),
        recorded(toy.job("convert", [], [toy.IMAGE])),
    ):
        Path(toy.IMAGE).parent.mkdir(parents=True)
        Path(toy.IMAGE).touch()
        raise error("not today")
    assert not sidecar_of(toy.IMAGE).exists()
    assert "not today" in Path("logs/convert.log").read_text()


def test_a_job_that_did_not_write_its_output_has_no_record_either():
    with pytest.raises(FileNotFoundError), recorded(toy.job("convert", [], [toy.IMAGE])):
        pass
    assert not sidecar_of(toy.IMAGE).exists()


def test_recording_imports_nothing_heavy():
    code = "import sys, mri2pet.provenance.record; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(toy.ROOT / "src")},
    ).stdout.split()
    assert not {"numpy", "pandas", "torch", "nibabel", "snakemake", "rocrate"} & set(modules)


@pytest.mark.parametrize("made", ["results/a.tsv", "resources/atlases/aal.nii.gz"])
def test_what_jobs_make_and_its_records_stay_out_of_the_repository(root, made):
    paths = [made, str(sidecar_of(made))]
    done = subprocess.run(["git", "check-ignore", *paths], cwd=root, capture_output=True, text=True)
    assert done.stdout.split() == paths
