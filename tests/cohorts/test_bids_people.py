"""People of a BIDS folder: groups, roles, ages and sexes, as its tables say them."""

import logging

import pytest
from bids_fakes import FDG, bids, reasons_of, scan, table_of

from mri2pet.cohorts.bids.reader import list_inputs
from mri2pet.cohorts.roles import check_roles
from mri2pet.errors import InputError

SCANS = [scan(s, None, k, e) for s in ("01", "02") for k, e in (("T1w", ""), ("pet", "trc-18FFDG"))]


def study(tmp_path, header, *rows, more=None, **settings):
    """Read two people with T1 and PET each; `more` are further files."""
    files = dict.fromkeys(SCANS) | (more or {})
    return table_of(bids(tmp_path, [header, *rows], files), **settings)


@pytest.mark.parametrize(
    "column",
    ["group", "diagnosis", "dx", "Diagnostic_Group", "role", "participant_group", "Patient group"],
)
def test_the_column_of_groups_is_found_and_named_in_the_log(tmp_path, column, caplog):
    caplog.set_level(logging.INFO)
    groups = {"HC": "CN", "Patient": "AD"}
    header = f"participant_id\t{column}"
    table, out = study(tmp_path, header, "sub-01\thc", "sub-02\tPATIENT", groups=groups)
    assert table["group"].tolist() == ["CN", "AD"] and out.empty
    assert f"the column {column} tells the group" in caplog.text


def test_the_column_may_be_named_and_then_goes_first(tmp_path):
    rows = ("sub-01\tA\tCN", "sub-02\tB\tAD")
    groups = ["CN", "AD"]
    for column in ("scanner_arm", "dx2"):
        header = f"participant_id\tgroup\t{column}"
        table, _ = study(tmp_path, header, *rows, groups=groups, group_column=column)
        assert table["group"].tolist() == groups
    with pytest.raises(InputError, match=r"studies.ds.group_column: .*no column 'other'.*dx2"):
        study(tmp_path, header, *rows, groups=groups, group_column="other")


@pytest.mark.parametrize("words", [("A", "B"), ("site1", "site2"), ("1", "2")])
def test_of_several_columns_that_with_the_groups_is_taken(tmp_path, words, caplog):
    caplog.set_level(logging.INFO)
    rows = [
        f"sub-0{n}\t{word}\t{dx}" for n, word, dx in zip((1, 2), words, ("CN", "AD"), strict=True)
    ]
    header = "participant_id\tgroup\tdiagnosis"
    table, _ = study(tmp_path, header, *rows, groups=["CN", "AD"])
    assert table["group"].tolist() == ["CN", "AD"]
    assert "the column diagnosis tells the group (not group" in caplog.text


@pytest.mark.parametrize("word", ["HC", "control", "healthy control", "Normal", "cn"])
def test_healthy_people_are_of_the_first_group_of_a_list(tmp_path, word):
    header = "participant_id\tgroup"
    table, _ = study(tmp_path, header, f"sub-01\t{word}", "sub-02\tAD", groups=["CN", "AD"])
    assert table["group"].tolist() == ["CN", "AD"]
    table, out = study(tmp_path, header, f"sub-01\t{word}", "sub-02\tAD", groups=["MCI", "AD"])
    assert table["subject"].tolist() == ["02"]
    assert f"group {word!r} is not among studies.ds.groups (MCI, AD)" in reasons_of(out)["01"]


@pytest.mark.parametrize("word", ["n/a", "", "NA", "unknown"])
def test_no_group_is_an_exclusion_where_groups_are_wanted(tmp_path, word):
    header = "participant_id\tage\tgroup"
    rows = ("sub-01\t50\tCN", f"sub-02\t60\t{word}")
    table, out = study(tmp_path, header, *rows, groups=["CN"])
    assert table["subject"].tolist() == ["01"]
    assert out["modality"].tolist() == ["MRI", "PET"]
    assert out["reason"].str.contains("no group in .*participants.tsv, column group").all()
    table, out = study(tmp_path, header, *rows)
    assert table["subject"].tolist() == ["01", "02"] and out.empty
    assert table.loc[1, ["group", "role"]].tolist() == [None, None]


def test_words_of_the_json_explain_a_message(tmp_path):
    levels = {"group": {"Levels": {"1": "healthy", "2": {"Description": "mild impairment"}}}}
    more = {"participants.json": levels}
    header = "participant_id\tgroup"
    table, out = study(tmp_path, header, "sub-01\t1", "sub-02\t2", more=more, groups=["CN"])
    assert table["group"].tolist() == ["CN"]  # healthy, as the JSON has it
    assert "group '2' (mild impairment) is not among" in reasons_of(out)["02"]
    groups = {1: "CN", 2: "MCI"}
    table, _ = study(tmp_path, header, "sub-01\t1", "sub-02\t2", more=more, groups=groups)
    assert table["group"].tolist() == ["CN", "MCI"]


