"""The cohort table of the anomaly study, from a BIDS folder of controls and patients (part A1).

Only participants.tsv and the names of files are read, no image is opened.

    participants.tsv                               participant_id, group (or role), age, sex
    sub-<label>/[ses-<label>/]anat/*_T1w.nii.gz
    sub-<label>/[ses-<label>/]pet/*_pet.nii.gz     FDG; a control without one is MRI-only
    derivatives/lesions/sub-<label>/.../*_mask.nii.gz  a patient's lesion on the grid of its T1
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from mri2pet.cohorts.adni.locate import check_names
from mri2pet.errors import InputError
from mri2pet.files import read_tsv

COLUMNS = (
    *("subject", "visit", "group", "age", "sex", "kind", "role"),
    *("mri_file", "mri_member", "pet_file", "pet_member", "lesion_file"),
)
EXCLUSION_COLUMNS = ("subject", "visit", "image_id", "modality", "stage", "reason")
ROLES = {
    "control": ("control", "controls", "healthy", "healthy control", "hc", "cn", "normal"),
    "patient": ("patient", "patients", "epilepsy", "patient with epilepsy", "case"),
}
SEXES = {"m": "M", "male": "M", "f": "F", "female": "F"}
LESIONS = "derivatives/lesions/"
NAME = re.compile(
    r"(?:derivatives/lesions/)?sub-(?P<sub>[A-Za-z0-9]+)/(?:ses-(?P<ses>[A-Za-z0-9]+)/)?"
    r"(?:anat|pet)/(?P<stem>[^/]+)_(?P<suffix>T1w|pet|mask)\.nii(?:\.gz)?"
)
KINDS = {"T1w": "MRI", "pet": "PET", "mask": "lesion mask"}
PATTERNS = ("sub-*/anat", "sub-*/pet", "sub-*/ses-*/anat", "sub-*/ses-*/pet")


def list_images(root: str | Path) -> list[str]:
    """List the T1-weighted, PET and lesion files of a BIDS folder, relative to it, sorted.

    Raises
    ------
    InputError
        There is no such folder or no scan in it.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"gan_anomaly.raw: {root} is no folder; give a BIDS folder or 'simulated'")
    found = [
        path.relative_to(root).as_posix()
        for top in ("", LESIONS)
        for pattern in PATTERNS
        for path in root.glob(f"{top}{pattern}/*.nii*")
    ]
    chosen = sorted(name for name in found if NAME.fullmatch(name))
    check_names("gan_anomaly.raw", [root, *chosen])
    if not any(name.endswith(("_T1w.nii.gz", "_T1w.nii")) for name in chosen):
        raise InputError(
            f"gan_anomaly.raw: {root} holds no sub-*/[ses-*/]anat/*_T1w.nii.gz; is it a BIDS "
            "folder?"
        )
    return chosen


