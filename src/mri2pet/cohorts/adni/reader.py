"""ADNI's reader: from the tables of a download to the cohort table and its exclusions."""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mri2pet.cohorts.adni.csv_tables import ExamRow, read_tables
from mri2pet.cohorts.adni.groups import admitted, age_at, group_at, normalise_sex, normalise_visit
from mri2pet.cohorts.adni.locate import PTID, check_raw_folder
from mri2pet.cohorts.adni.matching import choose_mri, days_between, match_pet
from mri2pet.cohorts.adni.scans import (
    EXCLUSION_COLUMNS,
    Exclusion,
    Scan,
    excluded,
    readable_scans,
    subject_label,
)
from mri2pet.errors import InputError, ScanError

log = logging.getLogger(__name__)

COHORT_COLUMNS = (
    "subject",
    "ptid",
    "visit",
    "group",
    "age",
    "sex",
    "mri_image_id",
    "mri_date",
    "pet_image_id",
    "pet_date",
    "days_apart",
    "kind",
)


def build_cohort(
    tables: Iterable[str | Path],
    groups: Sequence[str],
    max_days_apart: int,
    exclude: Sequence[str] = (),
    raw: str | Path | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the cohort table from ADNI's tables alone: no image is opened.

    Parameters
    ----------
    tables
        CSV files at the top of the download: collections and ADNIMERGE (see `read_tables`).
    groups
        Diagnostic groups to keep, of CN SMC EMCI MCI LMCI AD; MCI takes in EMCI and LMCI unless
        these are named.
    max_days_apart
        Largest number of days between the MRI and the FDG-PET of one visit.
    exclude
        Subjects (`011_S_0005`) and visits (`011_S_0005/m12`) to leave out.
    raw
        Folder of the download, to leave out subjects without a folder in it (None: not checked).

    Returns
    -------
    cohort : DataFrame
        One row a visit, ordered by subject and date of the MRI; columns `COHORT_COLUMNS`.
    exclusions : DataFrame
        One row an image that is left out; columns `EXCLUSION_COLUMNS`.

    Raises
    ------
    InputError
        A table or setting is wrong, or no visit can be used.
    """
    tables = list(tables)
    if raw is not None:
        check_raw_folder(raw, tables)
    subjects_out, visits_out = _read_exclude(exclude)
    images, exams = read_tables(tables)
    scans, exclusions = readable_scans(images)
    exams_of: defaultdict[str, list[ExamRow]] = defaultdict(list)
    for exam in exams:
        exams_of[exam.ptid].append(exam)
    scans_of: defaultdict[str, list[Scan]] = defaultdict(list)
    for scan in scans:
        scans_of[scan.ptid].append(scan)

    rows: list[dict[str, Any]] = []
    for ptid in sorted(scans_of):
        reason = None
        if ptid in subjects_out:
            reason = "left out by the setting cohort.exclude"
        elif raw is not None and not (Path(raw) / ptid).is_dir():
            reason = f"no folder {ptid} in the raw folder"
        if reason:
            exclusions += [excluded(scan, reason) for scan in scans_of[ptid]]
            continue
        out = {visit for subject, visit in visits_out if subject == ptid}
        visits, dropped = _visits(
            scans_of[ptid], exams_of[ptid], frozenset(groups), max_days_apart, out
        )
        rows += visits
        exclusions += dropped
    for entry in sorted((subjects_out | {ptid for ptid, _ in visits_out}) - set(scans_of)):
        log.warning("cohort.exclude: the tables list no usable scan of %s", entry)
    table = exclusions_table(exclusions)
    if not rows:
        counts = Counter(table["reason"]).most_common(8)
        listed = "".join(f"\n  {count} x {reason}" for reason, count in counts)
        raise InputError(
            f"no usable visit among {len(images)} images listed in "
            f"{', '.join(str(path) for path in tables)}; left out:{listed or ' nothing'}"
        )
    cohort = pd.DataFrame(rows, columns=list(COHORT_COLUMNS))
    return cohort.astype({"days_apart": "Int64", "age": "Float64"}), table


def exclusions_table(exclusions: Iterable[Exclusion]) -> pd.DataFrame:
    """Order exclusions into a table."""
    rows = [[getattr(entry, name) for name in EXCLUSION_COLUMNS] for entry in exclusions]
    return pd.DataFrame(sorted(rows), columns=list(EXCLUSION_COLUMNS), dtype=str)


def _read_exclude(entries: Sequence[str]) -> tuple[set[str], set[tuple[str, str]]]:
    """Split `cohort.exclude` into subjects and (subject, visit label)."""
    subjects, visits = set(), set()
    for entry in entries:
        ptid, slash, visit = str(entry).partition("/")
        label = normalise_visit(visit)
        if not PTID.fullmatch(ptid) or (slash and not label):
            raise InputError(
                f"cohort.exclude: {entry!r} is neither a participant (011_S_0005) nor a visit "
                "(011_S_0005/m12)"
            )
        if slash:
            visits.add((ptid, label))
        else:
            subjects.add(ptid)
    return subjects, visits


def _visits(
    scans: list[Scan],
    exams: list[ExamRow],
    groups: frozenset[str],
    max_days: int,
    visits_out: set[str],
) -> tuple[list[dict[str, Any]], list[Exclusion]]:
    """Make the rows of one subject."""
    dropped = [
        excluded(scan, "left out by the setting cohort.exclude")
        for scan in scans
        if scan.visit in visits_out
    ]
    scans = [scan for scan in scans if scan.visit not in visits_out]
    pets = [scan for scan in scans if scan.modality == "PET"]
    mris, repeats = choose_mri([scan for scan in scans if scan.modality == "MRI"], pets)
    pairs, left_over = match_pet(mris, pets, max_days)
    dropped += [excluded(scan, reason) for scan, reason in (repeats | left_over).items()]
    rows = []
    for mri in mris:
        pet = pairs.get(mri)
        try:
            group = group_at(exams, mri.visit, mri.acquired, mri.group, max_days)
        except ScanError as error:
            dropped += [excluded(scan, str(error)) for scan in (mri, pet) if scan]
            continue
        if mri.group and group != mri.group:
            log.info(
                "%s %s: group %s at the visit (ADNIMERGE) goes before %s (collection)",
                mri.subject, mri.visit, group, mri.group,
            )  # fmt: skip
        own = admitted(group, groups)
        if own is None:
            reason = (
                f"group {group} is not among cohort.groups"
                if group
                else "no diagnosis in the collection or in ADNIMERGE"
            )
            dropped += [excluded(scan, reason) for scan in (mri, pet) if scan]
            continue
        rows.append(_row(mri, pet, own, exams))
    return rows, dropped


def _row(mri: Scan, pet: Scan | None, group: str, exams: list[ExamRow]) -> dict[str, Any]:
    """Make one row of the cohort table."""
    return {
        "subject": subject_label(mri.ptid),
        "ptid": mri.ptid,
        "visit": mri.visit,
        "group": group,
        "age": age_at(exams, mri.acquired, mri.age),
        "sex": mri.sex or normalise_sex(exam.sex for exam in exams),
        "mri_image_id": str(mri.image_id),
        "mri_date": mri.acquired.isoformat(),
        "pet_image_id": str(pet.image_id) if pet else None,
        "pet_date": pet.acquired.isoformat() if pet else None,
        "days_apart": days_between(mri, pet) if pet else None,
        "kind": "paired" if pet else "mri_only",
    }
