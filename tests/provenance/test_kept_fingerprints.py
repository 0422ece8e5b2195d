"""Fingerprints that are kept are those that would be computed."""

import json
import os

import pytest

from mri2pet.provenance import kept_fingerprints
from mri2pet.provenance.fingerprint import fingerprint, forget_sources
from mri2pet.provenance.kept_fingerprints import KeptFingerprints


@pytest.fixture
def sources(tmp_path):
    (tmp_path / "scripts").mkdir()
    (tmp_path / "lib").mkdir()
    (tmp_path / "scripts/make.py").write_text("from lib.tools import used\nused()\n")
    (tmp_path / "lib/__init__.py").write_text("")
    (tmp_path / "lib/tools.py").write_text("def used():\n    return 1\n\n\nKERNEL = 'fast.cpp'\n")
    (tmp_path / "lib/fast.cpp").write_text("int one;\n")
    return tmp_path


def kept(sources) -> KeptFingerprints:
    return KeptFingerprints(sources / "scripts", sources / "lib", sources / ".kept/marks.json")


def computed(sources, *symbols: str) -> str:
    return fingerprint(sources / "scripts/make.py", sources / "lib", symbols)


def test_a_second_call_computes_none(sources, monkeypatch):
    first = [kept(sources).of("make.py"), kept(sources).of("make.py", ["lib.tools:KERNEL"])]
    assert first == [computed(sources), computed(sources, "lib.tools:KERNEL")]
    assert first[0] != first[1]
    monkeypatch.setattr(kept_fingerprints, "fingerprint", None)
    again = kept(sources)
    assert [again.of("make.py"), again.of("make.py", ["lib.tools:KERNEL"])] == first


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("lib/tools.py", "def used():\n    return 2\n\n\nKERNEL = 'fast.cpp'\n"),  # as long
        ("scripts/make.py", "from lib.tools import used\nused(), used()\n"),
        ("lib/fast.cpp", "int two;\n"),
    ],
)
def test_a_change_of_content_is_seen_whatever_the_time_stamp(sources, file, text):
    symbols = ["lib.tools:KERNEL"]
    before, stamp = kept(sources).of("make.py", symbols), (sources / file).stat()
    (sources / file).write_text(text)
    os.utime(sources / file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    forget_sources()
    assert kept(sources).of("make.py", symbols) == computed(sources, *symbols) != before


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"state": 1}', "null", "\x00\xff"])
def test_a_damaged_file_is_done_without(sources, damage):
    right = kept(sources).of("make.py")
    path = sources / ".kept/marks.json"
    path.write_text(damage)
    assert kept(sources).of("make.py") == right
    assert json.loads(path.read_text())["marks"] == {"make.py": right}


def test_a_folder_that_cannot_be_written_is_done_without(sources):
    (sources / ".kept").write_text("a file")
    assert kept(sources).of("make.py") == computed(sources)


def test_a_mark_of_the_wrong_kind_is_not_kept(sources):
    right = kept(sources).of("make.py")
    path = sources / ".kept/marks.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"marks": ["make.py"]}))
    assert kept(sources).of("make.py") == right
