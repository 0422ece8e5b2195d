"""The chain of a file leads to the raw scans, and shows each job once."""

import json

import pytest
import toy

from mri2pet.errors import InputError
from mri2pet.provenance.trace import chain, tree


@pytest.fixture
def records(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with toy.records() as found:
        yield found


def test_the_tree_goes_from_the_table_to_the_raw_scans(records):
    text = tree(records, toy.TABLE)
    order = (toy.TABLE, "table.py 7ab1e", toy.SIDECAR, "convert.py c0de", f"{toy.RAW}  ")
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    assert "2 files  (source)" in text
    assert '"seed": 3' in text
    assert text.count("[convert.py c0de]") == 1
    assert text.count("convert subject=001S0001 (above)") == 2
    assert "lock_sha256" in text and "mri2pet 0" in text


def test_the_json_form_holds_all_of_it(records):
    found = json.loads(json.dumps(chain(records, toy.TABLE)))
    assert [job["rule"] for job in found["jobs"]] == ["table", "convert"]
    assert found["jobs"][1]["params"] == {"key": "1", "seed": 3}
    assert set(found["sources"]) == {toy.RAW}
    assert found["environments"][0]["machine"]["host"]


def test_a_file_inside_a_folder_of_results_is_traced_too(records):
    assert chain(records, f"{toy.MAPS}/one.npy")["jobs"][0]["rule"] == "convert"


def test_an_unknown_file_is_named_with_the_nearest_known(records):
    with pytest.raises(InputError, match=r"tabel1\.tsv: no job.*did you mean .*table1\.tsv"):
        tree(records, toy.TABLE.replace("table1", "tabel1"))
