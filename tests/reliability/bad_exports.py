"""ADNI's tables as LONI exports them on other days, and as they are cut down."""

import pandas as pd
from adni_fakes import PET, exam, image, write
from bad_tables import GROUPS, OTHER, build
from cases import Case

from mri2pet.cohorts.adni.reader import build_cohort


def exported_twice(**changes):
    """Return why an image is left out that two exports list with some changes, if it is."""

    def run(folder):
        a = write(folder / "a.csv", [image(1), image(2, OTHER)])
        b = write(folder / "b.csv", [image("I2", OTHER) | changes])
        cohort, out = build_cohort([a, b], GROUPS, 183)
        assert cohort["mri_member"].tolist() == ["1"] + ["2"] * out.empty
        return None if out.empty else out["reason"].item()

    return run


def visit(text, label):
    def run(folder):
        cohort, out = build(folder, [image(1, Visit=text), image(2, **PET)])
        assert cohort[["visit", "kind"]].to_numpy().tolist() == [[label, "paired"]]
        assert out.empty

    return run


def group(word, *exams):
    """Return why a visit is left out whose `Group` is some word, if it is."""

    def run(folder):
        cohort, out = build(folder, [image(1), image(2, OTHER, Group=word)], exams)
        assert cohort["group"].tolist() == ["CN"] + ["MCI"] * out.empty
        return None if out.empty else out["reason"].item()

    return run


def aged(expected, *exams):
    def run(folder):
        rows = [image(1, Age="", Visit="m24", **{"Acq Date": "3/30/2008"})]
        cohort, _ = build(folder, rows, exams)
        assert [None if pd.isna(age) else age for age in cohort["age"]] == [expected]

    return run


def pet(text):
    def run(folder):
        cohort, out = build(folder, [image(1), image(2, **PET | {"Description": text})])
        assert cohort["kind"].tolist() == ["paired" if out.empty else "mri_only"]
        return None if out.empty else out["reason"].item()

    return run


def beside(name, text):
    """Read the tables with a file beside them."""

    def run(folder):
        (folder / name).write_text(text)
        tables = [folder / name, write(folder / "ADNIMERGE.csv", [exam(DX="MCI")])]
        tables.append(write(folder / "collection.csv", [image(1)]))
        assert build_cohort(tables, GROUPS, 183)[0]["group"].tolist() == ["MCI"]

    return run


def type_of(word):
    def run(folder):
        cohort, out = build(folder, [image(1), image(2, Type=word)])
        assert cohort["mri_member"].tolist() == ["1"]
        return out["reason"].item()

    return run


LATER = {"VISCODE": "m12", "EXAMDATE": "2007-03-30", "AGE": "68.0"}
TWO_DIAGNOSES = [exam(OTHER, VISCODE="y1", DX=word) for word in ("CN", "AD")]
DICTIONARY = "FLDNAME,TYPE,TBLNAME,TEXT\nRID,N,ADNIMERGE,roster\n"
CASES = [
    *[
        Case(f"two exports, {what}", "right", exported_twice(**change))
        for what, change in {
            "dates 3/30/2006 and 2006-03-30": {"Acq Date": "2006-03-30"},
            "ages 70 and 70.3": {"Age": "70.3"},
            "visits bl and ADNI Screening": {"Visit": "ADNI Screening"},
            "a Group only in one": {"Group": ""},
            "sexes F and Female": {"Sex": "Female"},
        }.items()
    ],
    Case("two exports, ages 70 and 71", "excluded", exported_twice(Age="71"), "different age"),
    Case(
        "two exports, visits bl and Month 6",
        "excluded",
        exported_twice(Visit="Month 6"),
        "different visit",
    ),
    *[
        Case(f"visit {text}", "right", visit(text, label))
        for text, label in {
            "ADNI1/GO Month 6": "m06",
            "ADNI2 Baseline-New Pt": "bl",
            "ADNI3 Year 1 Visit": "y1",
        }.items()
    ],
    *[
        Case(f"{name}, a diagnosis in ADNIMERGE", "right", group(word, exam(OTHER, DX="MCI")))
        for name, word in {"Group Patient": "Patient", "no Group": ""}.items()
    ],
    Case(
        "Group Patient, no diagnosis in ADNIMERGE",
        "excluded",
        group("Patient"),
        "group 'Patient' .*no diagnosis",
    ),
    Case(
        "two rows of the nearest exam, diagnoses differ",
        "excluded",
        group("CN", *TWO_DIAGNOSES),
        "the exam of 2006-03-25 2 times with different DX",
    ),
    Case("ADNIMERGE without the rows of baseline", "right", aged(70.0, exam(**LATER))),
    Case("ADNIMERGE without dates", "right", aged(70.0, exam(AGE="68.0", EXAMDATE=""))),
    Case(
        "ADNIMERGE without baseline, ages differ",
        "right",
        aged(None, exam(**LATER), exam(VISCODE="m24", AGE="69.0")),
    ),
    Case(
        "ADNIMERGE_DICT beside ADNIMERGE",
        "right",
        beside("ADNIMERGE_DICT_20Sep2024.csv", DICTIONARY),
    ),
    Case(
        "pre-processed image beside the original",
        "excluded",
        type_of("Pre-processed"),
        "another MRI of the visit, I1, is used",
    ),
    Case("FDG PET/CT in a description", "right", pet("FDG PET/CT Brain")),
    Case("FDG by its systematic name", "right", pet("2-deoxy-2-[18F]fluoro-D-glucose")),
    Case(
        "the CT of an FDG PET/CT", "excluded", pet("FDG PET/CT: CT Head"), "is not an emission scan"
    ),
]