@pytest.mark.parametrize(
    ("text", "age"),
    [
        *[("38", 38), ("38.5", 38.5), ("38,5", 38.5), ("38y", 38), ("038Y", 38), ("38 years", 38)],
        *[("89+", 89), (">89", 89), ("90 or older", 90), ("20-30", 25), ("456 months", 38)],
        *[("n/a", None), ("", None), ("N.A.", None), ("unknown", None)],
    ],
)
def test_ages(tmp_path, text, age):
    table, _ = study(tmp_path, "participant_id\tage", f"sub-01\t{text}", "sub-02\t1")
    assert table.loc[0, "age"] == age if age else table["age"].isna()[0]


@pytest.mark.parametrize("text", ["old", "-4", "200", "0", "1/2/1950"])
def test_what_is_no_age_stops_the_run(tmp_path, text):
    with pytest.raises(
        InputError, match=r"participants.tsv, line 2, age: .* is not an age in years"
    ):
        study(tmp_path, "participant_id\tage", f"sub-01\t{text}", "sub-02\t1")


@pytest.mark.parametrize("column", ["Age", "age_at_scan", "Age (years)", "AGE_YEARS"])
def test_columns_of_age(tmp_path, column):
    table, _ = study(tmp_path, f"participant_id\t{column}", "sub-01\t71", "sub-02\t72")
    assert table["age"].tolist() == [71, 72]


@pytest.mark.parametrize("column", ["sex", "Sex", "gender", "Gender", "biological_sex"])
@pytest.mark.parametrize("words", [("m", "F"), ("male", "Female"), ("Man", "woman"), ("0", "1")])
def test_sexes(tmp_path, column, words):
    more = {"participants.json": {column: {"Levels": {"0": "male", "1": "female"}}}}
    rows = [f"sub-0{n}\t{word}" for n, word in enumerate(words, 1)]
    table, _ = study(tmp_path, f"participant_id\t{column}", *rows, more=more)
    assert table["sex"].tolist() == ["M", "F"]


@pytest.mark.parametrize("word", ["n/a", "other", "3"])
def test_a_sex_that_is_neither_is_missing(tmp_path, word):
    table, _ = study(tmp_path, "participant_id\tsex", f"sub-01\t{word}", "sub-02\tF")
    assert table["sex"].tolist() == [None, "F"]


def test_what_changes_by_session_comes_from_sessions_tsv(tmp_path):
    files = [scan("01", s, k) for s in ("1", "2", "3") for k in ("T1w", "pet")]
    files = dict.fromkeys(files) | {"pet.json": FDG}
    lines = ["session_id\tage\tdiagnosis", "ses-1\t60y\tCN", "ses-2\t62\tMCI", "ses-3\tn/a\tn/a"]
    files["sub-01/sub-01_sessions.tsv"] = lines
    header, row = "participant_id\tage\tsex\tdiagnosis", "sub-01\t61\tF\tAD"
    table, _ = table_of(bids(tmp_path, [header, row], files), groups=["CN", "MCI", "AD"])
    assert table["visit"].tolist() == ["1", "2", "3"]
    assert table["age"].tolist() == [60, 62, 61]
    assert table["group"].tolist() == ["CN", "MCI", "AD"]
    assert table["sex"].tolist() == ["F"] * 3
    bare = bids(tmp_path, ["participant_id\tsex", "sub-01\tF"], files)  # groups of sessions alone
    table, out = table_of(bare, groups=["CN", "MCI", "AD"])
    assert table["group"].tolist() == ["CN", "MCI"]
    assert "no group" in reasons_of(out)["01"]


@pytest.mark.parametrize("row", ["sub-01\tCN\t", "sub-01\tCN\t\t", " sub-01 \t CN "])
def test_blanks_around_cells_and_at_the_ends_of_lines_are_nothing(tmp_path, row):
    table, _ = study(tmp_path, "participant_id\tgroup", row, "", "sub-02\tAD", groups=["CN", "AD"])
    assert table["group"].tolist() == ["CN", "AD"]


@pytest.mark.parametrize("prefix", ["sub-", ""])
@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_spellings_of_the_table(tmp_path, prefix, start, end):
    lines = ["participant_id\tgroup", f"{prefix}01\tCN", f"{prefix}02\tAD", ""]
    root = bids(tmp_path, None, [*SCANS])
    (root / "participants.tsv").write_bytes((start + end.join(lines)).encode())
    table, out = table_of(root, groups=["CN", "AD"])
    assert table["group"].tolist() == ["CN", "AD"] and out.empty


