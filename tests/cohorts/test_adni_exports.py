"""ADNI's tables as LONI writes them on other days and pages."""

import pytest
from adni_fakes import PET, exam, image, write

from mri2pet.cohorts.adni.csv_tables import read_tables
from mri2pet.cohorts.adni.reader import build_cohort
from mri2pet.cohorts.adni.visits import months_of, normalise_visit
from mri2pet.errors import InputError

GROUPS = ["CN", "SMC", "MCI", "LMCI", "AD"]
OTHER = "002_S_0413"


def build(folder, *exports, exams=()):
    tables = [
        write(folder / f"{name}.csv", rows) for name, rows in zip("abc", exports, strict=False)
    ]
    if exams:
        tables.append(write(folder / "ADNIMERGE.csv", list(exams)))
    cohort, out = build_cohort(tables, GROUPS, 183)
    return cohort, dict(zip(out["image_id"], out["reason"], strict=True))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("ADNI Screening", "bl"), ("ADNI Baseline", "bl"), ("ADNIGO Screening MRI", "bl"),
        ("ADNI2 Screening-New Pt", "bl"), ("ADNI2 Screening MRI-New Pt", "bl"),
        ("ADNI2 Baseline-New Pt", "bl"), ("ADNI 3 Baseline", "bl"), ("Screening MRI", "bl"),
        ("ADNI1/GO Month 6", "m06"), ("ADNI1/GO Month 54", "m54"), ("ADNIGO Month 60", "m60"),
        ("ADNIGO Month 3 MRI", "m03"), ("ADNI2 Month 3 MRI-New Pt", "m03"), ("Month 12", "m12"),
        ("ADNI2 Month 6-New Pt", "m06"), ("month_06", "m06"), ("12 months", "m12"),
        ("ADNI2 Initial Visit-Cont Pt", "v06"), ("ADNI2 Year 1 Visit", "v11"),
        ("ADNI2 Year 4 Visit", "v41"), ("ADNI3 Initial Visit-Cont Pt", "init"),
        ("ADNI3 Year 1 Visit", "y1"), ("ADNI3 Year 6 Visit", "y6"), ("Year 2", "y2"),
        ("ADNI4 Baseline - New Pt", "4bl"), ("ADNI4 Month 12", "4m12"), ("4_m12", "4m12"),
        ("ADNI4 Initial Visit - Cont Pt", "4init"), ("4_sc", "4bl"),
        ("ADNI2 Tau-only visit", "tau"), ("No Visit Defined", "nv"), ("Unscheduled", "uns1"),
        ("ADNI3 Extra", "adni3extra"), ("adni", "adni"), ("1.0", "1"), ("v03", "v03"),
        ("ADNI2 a/b", None), ("ADNI1/GO ", None), ("../ADNI Screening", None),
    ],
)  # fmt: skip
def test_visits_as_loni_spells_them(text, label):
    assert normalise_visit(text) == label


@pytest.mark.parametrize(("label", "months"), [("bl", 0), ("v05", 6), ("m18", 18), ("y1", None)])
def test_months_of_a_visit(label, months):
    assert months_of(label) == months


def test_a_visit_that_is_spelt_out_finds_its_exam_and_its_pair(tmp_path):
    rows = [
        image(1, Visit="ADNI1/GO Month 12", **{"Acq Date": "3/30/2007"}),
        image(2, **PET, Visit="m12", **{"Acq Date": "4/02/2007"}),
    ]
    exams = [
        exam(VISCODE="m12", EXAMDATE="2007-09-25", DX="Dementia"),
        exam(VISCODE="m06", EXAMDATE="2007-03-29"),
    ]
    cohort, out = build(tmp_path, rows, exams=exams)
    assert cohort[["visit", "group", "kind"]].to_numpy().tolist() == [["m12", "AD", "paired"]]
    assert not out


