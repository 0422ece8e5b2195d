"""Trouble in ADNI's tables."""

import csv

import pandas as pd
from adni_fakes import PET, exam, image, write
from cases import Case

from mri2pet.cohorts.adni.reader import build_cohort
from mri2pet.datasets.folds import make_folds

OTHER = "011_S_0006"
GROUPS = ["CN", "MCI", "AD"]


def build(folder, images, exams=(), max_days=183, **dialect):
    """Build the cohort of a folder's two tables."""
    tables = [write(folder / "collection.csv", images, **dialect)]
    if exams:
        tables.append(write(folder / "ADNIMERGE.csv", list(exams), **dialect))
    return build_cohort(tables, GROUPS, max_days)


def read_alike(images=None, exams=None, **dialect):
    """Check that a dialect of CSV gives the pair that plain CSV gives."""

    def run(folder):
        rows = images or [image("I1", Description="MP-RAGE, José"), image("2", **PET)]
        cohort, out = build(folder, rows, exams or [exam()], **dialect)
        assert cohort[["mri_member", "pet_member", "group", "mri_date"]].to_numpy().tolist() == [
            ["1", "2", "CN", "2006-03-30"]
        ]
        assert out.empty

    return run


def delimited(delimiter, folder):
    rows = [image(1, Age="70,5"), image(2, **PET)]
    path = folder / "collection.csv"
    with path.open("w", newline="") as handle:
        table = csv.DictWriter(handle, rows[0], delimiter=delimiter)
        table.writeheader()
        table.writerows(rows)
    cohort, _ = build_cohort([path], GROUPS, 183)
    assert cohort["age"].tolist() == [70.5]
    assert cohort["kind"].tolist() == ["paired"]


def raw_text(text, name="collection.csv"):
    def run(folder):
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        build_cohort([folder / name], GROUPS, 183)

    return run


def edited(change):
    """Write a good table, change its text, read it."""

    def run(folder):
        path = write(folder / "collection.csv", [image(1), image(2, OTHER), image(3, OTHER)])
        path.write_text(change(path.read_text()))
        build_cohort([path], GROUPS, 183)

    return run


def aged(listed, expected, first=""):
    def run(folder):
        exams = [exam(AGE=first, EXAMDATE="2005-03-30")]
        cohort, _ = build(folder, [image(1, Age=listed)], exams)
        assert [None if pd.isna(age) else age for age in cohort["age"]] == [expected]

    return run


def no_sex(folder):
    cohort, _ = build(folder, [image(1, Sex="")], [exam(PTGENDER="-4")])
    assert cohort["sex"].isna().all()


def two_groups(folder):
    """One fold a person, whatever the groups of the visits."""
    images, exams = [], []
    for number in range(4):
        ptid = f"011_S_{number:04d}"
        images += [image(10 * number, ptid), image(10 * number + 1, ptid, **PET)]
        later = {"Visit": "m24", "Acq Date": "3/30/2008"}
        images += [image(10 * number + 2, ptid, **later)]
        exams += [exam(ptid), exam(ptid, VISCODE="m24", EXAMDATE="2008-03-30", DX="MCI")]
    cohort, _ = build(folder, images, exams)
    assert cohort["group"].tolist() == ["CN", "MCI"] * 4
    assert make_folds(cohort, 2, 1, ["CN", "MCI"])["subject"].is_unique


def two_editions(folder):
    """Two rows of ADNIMERGE for one visit contradict each other."""
    exams = [exam(), exam(DX="Dementia"), exam(OTHER)]
    cohort, out = build(folder, [image(1), image(2, OTHER)], exams)
    assert cohort["mri_file"].tolist() == [OTHER]
    return out["reason"].item()


def braces(folder):
    raw = folder / "raw {x}"
    (raw / "011_S_0005").mkdir(parents=True)
    build_cohort([write(raw / "collection.csv", [image(1)])], GROUPS, 9, raw=raw)


