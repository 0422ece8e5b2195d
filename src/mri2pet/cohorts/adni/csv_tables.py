"""Reading ADNI's two tables, the image collection and ADNIMERGE, as they are downloaded.

Both come in several hands: fields quoted or not, separated by commas, semicolons or tabs, a byte
order mark, CRLF, columns in any order, dates in three notations, image IDs with or without `I`. A
table that lacks a column, or whose rows cannot all be read alike, stops the run and says which;
what is wrong with a single row is left to `mri2pet.cohorts.adni.reader`, which excludes it.
"""

import csv
import io
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from mri2pet.errors import InputError

log = logging.getLogger(__name__)

COLLECTION_COLUMNS = (
    "Image Data ID",
    "Subject",
    "Group",
    "Sex",
    "Age",
    "Visit",
    "Modality",
    "Description",
    "Type",
    "Acq Date",
)
ADNIMERGE_COLUMNS = ("RID", "PTID", "VISCODE", "EXAMDATE", "DX_bl", "DX", "AGE", "PTGENDER")
MISSING_CODES = {"", "-1", "-4", "-1.0", "-4.0", "na", "n/a", "nan", "none", "null", "unknown"}
FIRST_EXAM = "EXAMDATE_bl"  # a column of ADNIMERGE that a table cut to fewer columns may lack
DATE_FORMATS = (
    *("%Y-%m-%d", "%m/%d/%Y", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"),
    *("%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p"),  # as spreadsheets save it
)
YEARS = (1980, 2100)  # of an examination: no scanner before, and a slip of the keyboard after
_DAY_FIRST = re.compile(r"\s*(1[3-9]|2[0-9]|3[01])/0?([1-9]|1[0-2])/[0-9]{4}\b")


@dataclass(frozen=True)
class ImageRow:
    """One row of a collection table, as text; `where` is `<file>, line <n>`."""

    image_id: str
    subject: str
    group: str
    sex: str
    age: str
    visit: str
    modality: str
    description: str
    type: str
    acquired: str
    where: str


@dataclass(frozen=True)
class ExamRow:
    """One row of ADNIMERGE, as text; missing values are empty."""

    ptid: str
    viscode: str
    examined: date | None
    baseline_diagnosis: str
    diagnosis: str
    baseline_age: str
    sex: str
    baseline: date | None = None  # day of the first exam


def read_tables(paths: Iterable[str | Path]) -> tuple[list[ImageRow], list[ExamRow]]:
    """Read every collection and ADNIMERGE table among `paths`; other CSV files are passed over.

    Returns
    -------
    tuple of lists
        Rows of all collections, and rows of ADNIMERGE (none if there is no such table: diagnosis
        then rests on the collection's `Group`).

    Raises
    ------
    InputError
        No collection among the tables, or a table that cannot be read or lacks a column.
    """
    images: list[ImageRow] = []
    exams: list[ExamRow] = []
    collections = 0
    seen = {}
    for path in sorted(map(Path, paths)):
        header, rows = _read_csv(path)
        seen[path.name] = header
        names = {_key(name) for name in header}
        if _resembles(names, COLLECTION_COLUMNS, "Image Data ID"):
            collections += 1
            images += _images(path, header, rows)
        elif _resembles(names, ADNIMERGE_COLUMNS, "DX_bl") or _is_cut_adnimerge(path, names):
            exams += _exams(path, header, rows)
        elif _named_adnimerge(path):  # its dictionary, or a page that was saved in its place
            log.warning("%s has none of ADNIMERGE's columns: passed over", path)
        else:
            log.info("%s is neither a collection nor ADNIMERGE: passed over", path)
    if not collections:
        found = "; ".join(f"{name} ({', '.join(header)[:200]!a})" for name, header in seen.items())
        raise InputError(
            "no image collection table (a CSV with the columns "
            f"{', '.join(COLLECTION_COLUMNS)}) among: {found or 'no CSV file at all'}"
        )
    if not exams:
        log.warning("no ADNIMERGE table: groups are taken from the collection alone")
    return images, exams


def printable(text: str, longest: int = 80) -> str:
    """Make a text from a table safe to print on one line."""
    text = re.sub(r"[^ -~]", "?", text)
    return text if len(text) <= longest else f"{text[:longest]}..."


def parse_date(text: str) -> date | None:
    """Read M/D/YYYY, MM/DD/YYYY or YYYY-MM-DD (a time of day is dropped); None if it is neither."""
    for form in DATE_FORMATS:
        try:
            return datetime.strptime(text.strip(), form).date()
        except ValueError:
            continue
    return None


def examination_date(text: str) -> date | None:
    """Read a date as `parse_date` does; None also if nobody was examined in such a year."""
    day = parse_date(text)
    return day if day and YEARS[0] <= day.year <= YEARS[1] else None


def _resembles(names: set[str], columns: tuple[str, ...], telling: str) -> bool:
    """Tell a table by its most telling column, or by three quarters of its columns."""
    known = {_key(column) for column in columns}
    return _key(telling) in names or len(known & names) >= 0.75 * len(known)


def _named_adnimerge(path: Path) -> bool:
    return "adnimerge" in path.stem.lower()


def _is_cut_adnimerge(path: Path, names: set[str]) -> bool:
    """Tell an ADNIMERGE that lacks columns, which stops the run, from a dictionary of it."""
    return (
        _named_adnimerge(path) and len({_key(column) for column in ADNIMERGE_COLUMNS} & names) > 1
    )


def _key(name: str) -> str:
    return " ".join(name.lower().split())


def _images(
    path: Path, header: list[str], rows: Iterator[tuple[int, list[str]]]
) -> Iterator[ImageRow]:
    columns = _columns(path, header, COLLECTION_COLUMNS)
    for line, row in rows:
        _check_month_first(path, line, row[columns[-1]])
        yield ImageRow(*(row[index].strip() for index in columns), f"{path.name}, line {line}")


def _exams(
    path: Path, header: list[str], rows: Iterator[tuple[int, list[str]]]
) -> Iterator[ExamRow]:
    columns = _columns(path, header, ADNIMERGE_COLUMNS)
    names = [_key(name) for name in header]
    first = names.index(_key(FIRST_EXAM)) if _key(FIRST_EXAM) in names else None
    for line, row in rows:
        _check_month_first(path, line, row[columns[ADNIMERGE_COLUMNS.index("EXAMDATE")]])
        baseline = "" if first is None else row[first]
        _check_month_first(path, line, baseline)
        values = (row[index].strip() for index in columns)
        _, ptid, viscode, exam, dx_bl, dx, age, sex = (
            "" if value.lower() in MISSING_CODES else value for value in values
        )
        days = examination_date(exam), examination_date(baseline)
        yield ExamRow(ptid, viscode, days[0], dx_bl, dx, age, sex, days[1])


def _check_month_first(path: Path, line: int, text: str) -> None:
    """Refuse a table with a date that only D/M/YYYY explains: its other dates would be misread."""
    if _DAY_FIRST.match(text):
        raise InputError(
            f"{path}, line {line}: the date {text.strip()!r} is D/M/YYYY, and 5/4/2006 in the same "
            "table would be taken for the 4th of May; save the table with dates as YYYY-MM-DD"
        )


def _columns(path: Path, header: list[str], wanted: tuple[str, ...]) -> list[int]:
    """Find the position of each wanted column, in any order."""
    names = [_key(name) for name in header]
    missing = [column for column in wanted if _key(column) not in names]
    if missing:
        plural = "columns" if len(missing) > 1 else "column"
        raise InputError(
            f"{path}: missing {plural} {', '.join(map(repr, missing))}; "
            f"found: {', '.join(map(repr, header))}"
        )
    twice = sorted({column for column in wanted if names.count(_key(column)) > 1})
    if twice:
        raise InputError(f"{path}: column {twice[0]!r} appears more than once")
    return [names.index(_key(column)) for column in wanted]


def _read_csv(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the header and the (line number, fields) of every row that is not blank."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    text = _decode(raw)
    heading = re.split(r"[\r\n]", text.lstrip(), maxsplit=1)[0]
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=max(",;\t", key=heading.count),
        skipinitialspace=True,
        strict=True,  # or a quote that is not closed swallows all rows after it
    )
    lines = _lines(path, reader)
    _, header = next(lines, (0, []))
    if not header:
        raise InputError(f"{path}: the table is empty")
    return header, _checked(path, lines, len(header))


def _decode(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _lines(path: Path, reader: "csv.Reader") -> Iterator[tuple[int, list[str]]]:
    try:
        for row in reader:
            if any(field.strip() for field in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: not a CSV table ({error})") from error


def _checked(
    path: Path, lines: Iterator[tuple[int, list[str]]], width: int
) -> Iterator[tuple[int, list[str]]]:
    """Refuse rows with too few or too many fields: an unquoted comma shifts every later column."""
    for line, row in lines:
        while len(row) > width and not row[-1].strip():
            row.pop()
        if len(row) != width:
            raise InputError(
                f"{path}, line {line}: {len(row)} fields where the header has {width}; "
                "is a text with a comma not quoted?"
            )
        yield line, row
