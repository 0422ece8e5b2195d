"""Files appear whole or not at all, and tables keep what they hold."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from mri2pet.errors import InputError
from mri2pet.files import atomic, read_json, read_tsv, sha256, write_json, write_tsv


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "deep" / "a.nii.gz"
    with atomic(path) as partial:
        assert partial.name.endswith(".nii.gz")
        partial.write_text("old")
    with pytest.raises(RuntimeError), atomic(path) as partial:
        partial.write_text("half of the new")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [entry.name for entry in path.parent.iterdir()] == ["a.nii.gz"]


def test_tables_round_trip(tmp_path):
    table = pd.DataFrame({"subject": ["NA", "007"], "age": [70.5, np.nan]})
    write_tsv(tmp_path / "t.tsv", table)
    assert "n/a" in (tmp_path / "t.tsv").read_text()
    back = read_tsv(tmp_path / "t.tsv", dtype={"subject": str})
    pd.testing.assert_frame_equal(back, table, check_dtype=False)


def test_json_takes_numpy_and_names_a_bad_file(tmp_path):
    write_json(tmp_path / "a.json", {"x": np.float32(1.5), "v": np.arange(3)})
    assert read_json(tmp_path / "a.json") == {"x": 1.5, "v": [0, 1, 2]}
    (tmp_path / "b.json").write_text('{"x": ')
    with pytest.raises(InputError, match=r"b\.json"):
        read_json(tmp_path / "b.json")


def test_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()