@pytest.mark.parametrize(
    "change",
    [
        {"Acq Date": "03/30/2006"}, {"Acq Date": "2006-03-30"}, {"Acq Date": "3/30/2006 0:00"},
        {"Acq Date": "2006-03-30 00:00:00"}, {"Acq Date": "3/30/2006 12:00:00 AM"},
        {"Age": "70.0"}, {"Age": "70,0"}, {"Age": "70.4"}, {"Age": ""}, {"Age": "-4"},
        {"Visit": "sc"}, {"Visit": "ADNI Screening"}, {"Visit": "v03"},
        {"Visit": "ADNI2 Screening MRI-New Pt"}, {"Visit": "Baseline"}, {"Visit": ""},
        {"Group": ""}, {"Group": "Patient"}, {"Group": "Normal"}, {"Group": "NL"},
        {"Group": "SMC"}, {"Sex": "Female"}, {"Sex": ""}, {"Sex": "X"}, {"Modality": "MR"},
        {"Description": "MP RAGE"}, {"Description": "mp_rage"}, {"Type": ""}, {"Type": "original"},
    ],
)  # fmt: skip
def test_one_image_in_two_exports_is_one_image(tmp_path, change):
    rows = [image("I1"), image("00001") | change]
    for a, b in (rows, rows[::-1]):
        cohort, out = build(tmp_path, [a], [b])
        assert not out
        group = change["Group"] if change.get("Group") == "SMC" else "CN"
        age = 70.4 if change.get("Age") == "70.4" else 70.0
        told = cohort[["subject", "group", "age", "sex", "mri_date"]].to_numpy().tolist()
        assert told == [["011S0005", group, age, "F", "2006-03-30"]]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"Acq Date": "3/31/2006"}, "acquired"), ({"Acq Date": "3/30/06"}, "acquired"),
        ({"Age": "71"}, "age"), ({"Age": "71.2"}, "age"), ({"Visit": "m06"}, "visit"),
        ({"Visit": "ADNI2 Month 6-New Pt"}, "visit"), ({"Group": "AD"}, "group"),
        ({"Group": "Martian"}, "group"), ({"Sex": "Male"}, "sex"), ({"Modality": "PT"}, "modality"),
        ({"Description": "MP-RAGE REPEAT"}, "description"), ({"Type": "Pre-processed"}, "type"),
        ({"Subject": "011_S_0006"}, "subject"),
    ],
)  # fmt: skip
def test_two_exports_that_contradict_each_other_leave_the_image_out(tmp_path, change, column):
    rows = [image(9), image(9) | change]
    for a, b in (rows, rows[::-1]):
        _, out = build(tmp_path, [image(1, OTHER), a], [b])
        assert out["9"].startswith(f"listed 2 times with different {column}: ")
        assert "a.csv, line 3" in out["9"] and "b.csv, line 2" in out["9"]


def test_three_exports_agree_or_not_together(tmp_path):
    rows = [image(9, Group=word) for word in ("EMCI", "MCI", "LMCI")]
    _, out = build(tmp_path, [image(1, OTHER), rows[0]], *([row] for row in rows[1:]))
    assert out["9"].startswith("listed 3 times with different group: 'EMCI' (a.csv, line 3); 'MCI'")
    cohort, out = build(tmp_path, [rows[1]], [rows[2]], [image(9, Group="")])
    assert cohort["group"].tolist() == ["LMCI"] and not out


@pytest.mark.parametrize("word", ["", "Patient", "patients", "Unknown", "n/a", "Volunteer", "Xyz"])
def test_adnimerge_is_asked_before_a_group_that_says_nothing_counts(tmp_path, word):
    rows = [image(1, Group=word), image(2, **PET, Group=word), image(3, OTHER, Group=word)]
    cohort, out = build(tmp_path, rows, exams=[exam(DX="MCI", DX_bl="LMCI")])
    assert cohort[["group", "kind"]].to_numpy().tolist() == [["LMCI", "paired"]]
    told = f"unknown group '{word}' (a.csv, line 4), and no diagnosis in ADNIMERGE"
    assert out == {"3": told if word else "no diagnosis in the collection or in ADNIMERGE"}


def test_a_group_that_the_pet_alone_has_counts(tmp_path):
    cohort, _ = build(tmp_path, [image(1, Group=""), image(2, **PET, Group="AD")])
    assert cohort["group"].tolist() == ["AD"]


