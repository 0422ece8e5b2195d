"""The page of provenance shows jobs, code, environment, chains of tables and exclusions."""

import pandas as pd
import pytest
import toy

from mri2pet.provenance.records import read_records
from mri2pet.reporting.provenance_page import write_page


@pytest.fixture
def records(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with toy.records() as found:
        yield found


def test_the_page_tells_the_chain_of_each_table(records, tmp_path):
    excluded = pd.DataFrame({"Subject": ["011S0005"], "Reason": ["<b>lost</b> slice"]})
    write_page(tmp_path / "page.html", records, excluded, "Where from")
    page = (tmp_path / "page.html").read_text()
    assert "table 1, convert 1" in page
    for words in (toy.TABLE, toy.RAW, "c0de", "convert.py", "requirements.lock", "011S0005"):
        assert words in page
    assert "&lt;b&gt;lost" in page and "<b>lost" not in page
    for address in ('src="http', 'href="http'):
        assert address not in page


def test_a_run_without_records_has_a_page_all_the_same(tmp_path):
    write_page(tmp_path / "page.html", read_records([]), pd.DataFrame(), "Where from")
    assert "None." in (tmp_path / "page.html").read_text()
