"""Trouble in an IXI download: its table, its archives, names and sessions."""

import tarfile

from cases import Case
from heads import write as write_head
from ixi_fakes import HEADER, person, tar_of, touch, write_table, xls_bytes

from mri2pet.cohorts.ixi.ixi_table import read_people
from mri2pet.cohorts.ixi.reader import build_ixi, find_images, find_table

SPLIT = {"train": 1, "val": 0, "test": 0}


def names(number, session="0828", contrasts=("T1", "T2", "PD")):
    return [f"IXI{number:03d}-Guys-{session}-{contrast}.nii.gz" for contrast in contrasts]


def known(*rows, table="IXI.xls", sex="M", age=40.5):
    """Check what the table says of person 2."""

    def run(folder):
        found = read_people(write_table(folder, rows, table))["IXI002"]
        assert (found.sex, found.age) == (sex, age)

    return run


def semicolons(folder):
    lines = [";".join(HEADER), "2;1;0;0;1;4;1;5;1965-01-02;1;2005-07-03;40,5"]
    (folder / "IXI.csv").write_text("\r\n".join(lines), encoding="utf-8-sig")
    assert read_people(folder / "IXI.csv")["IXI002"].age == 40.5


def table(content, name="IXI.xls"):
    def run(folder):
        (folder / name).write_bytes(content)
        read_people(folder / name)

    return run


def left_out(*files):
    """Return why an image or a person is left out, beside one whole person."""

    def run(folder):
        touch(folder, *names(1), *files)
        listed = write_table(folder, [person(1), person(2)])
        cohort, out = build_ixi(listed, find_images(folder), SPLIT, 1)
        assert cohort["subject"].iloc[0] == "IXI001"
        assert len(out) == 1
        return out["reason"].item()

    return run


def half_an_archive(folder):
    tar_of(folder / "IXI-T2.tar", *names(1))
    content = (folder / "IXI-T2.tar").read_bytes()
    (folder / "IXI-T2.tar").write_bytes(content[:700])
    find_images(folder)


def cut_member(folder):
    """Images before the cut are whole, and yet nobody can tell how many came after it."""
    whole = write_head(folder / "whole.nii.gz")
    with tarfile.open(folder / "IXI-T1.tar", "w") as archive:
        for name in (*names(1, contrasts=("T1",)), *names(2, contrasts=("T1",))):
            archive.add(whole, arcname=name)
    content = (folder / "IXI-T1.tar").read_bytes()
    size = -(-whole.stat().st_size // 512) * 512
    (folder / "IXI-T1.tar").write_bytes(content[: 512 + size + 512 + size // 2])
    find_images(folder)


def too_few(folder):
    touch(folder, *names(1))
    build_ixi(write_table(folder, [person(1)]), find_images(folder), SPLIT | {"test": 3}, 1)


def braces(folder):
    touch(folder / "{x}", *names(1))
    find_images(folder)


CASES = [
    Case("a person in two rows that agree", "right", known(person(2), person(2))),
    Case("two rows that differ in sex", "right", known(person(2), person(2, sex=2), sex=None)),
    Case("SEX_ID 0", "right", known(person(2, sex=0), sex=None)),
    Case("AGE blank, dates there", "right", known(person(2, age=None), age=40.5)),
    Case("AGE 0 and no dates", "right", known(person(2, age=0, born=None), age=None)),
    Case("IXI.csv with BOM, CRLF, semicolons, decimal commas", "right", semicolons),
    Case("IXI.xls that is no workbook", "stops", table(b"PK\x03\x04"), "IXI.xls: not a readable"),
    Case("IXI.xls without its sheet", "stops", table(xls_bytes([HEADER], "Other")), "no sheet"),
    Case("IXI.xls without AGE", "stops", table(xls_bytes([HEADER[:5]])), "no column AGE; found"),
    Case("neither IXI.xls nor IXI.csv", "stops", lambda f: find_table(f) and None, "no IXI.xls"),
    Case("archive cut in its first image", "stops", half_an_archive, "IXI-T2.tar.*download it"),
    Case("archive cut inside a later image", "stops", cut_member, "IXI-T1.tar: .*download it"),
    Case("T2 without PD", "excluded", left_out(*names(2, "1", ("T1", "T2"))), "^no PD: a pair"),
    Case(
        "T2 and PD of two sessions",
        "excluded",
        left_out(*names(2, "1", ("T2",)), *names(2, "2", ("PD",))),
        "of different sessions .Guys-1 and Guys-2.",
    ),
    Case(
        "a person was scanned twice",
        "excluded",
        left_out(*names(2, "1"), *names(2, "2", ("T1",))),
        "a second T1 of the person; session 1 is taken",
    ),
    Case("a person without any image", "excluded", left_out(), "no T1, T2 or PD of it is there"),
    Case("fewer people than the split asks for", "stops", too_few, "ixi.split asks for 4 people"),
    Case("a brace in a folder's name", "stops", braces, "raw: .* has a brace in its name"),
]
