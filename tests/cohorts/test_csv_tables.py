import csv
from datetime import date

import pandas as pd
import pytest
from adni_fakes import PET, exam, image, write
from hypothesis import given, settings
from hypothesis import strategies as st

from mri2pet.cohorts.adni.csv_tables import ExamRow, parse_date
from mri2pet.cohorts.adni.groups import age_at, group_at, normalise_group, normalise_visit
from mri2pet.cohorts.adni.reader import build_cohort
from mri2pet.cohorts.contract import validate_cohort
from mri2pet.errors import InputError


@pytest.mark.parametrize("quoting", [csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_dialects_of_csv(tmp_path, quoting, encoding, newline):
    images = [image("I1", Description="MP-RAGE, José"), image("2", **PET)]
    dialect = {"quoting": quoting, "encoding": encoding, "newline": newline}
    tables = [
        write(tmp_path / "c.csv", [dict(reversed(row.items())) for row in images], **dialect),
        write(tmp_path / "ADNIMERGE_01Jan2024.csv", [exam() | {"APOE4": "-4"}], **dialect),
        write(tmp_path / "other.csv", [{"RID": 1, "PTID": 2, "VISCODE": 3}], **dialect),
    ]
    table, exclusions = build_cohort(tables, ["CN"], 30)
    assert table["kind"].tolist() == ["paired"]
    assert exclusions.empty


@pytest.mark.parametrize("column", ["Image Data ID", "Acq Date", "Group", "Description"])
def test_a_missing_collection_column_is_named(tmp_path, column):
    row = image(1)
    row["Something Else"] = row.pop(column)
    with pytest.raises(InputError) as caught:
        build_cohort([write(tmp_path / "my_list.csv", [row])], ["CN"], 30)
    message = str(caught.value)
    assert "my_list.csv" in message
    assert f"missing column '{column}'" in message
    assert "'Something Else'" in message


@pytest.mark.parametrize("column", ["PTID", "DX", "DX_bl", "AGE"])
def test_a_missing_adnimerge_column_is_named(tmp_path, column):
    row = exam()
    del row[column]
    tables = [write(tmp_path / "c.csv", [image(1)]), write(tmp_path / "ADNIMERGE.csv", [row])]
    with pytest.raises(InputError, match=rf"ADNIMERGE.csv: missing column '{column}'; found: 'RID"):
        build_cohort(tables, ["CN"], 30)


def test_broken_tables_are_named(tmp_path):
    path = write(tmp_path / "c.csv", [image(1)])
    path.write_text(path.read_text() + "a,b\n")
    with pytest.raises(InputError, match=r"c\.csv, line 3: 2 fields where the header has 12"):
        build_cohort([path], ["CN"], 30)
    path.write_text("")
    with pytest.raises(InputError, match=r"c\.csv: the table is empty"):
        build_cohort([path], ["CN"], 30)
    with pytest.raises(InputError, match="no image collection table"):
        build_cohort([write(tmp_path / "ADNIMERGE.csv", [exam()])], ["CN"], 30)
    with pytest.raises(InputError, match="cannot be read"):
        build_cohort([tmp_path / "absent.csv"], ["CN"], 30)


@pytest.mark.parametrize(
    ("rows", "fallback", "group"),
    [
        ([("bl", "2006-03-25", "LMCI", "MCI")], "MCI", "LMCI"),
        ([("bl", "2006-03-25", "SMC", "CN")], "CN", "SMC"),
        ([("bl", "2006-03-25", "CN", "MCI")], "CN", "MCI"),
        ([("bl", "2006-03-25", "LMCI", "MCI to Dementia")], "MCI", "AD"),
        ([("m06", "2006-06-25", "AD", "Dementia")], "CN", "AD"),
        ([("m36", "2009-06-25", "AD", "Dementia")], "CN", "CN"),
        ([("bl", "2006-03-25", "AD", "")], "CN", "CN"),
        ([("bl", "2006-03-25", "AD", "Martian")], "CN", "CN"),
        ([("m06", "2006-04-01", "CN", "MCI"), ("bl", "", "CN", "CN")], "AD", "CN"),
        ([], None, None),
    ],
)
def test_group_at_a_visit(rows, fallback, group):
    exams = [
        ExamRow("011_S_0005", visit, parse_date(day), first, diagnosis, "", "")
        for visit, day, first, diagnosis in rows
    ]
    assert group_at(exams, "bl", date(2006, 3, 30), fallback, 183) == group


def test_age_at_counts_from_the_first_exam():
    exams = [
        ExamRow("", "m12", date(2007, 1, 1), "", "", "70", ""),
        ExamRow("", "bl", date(2006, 1, 1), "", "", "70", ""),
    ]
    assert age_at(exams, date(2008, 1, 1), "") == 72.0
    assert age_at(exams, date(2008, 1, 1), "200") == 72.0
    assert age_at([], date(2008, 1, 1), "nan") is None


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("bl", "bl"), ("sc", "bl"), ("Screening", "bl"), ("v02", "v02"), ("m6", "m06"),
        ("M06", "m06"), ("Month 120", "m120"), ("m00", "bl"), ("4_bl", "4bl"), ("1", "1"),
        ("", None), ("a/b", None), ("é", None), ("x" * 50, None), ("-", None),
    ],
)  # fmt: skip
def test_visit_labels(text, label):
    assert normalise_visit(text) == label


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("NL", "CN"), ("Control", "CN"), (" cn ", "CN"), ("Dementia", "AD"), ("AD", "AD"),
        ("MCI", "MCI"), ("EMCI", "EMCI"), ("LMCI", "LMCI"), ("SMC", "SMC"),
        ("NL to MCI", "MCI"), ("Phantom", None), ("", None), ("Patient", None),
    ],
)  # fmt: skip
def test_groups(text, group):
    assert normalise_group(text) == group


