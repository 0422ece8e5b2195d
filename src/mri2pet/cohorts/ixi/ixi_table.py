"""IXI's table of people: IXI.xls as it is downloaded, or the same sheet saved as CSV."""

import csv
import logging
import math
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mri2pet.cohorts.adni.csv_tables import parse_date
from mri2pet.cohorts.ixi.ixi_names import ixi_label
from mri2pet.errors import InputError

log = logging.getLogger(__name__)

SHEET = "Table"
# each column by the beginning of its heading, in capitals; IXI's are "SEX_ID (1=m, 2=f)" and so on
COLUMNS = {"id": "IXI_ID", "sex": "SEX_ID", "age": "AGE", "born": "DOB", "studied": "STUDY_DATE"}
NEEDED = ("id", "sex", "age")
SEXES = {1: "M", 2: "F"}
AGES = (1.0, 120.0)
YEAR = 365.25  # days


@dataclass(frozen=True)
class IxiPerson:
    """What the table says of a person; None where it says nothing."""

    sex: str | None
    age: float | None


def read_people(path: str | Path) -> dict[str, IxiPerson]:
    """Read the table, by label.

    A person who stands there twice is one person; where the rows differ in sex or age, that is
    taken as not known. A number of 0 means that it is missing. An age that is missing is worked
    out from the dates of birth and of the scan where both are there.

    Parameters
    ----------
    path
        `.xls` or `.csv`.

    Raises
    ------
    InputError
        The file cannot be read, has no such sheet, or lacks a column.
    """
    rows = _read_csv(Path(path)) if Path(path).suffix.lower() == ".csv" else _read_xls(Path(path))
    header, *rest = [row for row in rows if any(map(_text, row))] or [[]]
    places = _places(header, path)
    found: defaultdict[str, list[IxiPerson]] = defaultdict(list)
    for number, row in enumerate(rest, start=2):
        fields = {name: row[at] if at < len(row) else "" for name, at in places.items()}
        label = _number(fields["id"])
        if label is None or label != int(label) or label < 1:
            log.warning("%s, row %d: IXI_ID %r is no number", path, number, fields["id"])
            continue
        sex = SEXES.get(_number(fields["sex"]) or 0)
        found[ixi_label(int(label))].append(IxiPerson(sex, _age(fields)))
    return {label: _one(label, people) for label, people in sorted(found.items())}


def _one(label: str, people: list[IxiPerson]) -> IxiPerson:
    """Make one person of the rows that bear one number."""
    if len(people) > 1:
        log.warning("%s stands in %d rows of the table", label, len(people))
    return IxiPerson(
        _agreed(label, "sex", (person.sex for person in people)),
        _agreed(label, "age", (person.age for person in people)),
    )


def _agreed(label: str, what: str, values: Iterable[object]) -> object:
    """Return the one value that is there; None if there is none, or several that differ."""
    known = list(dict.fromkeys(value for value in values if value is not None))
    if len(known) > 1:
        log.warning("%s: rows differ in %s (%s): not known", label, what, known)
    return known[0] if len(known) == 1 else None


def _age(fields: dict[str, object]) -> float | None:
    """Years at the scan, as listed or from the dates; None if unknown or impossible."""
    age = _number(fields["age"])
    if not age:
        born, studied = (_date(fields.get(name, "")) for name in ("born", "studied"))
        age = (studied - born).days / YEAR if born and studied else None
    return round(age, 2) if age and AGES[0] <= age <= AGES[1] else None


def _places(header: list[object], path: str | Path) -> dict[str, int]:
    """Find the columns by their headings."""
    names = [re.sub(r"\s+", "", _text(cell)).upper() for cell in header]
    places = {
        key: next((at for at, name in enumerate(names) if name.startswith(start)), None)
        for key, start in COLUMNS.items()
    }
    if lost := [COLUMNS[key] for key in NEEDED if places[key] is None]:
        raise InputError(
            f"{path}: no column {', '.join(lost)}; found {', '.join(filter(None, names)) or 'none'}"
        )
    return {key: at for key, at in places.items() if at is not None}


def _read_csv(path: Path) -> list[list[object]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text(encoding="cp1252")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error})") from error
    heading = text.partition("\n")[0]
    separator = max(",;\t", key=heading.count)
    return list(csv.reader(text.splitlines(), delimiter=separator))


def _read_xls(path: Path) -> list[list[object]]:
    """Read the cells of the sheet; dates as dates."""
    import xlrd

    try:
        book = xlrd.open_workbook(file_contents=path.read_bytes(), logfile=_Quiet())
    except Exception as error:  # xlrd raises whatever the damage leads to
        raise InputError(
            f"{path}: not a readable .xls file ({error}); of another format, save it as CSV"
        ) from error
    if SHEET not in book.sheet_names():
        raise InputError(f"{path}: no sheet {SHEET!r}; found {', '.join(book.sheet_names())}")
    sheet = book.sheet_by_name(SHEET)
    return [
        [_cell(sheet.cell(row, column), book.datemode) for column in range(sheet.ncols)]
        for row in range(sheet.nrows)
    ]


def _cell(cell: object, datemode: int) -> object:
    import xlrd

    if cell.ctype == xlrd.XL_CELL_DATE:
        return xlrd.xldate_as_datetime(cell.value, datemode).date()
    return "" if cell.ctype == xlrd.XL_CELL_ERROR else cell.value


class _Quiet:
    """Takes what xlrd has to say about a file's oddities."""

    def write(self, text: str) -> None:
        """Drop it."""

    def flush(self) -> None:
        """Do nothing."""


def _text(cell: object) -> str:
    return "" if cell is None else str(cell).strip()


def _number(cell: object) -> float | None:
    try:
        value = float(_text(cell).replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _date(cell: object) -> date | None:
    return cell if isinstance(cell, date) else parse_date(_text(cell))
