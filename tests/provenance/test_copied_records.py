"""A run that was copied has as many jobs as the run itself."""

import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest
import toy

from mri2pet.provenance.records import read_records
from mri2pet.provenance.trace import short

JOBS = ["convert subject=001S0001", "table subject=001S0001"]


def as_zip(source, target):
    with zipfile.ZipFile(f"{target}.zip", "w") as archive:
        for path in source.rglob("*"):
            archive.write(path, path.relative_to(source))
    with zipfile.ZipFile(f"{target}.zip") as archive:
        archive.extractall(target)


def as_tar(source, target):
    with tarfile.open(f"{target}.tar", "w") as archive:
        archive.add(source, ".")
    with tarfile.open(f"{target}.tar") as archive:
        archive.extractall(target, filter="data")


def half(source, target):
    """Copy a run of whose links one is a file of its own."""
    as_tar(source, target)
    sidecar = target / f"results/provenance/{Path(toy.MAPS).relative_to('results')}.json"
    text = sidecar.read_bytes()
    sidecar.unlink()
    sidecar.write_bytes(text)


def names(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return [job.name for job in read_records(["results/provenance"]).jobs]


@pytest.mark.parametrize("copy", [shutil.copytree, as_zip, as_tar, half])
def test_a_copy_has_the_jobs_of_the_run(tmp_path, monkeypatch, copy):
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    with toy.records() as records:
        assert [job.name for job in records.jobs] == JOBS
    copy(tmp_path / "run", tmp_path / "copy")
    assert names(tmp_path / "copy", monkeypatch) == JOBS


def test_a_file_system_without_links_has_them_too(tmp_path, monkeypatch):
    def no_links(*_):
        raise OSError("not supported")

    monkeypatch.setattr(os, "link", no_links)
    monkeypatch.chdir(tmp_path)
    with toy.records() as records:
        assert [job.name for job in records.jobs] == JOBS
        assert not records.faults and not records.lost


def test_a_copy_whose_sidecar_was_changed_is_another_record(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with toy.records():
        sidecar = Path("results/provenance/bids/image.json.json")
        text = sidecar.read_text().replace('"seed": 3', '"seed": 4')
        sidecar.unlink()
        sidecar.write_text(text)
        assert len(read_records(["results/provenance"]).jobs) == 3


def test_the_short_form_has_a_line_a_rule(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with toy.records() as records:
        lines = short(records, toy.TABLE).splitlines()
    assert lines[0].startswith(f"{toy.TABLE}  ")
    assert lines[1].startswith("└─ table: 1 job  [table.py 7ab1e]  ")
    assert lines[2].startswith("└─ convert: 1 job  [convert.py c0de]  ")
    assert lines[3] == f"   ├─ 1 source: {toy.RAW}"
    assert lines[-1].startswith("2 jobs in 1 environment")
