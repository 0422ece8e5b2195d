"""Simulated people and one's own are never mixed in one folder."""

import json

import pytest

from mri2pet.errors import InputError
from mri2pet.runs.apart import check_apart


def record(folder, study, simulated):
    path = folder / f"results/provenance/cohort/{study}.tsv.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"params": {"study": {"name": study, "simulated": simulated}}}))


@pytest.mark.parametrize("study", ["dementia", "epilepsy", "ixi"])
@pytest.mark.parametrize("before", [True, False])
def test_the_other_kind_of_people_is_refused(tmp_path, study, before):
    record(tmp_path, "other", not before)
    record(tmp_path, study, before)
    check_apart(tmp_path / "results/provenance", {study: before, "other": not before})
    words = ("simulated", "real") if before else ("real", "simulated")
    message = rf"^studies\.{study}\.raw: .*results/ holds {words[0]} people .* of {words[1]} ones"
    with pytest.raises(InputError, match=message):
        check_apart(tmp_path / "results/provenance", {study: not before})


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"params": {"study": "x"}}'])
def test_a_folder_that_tells_nothing_hinders_nobody(tmp_path, text):
    if text is not None:
        record(tmp_path, "dementia", True)
        (tmp_path / "results/provenance/cohort/dementia.tsv.json").write_text(text)
    check_apart(tmp_path / "results/provenance", {"dementia": False})
