"""The simulated dementia study as a BIDS folder: the names of its files, and its tables.

Planning is light: which files there will be follows from the people, before any scan is made.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from mri2pet.bids_output import BIDS_VERSION, GENERATED_BY
from mri2pet.cohorts.adni.scans import subject_label
from mri2pet.conversion.sidecars import PARTICIPANTS_SIDECAR
from mri2pet.files import atomic, write_json, write_tsv
from mri2pet.simulation.people import GROUPS, Person, Visit

STUDY = ("participants.tsv", "participants.json", "dataset_description.json", "README")
AGE = {"LongName": "Age in completed years", "Units": "year"}
README = """\
# Simulated brain MRI and FDG-PET of one cohort

T1-weighted MRI and FDG-PET, one folder a participant and visit. Everything is simulated by the
workflow mri2pet: no such person lives, and no number that comes of these scans speaks about
patients. participants.tsv has group, age in completed years at the first visit, and sex. Where a
participant comes twice, sub-<label>_sessions.tsv has the date and the age of each visit. The
*_scans.tsv have the time of each scan.
"""


def scan_files(person: Person, visit: Visit) -> dict[str, str]:
    """Name a visit's scans, `t1w` and, where there is one, `pet`, relative to the BIDS folder.

    A sidecar stands beside each, with the ending .json.
    """
    folder, stem = _session(person, visit)
    found = {"t1w": f"{folder}/anat/{stem}_T1w.nii.gz"}
    if visit.pet_time is not None:
        found["pet"] = f"{folder}/pet/{stem}_trc-18FFDG_pet.nii.gz"
    return found


def sessions_file(person: Person) -> str | None:
    """Name the table of a person's visits, relative to the BIDS folder; None where there is one."""
    label = subject_label(person.ptid)
    return None if len(person.visits) < 2 else f"sub-{label}/sub-{label}_sessions.tsv"


def scans_file(person: Person, visit: Visit) -> str:
    """Name the table of a visit's scans, relative to the BIDS folder."""
    folder, stem = _session(person, visit)
    return f"{folder}/{stem}_scans.tsv"


def table_files(people: Iterable[Person]) -> list[str]:
    """List what `write_bids_tables` writes, relative to the BIDS folder, `STUDY` first."""
    people = list(people)
    found = [*STUDY]
    if any(sessions_file(person) for person in people):
        found.append("sessions.json")
    for person in people:
        sessions = sessions_file(person)
        found += [] if sessions is None else [sessions]
        found += [scans_file(person, visit) for visit in person.visits]
    return found


def write_bids_tables(people: Iterable[Person], folder: str | Path) -> None:
    """Write the files of `table_files`: everything but the scans and their sidecars.

    Ages are completed years, as ADNI's collection lists them.

    Parameters
    ----------
    people
        Of `plan_people`.
    folder
        The BIDS folder; each file in it is written whole or not at all.
    """
    import pandas as pd

    people, folder = list(people), Path(folder)
    rows = [
        {
            "participant_id": f"sub-{subject_label(person.ptid)}",
            "group": person.group,
            "age": int(person.age),
            "sex": person.sex,
        }
        for person in people
    ]
    write_tsv(folder / "participants.tsv", pd.DataFrame(rows))
    write_json(folder / "participants.json", _columns())
    description = {
        "Name": "Simulated dementia study",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": GENERATED_BY,
    }
    write_json(folder / "dataset_description.json", description)
    with atomic(folder / "README") as partial:
        partial.write_text(README)
    if any(sessions_file(person) for person in people):
        write_json(folder / "sessions.json", {"age": AGE | {"Description": "Age at the visit"}})
    for person in people:
        sessions = sessions_file(person)
        if sessions is not None:
            write_tsv(folder / sessions, pd.DataFrame(_visits(person)))
        for visit in person.visits:
            write_tsv(folder / scans_file(person, visit), pd.DataFrame(_scans(person, visit)))


def _session(person: Person, visit: Visit) -> tuple[str, str]:
    """Return a visit's folder, and what the names of its files begin with."""
    label = subject_label(person.ptid)
    return f"sub-{label}/ses-{visit.code}", f"sub-{label}_ses-{visit.code}"


def _columns() -> dict[str, Any]:
    """Describe the columns of participants.tsv."""
    levels = PARTICIPANTS_SIDECAR["group"]["Levels"]
    return {
        "group": {
            "Description": "Diagnostic group",
            "Levels": {group: levels[group] for group in GROUPS},
        },
        "age": AGE | {"Description": "Age at the first visit"},
        "sex": {"Description": "Sex", "Levels": PARTICIPANTS_SIDECAR["sex"]["Levels"]},
    }


def _visits(person: Person) -> list[dict[str, Any]]:
    return [
        {
            "session_id": f"ses-{visit.code}",
            "acq_time": _time(visit.mri_time),
            "age": int(person.age_at(visit)),
        }
        for visit in person.visits
    ]


def _scans(person: Person, visit: Visit) -> list[dict[str, str]]:
    folder, _ = _session(person, visit)
    times = {"t1w": visit.mri_time, "pet": visit.pet_time}
    return [
        {"filename": name.removeprefix(f"{folder}/"), "acq_time": _time(str(times[kind]))}
        for kind, name in scan_files(person, visit).items()
    ]


def _time(text: str) -> str:
    """Write a visit's time as BIDS asks: 2010-01-31T08:30:00."""
    return datetime.fromisoformat(text).isoformat()
