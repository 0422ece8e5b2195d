"""Who is in a BIDS folder: the group, role, age and sex of each person at each session."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mri2pet.cohorts.bids.bids_settings import BidsStudy
from mri2pet.cohorts.bids.bids_tables import (
    BidsTable,
    read_levels,
    read_participants,
    read_sessions,
    read_table,
)
from mri2pet.cohorts.bids.bids_words import read_age, read_sex, word_of
from mri2pet.errors import InputError, ScanError

log = logging.getLogger(__name__)

GROUP_COLUMNS = (
    *("group", "diagnosis", "dx", "diagnostic_group", "role", "participant_group", "subject_group"),
    *("patient_group", "clinical_group", "study_group", "group_name", "diagnosis_group", "cohort"),
    *("clinical_diagnosis", "disease", "disease_status", "condition", "status", "arm"),
)
AGE_COLUMNS = (
    *("age", "age_years", "age_yrs", "age_in_years", "age_at_scan", "age_at_pet", "age_at_mri"),
    *("age_at_session", "age_at_visit", "age_at_baseline", "participant_age", "subject_age"),
)
SEX_COLUMNS = ("sex", "gender", "biological_sex", "participant_sex", "sex_at_birth", "sex_gender")


@dataclass(frozen=True)
class Person:
    """What the tables say of a person at a session; None where nothing is known."""

    group: str | None
    role: str | None
    age: float | None
    sex: str | None
    lesion_region: str | None


class People:
    """The people of a BIDS folder.

    Parameters
    ----------
    raw
        The folder, with participants.tsv and, of people with several sessions, sessions.tsv.
    study
        What is wanted of them.

    Raises
    ------
    InputError
        A table cannot be read, or no column tells the groups that are wanted.
    """

    def __init__(self, raw: Path, study: BidsStudy) -> None:
        self.raw, self.study = raw, study
        self.path = raw / "participants.tsv"
        self.table: BidsTable | None = None
        self.numbers: dict[str, int] = {}
        if self.path.is_symlink() or self.path.exists():
            self.table, self.numbers = read_participants(raw)
        elif study.groups is not None and not study.mri_alone:
            raise InputError(
                f"{self.path}: is not there; {study.key}.groups needs it, with the columns "
                "participant_id and group"
            )
        self.levels = read_levels(raw / "participants.json")
        self.group_column = self._group_column()

    def check(self, subject: str) -> None:
        """Raise `ScanError` if the table does not know a person."""
        if self.table is not None and subject not in self.numbers and not self.study.mri_alone:
            raise ScanError(f"sub-{subject} has no row in {self.path}")

    def at(self, subject: str, session: str | None) -> Person:
        """Say what is known of a person at a session: sessions.tsv goes before participants.tsv.

        Raises
        ------
        ScanError
            The person's group is not known, or is not one that is wanted.
        InputError
            An age is none.
        """
        own = self._session_row(subject, session)
        word = self._told(subject, own, [self.group_column] if self.group_column else [])[0]
        age, where = self._told(subject, own, AGE_COLUMNS)
        sex, _ = self._told(subject, own, SEX_COLUMNS)
        column = self.table.column(SEX_COLUMNS) if self.table else None
        group = self._known_group(word) if self.study.mri_alone else self._group(word)
        lesion = self._lesion(subject, own)
        return Person(
            group=group,
            role=self._role(subject, own, word, group),
            age=read_age(age, where),
            sex=read_sex(sex, self._level(column, sex)),
            lesion_region=lesion,
        )

    def _session_row(self, subject: str, session: str | None) -> tuple[BidsTable, int] | None:
        table, numbers = read_sessions(self.raw, subject)
        if table is None or session not in numbers:
            return None
        return table, numbers[session]

    def _told(
        self, subject: str, own: tuple[BidsTable, int] | None, names: tuple[str, ...] | list[str]
    ) -> tuple[str | None, str]:
        """Return the text of a column, first that of the session, and where it stands."""
        places = [own] if own else []
        if self.table is not None and subject in self.numbers:
            places.append((self.table, self.numbers[subject]))
        for table, number in places:
            column = table.column(names)
            if column is not None and (text := table.rows[number][column]):
                return text, f"{table.line(number)}, {column}"
        return None, str(self.path)

    def _level(self, column: str | None, text: str | None) -> str | None:
        return self.levels.get(column or "", {}).get(word_of(text)) if text else None

    def _group_column(self) -> str | None:
        """Find the column of the groups: the named one, else among the usual names."""
        key = self.study.key
        tables = [self.table] if self.table else []
        tables += [read_table(path) for path in sorted(self.raw.glob("sub-*/*_sessions.tsv"))[:1]]
        columns = [column for table in tables for column in table.columns]
        if self.study.group_column:
            named = [table.column([self.study.group_column]) for table in tables]
            if not any(named):
                raise InputError(
                    f"{key}.group_column: {self.path} has no column {self.study.group_column!r}; "
                    f"its columns are {', '.join(columns)}"
                )
            return next(filter(None, named))
        there = [
            (table, column)
            for table in tables
            for name in GROUP_COLUMNS
            if (column := table.column([name]))
        ]
        words = self.study.groups or self.study.roles
        found = [column for table, column in there if self._knows(table, column, words)]
        found += [column for _, column in there]
        if not found and self.study.groups is not None and not self.study.mri_alone:
            raise InputError(
                f"{self.path}: no column tells the group (looked for {', '.join(GROUP_COLUMNS)}); "
                f"name it in {key}.group_column; its columns are {', '.join(columns)}"
            )
        if not found:
            log.info("%s: no column tells a group", self.path)
            return None
        others = ", ".join(dict.fromkeys(column for column in found if column != found[0]))
        log.info(
            "%s: the column %s tells the group%s", self.path, found[0],
            f" (not {others}; {key}.group_column names another)" if others else "",
        )  # fmt: skip
        return found[0]

    def _knows(self, table: BidsTable, column: str, words: Mapping[str, str]) -> bool:
        texts = {text for row in table.rows if (text := row[column])}
        told = texts | {level for text in texts if (level := self._level(column, text))}
        healthy = {word for word, role in self.study.roles.items() if role == "control"}
        return any(word_of(text) in {*words, *healthy} for text in told)

    def _known_group(self, word: str | None) -> str | None:
        """Return the group that a word means, None where it is none of those that are known."""
        try:
            return self._group(word) if self.study.groups else None
        except ScanError:
            return None

    def _group(self, word: str | None) -> str | None:
        """Return the group that a word means."""
        level = self._level(self.group_column, word)
        texts = [word_of(text) for text in (word, level) if text]
        groups, key = self.study.groups, self.study.key
        if groups is None:
            role = next(
                (self.study.roles[text] for text in texts if text in self.study.roles), None
            )
            return role or word
        if word is None:
            raise ScanError(f"no group in {self.path}, column {self.group_column}")
        found = next((groups[text] for text in texts if text in groups), None)
        first = next(iter(groups))
        if found is None and self.study.listed and self.study.roles.get(first) == "control":
            healthy = any(self.study.roles.get(text) == "control" for text in texts)
            found = groups[first] if healthy else None
        if found is None:
            said = f"{word!r}" + (f" ({level})" if level else "")
            wanted = ", ".join(dict.fromkeys(groups.values()))
            raise ScanError(
                f"group {said} is not among {key}.groups ({wanted}); if it is meant, map it: "
                f"{{{word}: GROUP}}"
            )
        return found

    def _role(
        self, subject: str, own: tuple[BidsTable, int] | None, word: str | None, group: str | None
    ) -> str | None:
        """Return control or patient: of the column role, else of the group."""
        said, _ = self._told(subject, own, ["role"])
        column = self.table.column(["role"]) if self.table else None
        told = (said, self._level(column, said), word, self._level(self.group_column, word), group)
        roles = self.study.roles
        role = next(
            (roles[word_of(text)] for text in told if text and word_of(text) in roles), None
        )
        if role is None and self.study.roles_given:
            raise ScanError(
                f"{(said or word)!r} is neither a control nor a patient of {self.study.key}.roles"
            )
        return role

    def _lesion(self, subject: str, own: tuple[BidsTable, int] | None) -> str | None:
        """Return the region of a lesion, of the configuration or of a column."""
        lesions = self.study.lesions
        if isinstance(lesions, Mapping):
            return lesions.get(subject)
        if lesions and not is_pattern(lesions):
            if self.table is not None and self.table.column([lesions]) is None:
                raise InputError(
                    f"{self.study.key}.lesions: {lesions!r} is neither a pattern of file names nor "
                    f"a column of {self.path}"
                )
            return self._told(subject, own, [lesions])[0]
        return None


def is_pattern(lesions: str) -> bool:
    """Tell a pattern of file names from the name of a column."""
    return any(mark in lesions for mark in "*?/[") or lesions.endswith((".nii", ".nii.gz"))