def test_a_folder_without_the_table(tmp_path):
    root = bids(tmp_path, None, SCANS)
    table, _ = table_of(root)
    assert table["subject"].tolist() == ["01", "02"]
    assert table[["group", "role", "age", "sex"]].isna().all(axis=None)
    with pytest.raises(
        InputError, match=r"participants.tsv: is not there; studies.ds.groups needs"
    ):
        table_of(root, groups=["CN"])


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        ("id\tgroup", ("sub-01\tCN",), "column participant_id is missing; columns are id, group"),
        ("participant_id\tage", ("sub-01\t3",), "no column tells the group.*studies.ds.group_col"),
        ("participant_id\tgroup", ("sub-01\tCN", "01\tCN"), "line 3.*sub-01 stands there twice"),
        ("participant_id\tgroup", ("sub-0_1\tCN",), "line 2.*sub-0_1 is no BIDS label"),
        (
            "participant_id\tgroup",
            ("sub-01\tCN\t1", "sub-02\tAD\t1"),
            "line 2 has 3 cells, the first 2",
        ),
    ],
)
def test_faults_of_the_table_name_it(tmp_path, header, rows, message):
    with pytest.raises(InputError, match=message) as raised:
        study(tmp_path, header, *rows, groups=["CN", "AD"])
    assert "participants.tsv" in str(raised.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"groups": {"hc": "CN", "HC": "AD"}}, "studies.ds.groups: 'hc' stands for both"),
        ({"groups": "CN"}, "studies.ds.groups: 'CN' is neither a list"),
        ({"groups": []}, "studies.ds.groups: is empty"),
        ({"roles": {"cousin": ["x"]}}, "studies.ds.roles: 'cousin' is no role"),
        ({"tracer": "n/a"}, "studies.ds.tracer: 'n/a' names no tracer"),
        ({"exclude": ["sub-0_1"]}, "studies.ds.exclude: 'sub-0_1' is neither"),
        ({"sessions": ["9"]}, "studies.ds.sessions: none of 9 is in .* sessions are bl"),
        ({"pet_window_min": [60]}, r"studies.ds.pet_window_min: \[60\] is not"),
        ({"pet_window_min": [60, 30]}, "pet_window_min.* ends before it begins"),
        ({"pet_window_min": ["a", None]}, "pet_window_min: 'a' is no number of minutes"),
    ],
)
def test_faults_of_the_configuration_name_the_key(tmp_path, settings, message):
    with pytest.raises(InputError, match=message):
        study(tmp_path, "participant_id\tgroup", "sub-01\tCN", "sub-02\tAD", **settings)


def test_roles_are_told_by_their_words_and_else_not_there(tmp_path):
    header = "participant_id\tgroup"
    table, _ = study(tmp_path, header, "sub-01\tHealthy", "sub-02\tcousin")
    assert table["role"].tolist() == ["control", None]
    assert table["group"].tolist() == ["control", "cousin"]
    with pytest.raises(InputError, match=r"studies.ds.roles: sub-02 \(group 'cousin'\)"):
        check_roles(table, {"name": "ds"})
    roles = {"control": ["healthy"], "patient": ["cousin"]}
    table, _ = study(tmp_path, header, "sub-01\tHealthy", "sub-02\tcousin", roles=roles)
    assert table["role"].tolist() == ["control", "patient"]
    check_roles(table, {"name": "ds"})
    with pytest.raises(InputError, match=r"no patient with a T1w and a PET in /x"):
        check_roles(table[:1], {"name": "ds", "raw": "/x"})
    roles = {"control": ["healthy"], "patient": ["ill"]}
    table, out = study(tmp_path, header, "sub-01\tHealthy", "sub-02\tcousin", roles=roles)
    assert (
        "'cousin' is neither a control nor a patient of studies.ds.roles" in reasons_of(out)["02"]
    )


def test_the_listing_changes_with_the_folder(tmp_path):
    root = bids(tmp_path, ["participant_id", "sub-01"], SCANS)
    block = {"name": "ds"}
    before = list_inputs(root, block)
    (root / "sub-01/pet/sub-01_trc-18FFDG_pet.json").write_text("{}")
    after = list_inputs(root, block)
    assert set(after["listing"]) - set(before["listing"]) == {
        "sub-01/pet/sub-01_trc-18FFDG_pet.json"
    }
    assert before["tables"] == [str(root / "participants.tsv")]
    assert len(after["tables"]) == 2