@pytest.mark.parametrize("text", ["3/5/2006", "03/05/2006", "2006-03-05", "2006-03-05 00:00:00.0"])
def test_dates(text):
    assert parse_date(text) == date(2006, 3, 5)


FIELDS = st.text(max_size=12)


@settings(deadline=None)
@given(st.lists(st.fixed_dictionaries({name: FIELDS for name in image(1)}), min_size=1, max_size=5))
def test_any_text_in_a_row_leads_to_a_table_or_a_plain_error(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("fuzz") / "collection.csv"
    write(path, [image(1), *rows])
    try:
        table, _ = build_cohort([path], ["CN"], 30)
    except InputError as error:
        assert "collection.csv" in str(error)
    else:
        assert table["subject"].str.fullmatch("[0-9]{3}S[0-9]{4,5}").all()
        assert table["visit"].str.fullmatch("[a-z0-9]+").all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"group": "a; b"}, r"row 1 \(011S0005 bl\), group: 'a; b' does not match"),
        ({"visit": "../x"}, "visit: '../x' does not match"),
        ({"kind": "paired"}, "pet_file: None is not of type"),
        ({"role": "healthy"}, "role: 'healthy' is not one of"),
        ({"tracer": "18FFDG"}, "tracer: '18FFDG' is not of type 'null'"),
        ({"extra": 1}, "'extra' was unexpected"),
    ],
)
def test_a_wrong_cohort_table_is_explained(tmp_path, root, change, message):
    table, _ = build_cohort([write(tmp_path / "c.csv", [image(1)])], ["CN"], 30)
    schema = root / "workflow/schemas/cohort.schema.yaml"
    validate_cohort(table, schema)
    with pytest.raises(InputError, match=message):
        validate_cohort(table.assign(**change), schema)
    with pytest.raises(InputError, match="stands in two rows"):
        validate_cohort(pd.concat([table, table]), schema)