CASES = [
    Case(
        "a brace in the name of the raw folder",
        "stops",
        braces,
        "has a brace in its name, which Snakemake takes for a wildcard: rename it",
    ),
    Case(
        "byte order mark, CRLF, all quoted",
        "right",
        read_alike(encoding="utf-8-sig", newline="\r\n"),
    ),
    Case("old Mac line ends", "right", read_alike(newline="\r")),
    Case("UTF-16, as Excel saves it", "right", read_alike(encoding="utf-16")),
    Case("quoted comma in a description", "right", read_alike(quoting=csv.QUOTE_MINIMAL)),
    Case("semicolons and decimal commas", "right", lambda f: delimited(";", f)),
    Case("tabs between the columns", "right", lambda f: delimited("\t", f)),
    Case(
        "dates in three formats",
        "right",
        read_alike(
            [image(1, **{"Acq Date": "2006-03-30"}), image(2, **PET, **{"Acq Date": "04/05/2006"})],
            [exam(EXAMDATE="3/25/2006")],
        ),
    ),
    Case(
        "day before month (30/03/2006)",
        "stops",
        lambda f: build(f, [image(1), image(2, OTHER, **{"Acq Date": "30/03/2006"})]),
        r"collection.csv, line 3: the date '30/03/2006' is D/M/YYYY.* save the table",
    ),
    Case(
        "day before month in ADNIMERGE",
        "stops",
        lambda f: build(f, [image(1)], [exam(EXAMDATE="25/12/2006")]),
        r"ADNIMERGE.csv, line 2: the date '25/12/2006'",
    ),
    Case("age -4, age at the first visit known", "right", aged("-4", 71.0, "70")),
    Case("age 0", "right", aged("0", None)),
    Case("age of 700 years", "right", aged("700", None)),
    Case("age with a decimal comma", "right", aged("70,5", 70.5)),
    Case("PTGENDER missing", "right", no_sex),
    Case("diagnosis -1 in ADNIMERGE", "right", read_alike(exams=[exam(DX="-1")])),
    Case("a person in two groups at two visits", "right", two_groups),
    Case(
        "ADNIMERGE twice, diagnoses differ",
        "excluded",
        two_editions,
        "visit bl 2 times with different DX: CN, Dementia; keep one",
    ),
    Case(
        "column missing",
        "stops",
        edited(lambda t: t.replace("Acq Date", "Scanned")),
        r"collection.csv: missing column 'Acq Date'; found",
    ),
    Case(
        "column twice",
        "stops",
        edited(lambda t: t.replace('"Format"', '"Age"')),
        "column 'Age' appears more than once",
    ),
    Case(
        "comma that is not quoted",
        "stops",
        edited(lambda t: t.replace('"MP-RAGE"', "MP, RAGE", 1)),
        r"line 2: 13 fields where the header has 12",
    ),
    Case(
        "quote that is never closed",
        "stops",
        edited(lambda t: t.replace('1/01/2024"', "1/01/2024", 1)),
        r"collection.csv, line \d: not a CSV table",
    ),
    Case("last row cut off", "stops", edited(lambda t: t[:-60]), r"collection.csv, line 4: "),
    Case(
        "no row below the header",
        "stops",
        edited(lambda t: t.splitlines()[0]),
        "no usable visit among 0 images",
    ),
    Case("empty table", "stops", raw_text(""), "collection.csv: the table is empty"),
    Case(
        "Excel workbook named .csv",
        "stops",
        raw_text(b"PK\x03\x04" + bytes(range(256)) * 20),
        "collection",
    ),
    Case(
        "login page saved as .csv",
        "stops",
        raw_text("<!DOCTYPE html>\n<html><body>Log in</body></html>\n"),
        "no image collection table",
    ),
    Case(
        "no collection among the tables",
        "stops",
        lambda f: build_cohort([write(f / "ADNIMERGE.csv", [exam()])], GROUPS, 9),
        "no image collection table",
    ),
]