def build_cohort(
    root: str | Path, participants: str | Path, images: Iterable[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the table of the study's visits, one a person, and of what is left out.

    Parameters
    ----------
    root
        The BIDS folder.
    participants
        Its participants.tsv.
    images
        As `list_images` gives them.

    Returns
    -------
    table : DataFrame
        Columns `COLUMNS`, ordered by subject; `mri_file`, `pet_file` and `lesion_file` are below
        `root`, missing where there is none, as the members always are (no archives).
    exclusions : DataFrame
        Columns `EXCLUSION_COLUMNS`, a row a file or a person.

    Raises
    ------
    InputError
        Naming the file, row and column: a column that is missing, a person twice, a role that is
        neither a control's nor a patient's; or no control with a PET, or no patient is left.
    """
    people = _people(participants)
    files: dict[str, dict[str, dict[str, list[str]]]] = defaultdict(lambda: defaultdict(dict))
    out: list[dict[str, Any]] = []
    for name in sorted(images):
        match = NAME.fullmatch(name)
        if match is None:
            continue
        suffix, subject = match["suffix"], match["sub"]
        if suffix == "pet" and "trc-" in name and "FDG" not in name.upper():
            out.append(_left_out(subject, match["ses"], "PET", f"{name}: its tracer is not FDG"))
            continue
        files[subject][match["ses"] or "bl"].setdefault(suffix, []).append(name)
    rows = []
    for subject in sorted({*people, *files}):
        if subject not in people:
            reason = f"sub-{subject} has no row in {participants}"
            out.append(_left_out(subject, None, "MRI", reason))
            continue
        row = _visit(Path(root), subject, people[subject], files.get(subject, {}), out)
        if row is not None:
            rows.append(row)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    roles = {
        "control with a T1w and a PET": (table["role"] == "control") & (table["kind"] == "paired"),
        "patient with a T1w and a PET": table["role"] == "patient",
    }
    for what, found in roles.items():
        if not found.any():
            raise InputError(f"gan_anomaly.raw: no {what} in {root}; see {participants}")
    return table, pd.DataFrame(out, columns=list(EXCLUSION_COLUMNS))


def _people(path: str | Path) -> dict[str, dict[str, Any]]:
    """Read participants.tsv: label to group, role, age and sex."""
    try:
        table = read_tsv(path, dtype=str)
    except (OSError, ValueError) as error:  # pandas' own are values' errors
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: not a readable tab-separated table ({reason})") from error
    if "participant_id" not in table:
        raise InputError(f"{path}: the column participant_id is missing")
    by = next((name for name in ("role", "group") if name in table), None)
    if by is None:
        raise InputError(f"{path}: a column group is missing that says control or patient")
    known = {text: role for role, texts in ROLES.items() for text in texts}
    people: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(table.to_dict("records"), start=2):
        where = f"{path}, line {number}"
        subject = str(row["participant_id"]).removeprefix("sub-")
        if not re.fullmatch(r"[A-Za-z0-9]+", subject):
            raise InputError(f"{where}, participant_id: {row['participant_id']} is no BIDS label")
        if subject in people:
            raise InputError(f"{where}, participant_id: sub-{subject} stands there twice")
        text = "" if pd.isna(row[by]) else str(row[by]).strip()
        role = known.get(text.lower())
        if role is None:
            raise InputError(
                f"{where}, {by}: {text or 'nothing'!r} is neither a control "
                f"({', '.join(ROLES['control'])}) nor a patient ({', '.join(ROLES['patient'])})"
            )
        sex = SEXES.get(str(row.get("sex")).strip().lower())
        people[subject] = {"group": role, "role": role, "sex": sex, "age": _age(row, where)}
    return people


def _age(row: dict[str, Any], where: str) -> float | None:
    text = row.get("age")
    if text is None or pd.isna(text):
        return None
    try:
        age = float(text)
    except ValueError:
        age = -1.0
    if not 0 < age <= 130:
        raise InputError(f"{where}, age: {text!r} is not an age in years; write n/a if unknown")
    return age


def _visit(
    root: Path,
    subject: str,
    person: dict[str, Any],
    sessions: dict[str, dict[str, list[str]]],
    out: list[dict[str, Any]],
) -> dict[str, Any] | None:
    """Choose a person's visit: the first session with what the role needs."""
    wanted = ("T1w",) if person["role"] == "control" else ("T1w", "pet")
    complete = sorted(
        (name for name, own in sessions.items() if all(key in own for key in wanted)),
        key=lambda name: ("pet" not in sessions[name], name),
    )
    if not complete:
        needs = " and ".join("T1w" if key == "T1w" else "PET" for key in wanted)
        reason = f"no session of sub-{subject}, a {person['role']}, has a {needs}"
        out.append(_left_out(subject, None, "MRI", reason))
        return None
    visit, chosen = complete[0], {}
    for session, own in sorted(sessions.items()):
        for suffix, names in sorted(own.items()):
            if session == visit:
                chosen[suffix] = names[0]
            others = names[1:] if session == visit else names
            for name in others:
                reason = f"{name}: one {KINDS[suffix]} a person is used, that of session {visit}"
                out.append(_left_out(subject, session, KINDS[suffix], reason))
    path = {suffix: (root / name).as_posix() for suffix, name in chosen.items()}
    lesion = path.get("mask") if person["role"] == "patient" else None
    return {
        "subject": subject,
        "visit": visit,
        **person,
        "kind": "paired" if "pet" in path else "mri_only",
        "mri_file": path["T1w"],
        "pet_file": path.get("pet"),
        "lesion_file": lesion,
    }


def _left_out(subject: str, visit: str | None, modality: str, reason: str) -> dict[str, Any]:
    row = {"subject": subject, "visit": visit, "modality": modality, "reason": reason}
    return row | {"image_id": None, "stage": "cohort"}


LOOKED_FOR = "a BIDS dataset"


def recognise(raw):
    """Say by what a folder is a BIDS dataset."""
    return "participants.tsv" if (Path(raw) / "participants.tsv").is_file() else None


def list_inputs(raw, study):
    """List the table of participants and the scans."""
    return {"tables": [f"{raw}/participants.tsv"], "listing": list_images(raw)}


def read(raw, study, listing):
    """Make the cohort table."""
    table, out = build_cohort(raw, f"{raw}/participants.tsv", listing)
    table["tracer"] = table["kind"].map({"paired": "18FFDG"})
    return table, out
