"""The IXI reader: the table's faults, archives and folders, pairs, and the split."""

import logging

import pytest
from ixi_fakes import HEADER, person, tar_of, touch, write_table, xls_bytes

from mri2pet.cohorts.contract import EXCLUSION_COLUMNS
from mri2pet.cohorts.ixi.ixi_table import read_people
from mri2pet.cohorts.ixi.reader import (
    COLUMNS,
    SPLITS,
    assign_splits,
    build_ixi,
    find_images,
    find_table,
    image_of,
)
from mri2pet.errors import InputError
from mri2pet.files import read_tsv, write_tsv

NONE = dict.fromkeys(SPLITS, 0)
BOTH = pytest.mark.parametrize("name", ["IXI.xls", "IXI.csv"])


def pair(number, site="Guys", session="0828", contrasts=("T1", "T2", "PD")):
    return [f"IXI{number:03d}-{site}-{session}-{contrast}.nii.gz" for contrast in contrasts]


def build(tmp_path, rows, names, split=NONE, seed=1):
    table = write_table(tmp_path, rows)
    touch(tmp_path, *names)
    return build_ixi(table, find_images(tmp_path), split, seed)


@BOTH
def test_the_table_is_read_with_padded_labels(tmp_path, name):
    table = write_table(tmp_path, [person(2, 2, 35.8), person(662, 1, 50)], name)
    people = read_people(table)
    assert list(people) == ["IXI002", "IXI662"]
    assert (people["IXI002"].sex, people["IXI002"].age) == ("F", 35.8)
    assert people["IXI662"].sex == "M"


@BOTH
@pytest.mark.parametrize(
    ("row", "sex", "age"),
    [
        (person(12, 0), None, 40.5),  # 0 stands for missing
        (person(12, None), None, 40.5),
        (person(12, 1, None), "M", 40.5),  # from the dates
        (person(12, 1, 0), "M", 40.5),
        (person(12, 1, None, born=None), "M", None),
        (person(12, 1, None, studied=None), "M", None),
        (person(12, 2, -1), "F", None),
        (person(12, 2, 1000), "F", None),
        (person(12, 3, "n/a", born="?"), None, None),
    ],
)
def test_what_is_missing_stays_missing(tmp_path, name, row, sex, age):
    found = read_people(write_table(tmp_path, [row], name))["IXI012"]
    assert found.sex == sex
    assert found.age == (age if age is None else pytest.approx(age, abs=0.01))


@BOTH
def test_a_person_who_stands_there_twice_is_one(tmp_path, name, caplog):
    rows = [person(5, 1, 30), person(5, 1, None, born=None), person(6, 1, 30), person(6, 2, 31)]
    with caplog.at_level(logging.WARNING):
        people = read_people(write_table(tmp_path, rows, name))
    assert (people["IXI005"].sex, people["IXI005"].age) == ("M", 30)
    assert (people["IXI006"].sex, people["IXI006"].age) == (None, None)  # rows that differ
    assert "IXI006: rows differ in sex" in caplog.text


def test_blank_rows_and_rows_without_a_number_are_passed_over(tmp_path, caplog):
    rows = [person(1), [None] * 12, person(None), person("x"), person(2)]
    assert list(read_people(write_table(tmp_path, rows))) == ["IXI001", "IXI002"]
    assert "IXI_ID 'x' is no number" in caplog.text


def test_columns_may_stand_in_any_order(tmp_path):
    path = tmp_path / "IXI.csv"
    path.write_text("AGE;Sex_ID (1=m, 2=f);IXI_ID\n41,5;2;7\n")
    found = read_people(path)["IXI007"]
    assert (found.sex, found.age) == ("F", 41.5)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"no workbook", "not a readable .xls file"),
        (b"PK\x03\x04 as .xlsx begins", r"not a readable .xls file .*save it as CSV"),
        (xls_bytes([HEADER], sheet="Other"), "no sheet 'Table'; found Other"),
        (xls_bytes([HEADER[:5]]), "no column AGE; found IXI_ID"),
        (xls_bytes([]), "no column IXI_ID, SEX_ID, AGE; found none"),
    ],
)
def test_a_table_that_is_none_is_named(tmp_path, content, fault):
    (tmp_path / "IXI.xls").write_bytes(content)
    with pytest.raises(InputError, match=f"IXI.xls: {fault}"):
        read_people(tmp_path / "IXI.xls")


def test_the_download_is_found_in_folders_and_archives(tmp_path):
    touch(tmp_path, *pair(2), *pair(12, "HH", "1211"))
    tar_of(tmp_path / "IXI-T2.tar", *pair(13, "IOP", "1", ("T2",)), "./" + pair(2)[1])
    tar_of(
        tmp_path / "IXI-PD.tar", "sub/" + pair(13, "IOP", "1", ("PD",))[0], "IXI013-x-MRA.nii.gz"
    )
    images = {(i.subject, i.contrast): i for i in find_images(tmp_path)}
    assert len(images) == 8
    assert images["IXI013", "PD"].member == "sub/IXI013-IOP-1-PD.nii.gz"
    assert images["IXI013", "PD"].file == str(tmp_path / "IXI-PD.tar")
    assert images["IXI002", "T2"].member == "n/a"  # unpacked goes before packed
    assert (images["IXI012", "T1"].site, images["IXI012", "T1"].number) == ("HH", "1211")


@pytest.mark.parametrize("name", ["IXI002-Guys-0828-MRA.nii.gz", "IXI002-T1.nii.gz", "notes.txt",
                                  "xIXI002-Guys-0828-T1.nii.gz"])  # fmt: skip
