"""A small .xls as IXI's is, and an IXI download without content."""

import io
import struct
import tarfile

HEADER = [
    "IXI_ID", "SEX_ID (1=m, 2=f)", "HEIGHT", "WEIGHT", "ETHNIC_ID", "MARITAL_ID", "OCCUPATION_ID",
    "QUALIFICATION_ID", "DOB", "DATE_AVAILABLE", "STUDY_DATE", "AGE",
]  # fmt: skip


def person(number, sex=1, age=40.5, born="1965-01-02", studied="2005-07-03"):
    """A row of the table; None is a blank cell."""
    return [number, sex, 0, 0, 1, 4, 1, 5, born, 1, studied, age]


def xls_bytes(rows, sheet="Table"):
    """Return a workbook of one sheet in BIFF5, the older of the two record formats of .xls."""

    def record(kind, content):
        return struct.pack("<HH", kind, len(content)) + content

    def cell(row, column, value):
        if isinstance(value, str):
            text = value.encode("latin-1")
            return record(0x204, struct.pack("<HHHH", row, column, 0, len(text)) + text)
        return record(0x203, struct.pack("<HHHd", row, column, 0, float(value)))

    def globals_(offset):
        name = sheet.encode("latin-1")
        bound = struct.pack("<IHB", offset, 0, len(name)) + name
        return (
            record(0x809, struct.pack("<HHHH", 0x500, 5, 0, 0))
            + record(0x85, bound)
            + record(10, b"")
        )

    start = len(globals_(0))
    body = record(0x809, struct.pack("<HHHH", 0x500, 0x10, 0, 0))
    for r, row in enumerate(rows):
        body += b"".join(cell(r, c, value) for c, value in enumerate(row) if value is not None)
    return globals_(start) + body + record(10, b"")


def write_table(folder, rows, name="IXI.xls"):
    folder.mkdir(parents=True, exist_ok=True)
    if name.endswith(".xls"):
        (folder / name).write_bytes(xls_bytes([HEADER, *rows]))
    else:
        lines = [",".join('"' + str(v) + '"' if "," in str(v) else str("" if v is None else v)
                          for v in row) for row in [HEADER, *rows]]  # fmt: skip
        (folder / name).write_text("\ufeff" + "\r\n".join(lines) + "\r\n", encoding="utf-8")
    return folder / name


def touch(folder, *names):
    for name in names:
        contrast = name.rpartition("-")[2].partition(".")[0]
        path = folder / f"IXI-{contrast}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not opened")


def tar_of(path, *names):
    with tarfile.open(path, "w") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 10
            archive.addfile(info, io.BytesIO(b"not opened"))
