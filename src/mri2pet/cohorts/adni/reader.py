"""ADNI's reader: from the tables of a download to the cohort table and its exclusions."""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mri2pet.cohorts.adni.csv_tables import ExamRow, read_tables
from mri2pet.cohorts.adni.groups import (
    GROUPS,
    admitted,
    age_at,
    group_at,
    normalise_sex,
)
from mri2pet.cohorts.adni.locate import PTID, check_raw_folder
from mri2pet.cohorts.adni.matching import choose_mri, days_between, match_pet
from mri2pet.cohorts.adni.scans import (
    Exclusion,
    Scan,
    excluded,
    readable_scans,
    subject_label,
)
from mri2pet.cohorts.adni.visits import normalise_visit
from mri2pet.cohorts.contract import COLUMNS, EXCLUSION_COLUMNS, MAX_DAYS_APART
from mri2pet.errors import InputError, ScanError

log = logging.getLogger(__name__)

COHORT_COLUMNS = (*COLUMNS, "mri_date", "pet_date", "days_apart")
TRACER = "18FFDG"
LOOKED_FOR = (
    "an ADNI download: one folder a participant (011_S_0005) and, beside them, the collection's "
    "CSV and ADNIMERGE.csv"
)


def recognise(raw: str | Path) -> str | None:
    """Say by what a folder is an ADNI download: its participants; None if it is none."""
    found = [entry.name for entry in Path(raw).iterdir() if PTID.fullmatch(entry.name)]
    return f"{len(found)} participants' folders named as {min(found)}" if found else None


def list_inputs(raw: str | Path, study: Mapping[str, Any]) -> dict[str, Any]:
    """List the CSV files at the top of a download, and check that it is one.

    Raises
    ------
    InputError
        It is no download of ADNI's, or a group that is asked for is none of ADNI's.
    """
    tables = sorted(path for path in Path(raw).glob("*.[cC][sS][vV]"))
    check_raw_folder(raw, tables)
    check_groups(study)
    return {"tables": [str(path) for path in tables], "listing": []}


def check_groups(study: Mapping[str, Any]) -> None:
    """Refuse a group that no visit of ADNI can have."""
    for group in study.get("groups", ()):
        if group not in GROUPS:
            raise InputError(
                f"studies.{study['name']}.groups: {group} is none of ADNI's ({', '.join(GROUPS)})"
            )


def read(
    raw: str | Path, study: Mapping[str, Any], listing: Sequence[str] = ()
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the cohort table of a download and the table of what is left out.

    Parameters
    ----------
    raw
        Top of the download.
    study
        Its block of the configuration, with its `name`; `simulated` if the participants' folders
        need not be there yet.
    listing
        Nothing: the tables say which scans there are.

    Returns
    -------
    As `build_cohort`; `mri_file` and `pet_file` are the participant's folder.
    """
    check_groups(study)
    groups = study.get("groups", GROUPS)
    cohort, exclusions = build_cohort(
        sorted(Path(raw).glob("*.[cC][sS][vV]")),
        groups=list(groups),
        max_days_apart=study.get("max_days_apart", MAX_DAYS_APART),
        exclude=study.get("exclude", ()),
        raw=None if study.get("simulated") else raw,
        mri_alone=bool(study.get("mri_alone")),
    )
    for name in ("mri_file", "pet_file"):
        cohort[name] = cohort[name].map(lambda ptid: f"{raw}/{ptid}", na_action="ignore")
    if isinstance(groups, Mapping):
        cohort["group"] = cohort["group"].map(groups)
    return cohort, exclusions


def build_cohort(
    tables: Iterable[str | Path],
    groups: Sequence[str],
    max_days_apart: int,
    exclude: Sequence[str] = (),
    raw: str | Path | None = None,
    mri_alone: bool = False,
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
    mri_alone
        Whether everybody with an MRI is taken: PET is not looked at, and a group that is not known
        keeps nobody out.

    Returns
    -------
    cohort : DataFrame
        One row a visit, ordered by subject and date of the MRI; columns `COHORT_COLUMNS`;
        `mri_file` and `pet_file` are the participant's folder, from `raw`.
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
    if mri_alone:
        scans = [scan for scan in scans if scan.modality == "MRI"]
        exclusions = [entry for entry in exclusions if entry.modality == "MRI"]
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
            reason = "left out by the study's setting exclude"
        elif raw is not None and not (Path(raw) / ptid).is_dir():
            reason = f"no folder {ptid} in the raw folder"
        if reason:
            exclusions += [excluded(scan, reason) for scan in scans_of[ptid]]
            continue
        out = {visit for subject, visit in visits_out if subject == ptid}
        visits, dropped = _visits(
            scans_of[ptid], exams_of[ptid], frozenset(groups), max_days_apart, out, mri_alone
        )
        rows += visits
        exclusions += dropped
    for entry in sorted((subjects_out | {ptid for ptid, _ in visits_out}) - set(scans_of)):
        log.warning("exclude: the tables list no usable scan of %s", entry)
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
    """Split the setting `exclude` into subjects and (subject, visit label)."""
    subjects, visits = set(), set()
    for entry in entries:
        ptid, slash, visit = str(entry).partition("/")
        label = normalise_visit(visit)
        if not PTID.fullmatch(ptid) or (slash and not label):
            raise InputError(
                f"exclude: {entry!r} is neither a participant (011_S_0005) nor a visit "
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
    mri_alone: bool,
) -> tuple[list[dict[str, Any]], list[Exclusion]]:
    """Make the rows of one subject."""
    dropped = [
        excluded(scan, "left out by the study's setting exclude")
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
            listed = mri.group or (pet.group if pet else None)
            group = group_at(exams, mri.visit, mri.acquired, listed, max_days)
        except ScanError as error:
            if not mri_alone:
                dropped += [excluded(scan, str(error)) for scan in (mri, pet) if scan]
                continue
            group = None
        if mri.group and group != mri.group:
            log.info(
                "%s %s: group %s at the visit (ADNIMERGE) goes before %s (collection)",
                mri.subject, mri.visit, group, mri.group,
            )  # fmt: skip
        own = admitted(group, groups)
        if own is None and not mri_alone:
            reason = (
                f"group {group} is not among the study's groups"
                if group
                else f"unknown {mri.unknown}, and no diagnosis in ADNIMERGE"
                if mri.unknown
                else "no diagnosis in the collection or in ADNIMERGE"
            )
            dropped += [excluded(scan, reason) for scan in (mri, pet) if scan]
            continue
        rows.append(_row(mri, pet, own, exams))
    return rows, dropped


def _row(mri: Scan, pet: Scan | None, group: str | None, exams: list[ExamRow]) -> dict[str, Any]:
    """Make one row of the cohort table."""
    return {
        "subject": subject_label(mri.ptid),
        "visit": mri.visit,
        "group": group,
        "age": age_at(exams, mri.acquired, mri.age, mri.visit),
        "sex": mri.sex or normalise_sex(exam.sex for exam in exams),
        "kind": "paired" if pet else "mri_only",
        "tracer": TRACER if pet else None,
        "mri_file": mri.ptid,
        "mri_member": str(mri.image_id),
        "mri_date": mri.acquired.isoformat(),
        "pet_file": pet.ptid if pet else None,
        "pet_member": str(pet.image_id) if pet else None,
        "pet_date": pet.acquired.isoformat() if pet else None,
        "days_apart": days_between(mri, pet) if pet else None,
    }