@pytest.mark.parametrize("word", ["Phantom", "ADNI phantom"])
def test_a_phantom_has_no_diagnosis(tmp_path, word):
    rows = [image(1, OTHER), image(2, Group=word)]
    _, out = build(tmp_path, rows, exams=[exam(), exam(OTHER)])
    assert out == {"2": f"unknown group '{word}' (a.csv, line 3)"}


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("ADNIMERGE_DICT_20Sep2024", ["FLDNAME", "TYPE", "TBLNAME", "TEXT"]),
        ("adnimerge_dict", ["PHASE", "TBLNAME", "FLDNAME", "TEXT", "CODE"]),
        ("ADNIMERGE_METHODS", ["Title"]),
        ("DATADIC_ADNIMERGE", ["RID", "TEXT"]),
    ],
)
def test_a_dictionary_beside_adnimerge_is_passed_over(tmp_path, name, header):
    (tmp_path / f"{name}.csv").write_text(",".join(header) + "\n" + ",".join(["x"] * len(header)))
    write(tmp_path / "ADNIMERGE_20Sep2024.csv", [exam()])
    write(tmp_path / "collection.csv", [image(1)])
    images, exams = read_tables(tmp_path.glob("*.csv"))
    assert len(images) == len(exams) == 1


def test_an_adnimerge_cut_to_few_columns_still_stops(tmp_path):
    row = {key: exam()[key] for key in ("PTID", "VISCODE", "DX")}
    tables = [write(tmp_path / "adnimerge.csv", [row]), write(tmp_path / "c.csv", [image(1)])]
    with pytest.raises(InputError, match=r"adnimerge.csv: missing columns 'RID', 'EXAMDATE'"):
        read_tables(tables)


@pytest.mark.parametrize("type_", ["Processed", "Pre-processed", "Post-processed", "Derived"])
def test_an_original_goes_before_every_kind_of_processed_image(tmp_path, type_):
    cohort, out = build(tmp_path, [image(1), image(2, Type=type_)])
    assert cohort["mri_member"].tolist() == ["1"]
    assert out == {"2": "another MRI of the visit, I1, is used"}


@pytest.mark.parametrize(
    "text",
    [
        "FDG PET/CT Brain", "PET-CT FDG", "PET CT Brain FDG", "18F-FDG_PET_CT", "CT/PET FDG",
        "2-deoxy-2-[18F]fluoro-D-glucose", "2-[18F]fluoro-2-deoxy-D-glucose PET/CT",
        "Fluorodeoxyglucose F^18^", "Fluordesoxyglukose", "Fluorod\xe9soxyglucose",
        "FDG Aligned", "FDG FBP", "Coreg, Avg", "ADNI Brain PET: Raw FDG", "FDG 3D CTAC",
    ],
)  # fmt: skip
def test_descriptions_of_fdg(tmp_path, text):
    rows = [image(1), image(2, **PET | {"Description": text})]
    cohort, out = build(tmp_path, rows)
    assert cohort["kind"].tolist() == ["paired"]
    assert not out


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("CT Brain", "is not an emission scan"), ("FDG PET/CT: CT Head", "is not an emission scan"),
        ("FDG_CT", "is not an emission scan"), ("PET/CT Brain", "does not say that it is FDG"),
        ("[18F]FDGal", "does not say that it is FDG"), ("AV45 PET/CT", "is not FDG"),
        ("18F-florbetapir FBP", "is not FDG"), ("[11C]PiB PET/CT", "is not FDG"),
        ("FDG and [18F]flutemetamol", "is not FDG"), ("[11C]methionine Coreg", "is not FDG"),
        ("[18F]FDOPA, Coreg", "is not FDG"), ("Coreg, Avg FBP", "is not FDG"),
    ],
)  # fmt: skip
def test_descriptions_of_something_else(tmp_path, text, reason):
    _, out = build(tmp_path, [image(1), image(2, **PET | {"Description": text})])
    assert reason in out["2"]