def test_other_files_are_no_images(name):
    assert image_of(name) is None


def test_faults_of_a_download_are_named(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        find_images(tmp_path / "away")
    with pytest.raises(InputError, match="no image named like"):
        find_images(tmp_path)
    with pytest.raises(InputError, match=r"no IXI\.xls"):
        find_table(tmp_path)
    (tmp_path / "IXI-T2.tar").write_bytes(b"half")
    with pytest.raises(InputError, match=r"IXI-T2.tar: cannot be read .*download it again"):
        find_images(tmp_path)
    (tmp_path / "IXI.xlsx").touch()
    with pytest.raises(InputError, match=r"IXI\.xlsx: only \.xls is read; save .* as IXI\.csv"):
        find_table(tmp_path)
    (tmp_path / "ixi.XLS").touch()
    assert find_table(tmp_path).name == "ixi.XLS"


def test_the_cohort_table_names_every_file(tmp_path):
    names = [*pair(2), *pair(12, "HH", "1", ("T2", "PD")), *pair(14, "HH", "3", ("T1",))]
    cohort, _ = build(tmp_path, [person(2, 2, 35.8)], names, {"train": 1, "val": 0, "test": 1})
    write_tsv(tmp_path / "ixi.tsv", cohort)
    rows = read_tsv(tmp_path / "ixi.tsv", dtype=str).set_index("subject")
    assert tuple(cohort.columns) == COLUMNS
    assert list(rows.index) == ["IXI002", "IXI012", "IXI014"]
    first = rows.loc["IXI002"]
    assert (first["visit"], first["group"], first["kind"]) == ("bl", "HC", "mri_only")
    assert (first["sex"], first["age"], first["site"]) == ("F", "35.8", "Guys")
    for column, contrast in (("mri", "T1"), ("t2", "T2"), ("pd", "PD")):
        name = f"IXI002-Guys-0828-{contrast}.nii.gz"
        assert first[f"{column}_file"] == str(tmp_path / f"IXI-{contrast}" / name)
    assert rows["mri_file"].notna().tolist() == [True, False, True]
    assert rows["pet_file"].isna().all()
    assert sorted(rows["split"].dropna()) == ["test", "train"]
    assert rows["split"].isna().tolist() == [False, False, True]  # a T1 alone trains nothing here


def test_nothing_is_left_out_in_silence(tmp_path):
    names = [
        *pair(1), *pair(2, contrasts=("T1", "T2")), *pair(3, contrasts=("PD",)),
        *pair(4, contrasts=("T1",)), *pair(5, session="1", contrasts=("T2",)),
        *pair(5, session="2", contrasts=("PD",)), *pair(6, session="7"), *pair(6, session="5"),
        *pair(7, session="1", contrasts=("T2",)), *pair(7, session="2"),
    ]  # fmt: skip
    cohort, excluded = build(tmp_path, [person(n) for n in (1, 2, 9)], names)
    assert tuple(excluded.columns) == EXCLUSION_COLUMNS
    reasons = {(r.subject, r.modality, r.image_id): r.reason for r in excluded.itertuples()}
    both = "T2 and PD"
    assert reasons["IXI002", both, "n/a"].startswith("no PD:")
    assert reasons["IXI003", both, "n/a"].startswith("no T2:")
    assert reasons["IXI004", both, "n/a"].startswith("no T2 and no PD:")
    assert "different sessions (Guys-1 and Guys-2)" in reasons["IXI005", both, "n/a"]
    for contrast in ("T1", "T2", "PD"):  # the first session with a pair is taken
        assert "second" in reasons["IXI006", contrast, "7"]
    assert "second" in reasons["IXI007", "T2", "1"]
    assert "no T1, T2 or PD" in reasons["IXI009", "MRI", "n/a"]
    assert len(reasons) == 9
    assert list(cohort["subject"]) == [f"IXI00{n}" for n in range(1, 8)]
    assert "IXI-T2/IXI006-Guys-5-T2" in cohort.set_index("subject").loc["IXI006", "t2_file"]


def people(**sites):
    return {f"IXI{site}{n:03d}": site for site, count in sites.items() for n in range(count)}


def counted(splits, sites):
    return {
        (site, name): sum(splits[p] == name and sites[p] == site for p in sites)
        for site in set(sites.values())
        for name in (*SPLITS, None)
    }


def test_the_papers_split_has_its_numbers_and_every_sites_share():
    sites = people(Guys=322, HH=185, IOP=74)  # about IXI's
    split = {"train": 250, "val": 35, "test": 70}
    splits = assign_splits(sites, split, seed=1)
    assert {name: list(splits.values()).count(name) for name in SPLITS} == split
    counts = counted(splits, sites)
    for site, there in (("Guys", 322), ("HH", 185), ("IOP", 74)):
        for name, quota in split.items():
            assert abs(counts[site, name] - quota * there / 581) < 2


def test_the_split_depends_on_seed_and_people_alone():
    sites = people(Guys=20, HH=10)
    split = {"train": 15, "val": 5, "test": 10}
    first = assign_splits(sites, split, 1)
    assert first == assign_splits(dict(reversed(sites.items())), split, 1)
    assert first != assign_splits(sites, split, 2)
    assert None not in first.values()


def test_too_few_people_for_the_split_are_counted():
    with pytest.raises(InputError, match=r"asks for 10 people \(6, 2, 2\), and 9 have"):
        assign_splits(people(Guys=9), {"train": 6, "val": 2, "test": 2}, 1)
