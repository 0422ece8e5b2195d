"""The tables of a BIDS folder: participants, sessions and scans, and what their JSON explains."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mri2pet.cohorts.bids.bids_names import label_of
from mri2pet.cohorts.bids.bids_words import read_date, text_of, word_of
from mri2pet.cohorts.fetched import absent
from mri2pet.errors import InputError
from mri2pet.files import read_json
from mri2pet.machine_faults import check_machine

Row = dict[str, str | None]


@dataclass(frozen=True)
class BidsTable:
    """Rows of a table: text by the column's name, None where nothing is known."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    lines: tuple[int, ...]

    def column(self, names: Sequence[str]) -> str | None:
        """Return the first column that is called as one of `names`, whatever its case and marks."""
        by_name = {_plain(column): column for column in reversed(self.columns)}
        return next((by_name[_plain(name)] for name in names if _plain(name) in by_name), None)

    def line(self, row: int) -> str:
        """Name a row of the file as messages do."""
        return f"{self.path}, line {self.lines[row]}"


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def read_table(path: Path) -> BidsTable:
    """Read a tab-separated table, with or without byte order mark and CRLF.

    Raises
    ------
    InputError
        It is none, or a link whose content was not fetched.
    """
    if reason := absent(path):
        raise InputError(f"{path}: {reason}")
    try:
        with open(path, encoding="utf-8-sig", newline="") as handle:
            reader = csv.reader(handle, delimiter="\t")
            cells = [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except (OSError, ValueError, csv.Error) as error:
        check_machine(error, path)
        raise _unreadable(path, " ".join(str(error).split())) from error
    if not cells:
        raise _unreadable(path, "it is empty")
    columns = tuple(map(str.strip, cells[0][1]))
    rows = []
    for line, row in cells[1:]:
        if any(map(str.strip, row[len(columns) :])):
            raise _unreadable(path, f"line {line} has {len(row)} cells, the first {len(columns)}")
        row += [""] * (len(columns) - len(row))
        rows.append(dict(zip(columns, map(text_of, row), strict=False)))
    return BidsTable(path, columns, tuple(rows), tuple(line for line, _ in cells[1:]))


def _unreadable(path: Path, reason: str) -> InputError:
    return InputError(f"{path}: not a readable tab-separated table ({reason})")


def read_participants(raw: Path) -> tuple[BidsTable, dict[str, int]]:
    """Read participants.tsv; the number of each person's row by label.

    Raises
    ------
    InputError
        It is not there or not readable, a label is none, or a person stands there twice.
    """
    table = read_table(raw / "participants.tsv")
    column = table.column(["participant_id"])
    if column is None:
        raise InputError(
            f"{table.path}: the column participant_id is missing; columns are "
            f"{', '.join(table.columns)}"
        )
    people: dict[str, int] = {}
    for number, row in enumerate(table.rows):
        subject = label_of(row[column] or "", "sub")
        where = f"{table.line(number)}, participant_id"
        if not re.fullmatch(r"[A-Za-z0-9]+", subject):
            raise InputError(f"{where}: {row[column]} is no BIDS label")
        if subject in people:
            raise InputError(f"{where}: sub-{subject} stands there twice")
        people[subject] = number
    return table, people


def read_levels(path: Path) -> dict[str, dict[str, str]]:
    """Read what a table's JSON says of the words in its columns: column, word, explanation.

    Words are as `word_of` makes them. A JSON that is not there explains nothing.
    """
    if not path.is_file():
        return {}
    found = {}
    for column, about in read_json(path).items():
        levels = about.get("Levels") if isinstance(about, dict) else None
        if isinstance(levels, dict):
            told = {
                k: v.get("Description") if isinstance(v, dict) else v for k, v in levels.items()
            }
            found[column] = {word_of(str(k)): str(v) for k, v in told.items() if v}
    return found


def read_sessions(raw: Path, subject: str) -> tuple[BidsTable | None, dict[str, int]]:
    """Read a person's sessions.tsv if there is one; the number of each session's row by label."""
    path = raw / f"sub-{subject}" / f"sub-{subject}_sessions.tsv"
    if not path.is_file():
        return None, {}
    table = read_table(path)
    column = table.column(["session_id"])
    if column is None:
        raise InputError(f"{path}: the column session_id is missing")
    return table, {label_of(row[column] or "", "ses"): n for n, row in enumerate(table.rows)}


def read_dates(raw: Path, subject: str, sessions: Sequence[str | None]) -> dict[str, date]:
    """Read when scans were made: the day by path below `raw`, of a whole session by its label.

    scans.tsv says it of a scan, sessions.tsv of a session, both in their column `acq_time`.
    """
    table, numbers = read_sessions(raw, subject)
    found: dict[str, date] = {}
    column = table.column(["acq_time"]) if table else None
    if table is not None and column is not None:
        for session, number in numbers.items():
            if day := read_date(table.rows[number][column]):
                found[session] = day
    for session in {None, *sessions}:
        place, stem = f"sub-{subject}", f"sub-{subject}"
        if session is not None:
            place, stem = f"{place}/ses-{session}", f"{stem}_ses-{session}"
        path = raw / place / f"{stem}_scans.tsv"
        if not path.is_file():
            continue
        scans = read_table(path)
        name, when = scans.column(["filename"]), scans.column(["acq_time"])
        for row in scans.rows if name and when else ():
            if row[name] and (day := read_date(row[when])):
                found[f"{place}/{row[name]}"] = day
    return found
