"""The reader of a BIDS folder with MRI and PET: from names and tables to the cohort table.

No image is opened. docs/data.md says what the folder must and may hold.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mri2pet.cohorts.adni.locate import check_names
from mri2pet.cohorts.bids.bids_folder import (
    LOOKED_FOR,
    NOT_FETCHED,
    check_folder,
    is_lesion,
    list_images,
    list_tables,
    recognise,
)
from mri2pet.cohorts.bids.bids_names import BidsImage, read_lesion_name, read_name
from mri2pet.cohorts.bids.bids_people import People, is_pattern
from mri2pet.cohorts.bids.bids_settings import BidsStudy, pet_window, read_settings
from mri2pet.cohorts.bids.bids_visits import EXTRA_COLUMNS, PersonScans, person_visits
from mri2pet.cohorts.contract import COLUMNS, EXCLUSION_COLUMNS
from mri2pet.cohorts.fetched import absent
from mri2pet.errors import InputError, ScanError

__all__ = ["LOOKED_FOR", "list_inputs", "pet_settings", "read", "recognise"]

log = logging.getLogger(__name__)


def pet_settings(study: Mapping[str, Any]) -> dict[str, Any]:
    """Return the label of the tracer that a study asks for, and the window of a dynamic PET."""
    return {"tracer": read_settings(study).tracer.label, "window": pet_window(study)}


def list_inputs(raw: Path, study: Mapping[str, Any]) -> dict[str, list[str]]:
    """List what the cohort of a study is made of.

    Parameters
    ----------
    raw
        The BIDS folder.
    study
        The study's block of the configuration, with its `name`.

    Returns
    -------
    dict
        `tables`: paths of tables and JSON files; `listing`: images and JSON files below `raw`,
        sorted, for `read`.

    Raises
    ------
    InputError
        The folder is no raw BIDS dataset, or has no T1-weighted MRI.
    """
    raw, settings = Path(raw), read_settings(study)
    pet_window(study)
    key = f"{settings.key}.raw"
    check_folder(raw, key)
    listing = list_images(raw, _pattern(settings))
    check_names(key, [raw, *listing])
    images = (_image(name.removesuffix(NOT_FETCHED), None)[0] for name in listing)
    if not any(image and image.kind == "MRI" for image in images):
        raise InputError(f"{key}: {raw} holds no sub-*/[ses-*/]anat/*_T1w.nii.gz; is it complete?")
    return {"tables": list_tables(raw), "listing": listing}


def read(
    raw: Path, study: Mapping[str, Any], listing: Iterable[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the cohort table of a BIDS folder and its exclusions.

    Parameters
    ----------
    raw
        The BIDS folder.
    study
        The study's block of the configuration: `name`, and of `groups`, `group_column`, `roles`,
        `tracer`, `sessions`, `max_days_apart`, `exclude`, `lesions` what is given.
    listing
        As `list_inputs` gives it.

    Returns
    -------
    table : DataFrame
        One row a visit, ordered by subject and visit; `COLUMNS`, then those of `EXTRA_COLUMNS` of
        which something is known. Files are below `raw`; age in years.
    exclusions : DataFrame
        Columns `EXCLUSION_COLUMNS`, a row a file or a person.

    Raises
    ------
    InputError
        A table or a setting is wrong, no PET names a tracer, or no visit can be used.
    """
    raw, settings = Path(raw), read_settings(study)
    out: list[dict[str, Any]] = []
    if settings.mri_alone:
        listing = [name for name in listing if "/pet/" not in name]
    scans = _scans(raw, settings, listing, out)
    people = People(raw, settings)
    rows: list[dict[str, Any]] = []
    known = {*people.numbers, *scans}
    named = settings.subjects_out | {subject for subject, _ in settings.visits_out}
    for subject in sorted(named - known):
        log.warning("%s.exclude: there is no sub-%s in %s", settings.key, subject, raw)
    for subject in sorted(known):
        try:
            if subject in settings.subjects_out:
                raise ScanError(f"left out by the setting {settings.key}.exclude")
            people.check(subject)
        except ScanError as error:
            out.append(_left_out(subject, None, "MRI", str(error)))
            continue
        own = scans.get(subject, PersonScans(subject))
        visits, dropped = person_visits(raw, own, people, settings)
        rows += visits
        out += [_left_out(subject, *entry) for entry in dropped]
    exclusions = pd.DataFrame(out, columns=list(EXCLUSION_COLUMNS), dtype=object)
    _check_result(raw, settings, rows, exclusions)
    extra = [name for name in EXTRA_COLUMNS if any(row.get(name) is not None for row in rows)]
    table = pd.DataFrame(rows, columns=[*COLUMNS, *extra], dtype=object)
    table = table.where(table.notna(), None)
    types = {"age": "Float64", "days_apart": "Int64"}
    return table.astype({k: v for k, v in types.items() if k in table}), exclusions


def _scans(
    raw: Path, settings: BidsStudy, listing: Iterable[str], out: list[dict[str, Any]]
) -> dict[str, PersonScans]:
    """Sort the listed images by person; what cannot be one is left out."""
    scans: dict[str, PersonScans] = {}
    sessions: dict[str, set[str]] = defaultdict(set)
    pattern = _pattern(settings)
    for entry in sorted(listing):
        name = entry.removesuffix(NOT_FETCHED)
        image, reason = _image(name, pattern)
        if image is None and reason is None:
            continue
        subject = image.subject if image else name.partition("sub-")[2].partition("/")[0]
        modality = image.kind if image else "PET" if "/pet/" in name else "MRI"
        if name != entry:
            reason = f"{name}: {absent(raw / name) or 'its content was not fetched'}"
        if image is None or reason:
            visit = image.visit if image else None
            out.append(_left_out(subject, visit, modality, str(reason)))
            continue
        scans.setdefault(subject, PersonScans(subject)).add(image)
        sessions[image.visit].add(subject)
    if settings.sessions and not settings.sessions & set(sessions):
        there = ", ".join(sorted(sessions)) or "none"
        raise InputError(
            f"{settings.key}.sessions: none of {', '.join(sorted(settings.sessions))} is in {raw}; "
            f"its sessions are {there}"
        )
    return scans


def _image(name: str, pattern: str | None) -> tuple[BidsImage | None, str | None]:
    """Read a name: the image, or why it is none; neither for what is no concern of the reader."""
    if name.endswith(".json"):
        return None, None
    try:
        if is_lesion(name, pattern):
            return read_lesion_name(name), None
        image = read_name(name)
    except ScanError as error:
        return None, str(error)
    return (None if image and image.kind == "lesion mask" else image), None


def _pattern(settings: BidsStudy) -> str | None:
    lesions = settings.lesions
    return lesions if isinstance(lesions, str) and is_pattern(lesions) else None


def _check_result(
    raw: Path, settings: BidsStudy, rows: list[dict[str, Any]], exclusions: pd.DataFrame
) -> None:
    """Stop where nothing is left, or no PET says what it is; else log what was made."""
    untold = exclusions["reason"].str.contains("names no tracer")
    if untold.any() and not any(row["pet_file"] for row in rows):
        raise InputError(
            f"{settings.key}.tracer: {exclusions['reason'][untold].iloc[0]} ({untold.sum()} PET)"
        )
    if not rows:
        reasons = exclusions["reason"].str.replace(r"^\S+: ", "", regex=True)  # without the file
        counts = Counter(reasons).most_common(8)
        listed = "".join(f"\n  {count} x {reason}" for reason, count in counts)
        raise InputError(
            f"{settings.key}.raw: no visit of {raw} can be used; left out:{listed or ' nothing'}"
        )
    kinds = Counter(row["kind"] for row in rows)
    log.info(
        "%s: %d visits with MRI and PET (%s), %d with an MRI alone",
        raw, kinds["paired"], settings.tracer.label, kinds["mri_only"],
    )  # fmt: skip


def _left_out(subject: str, visit: str | None, modality: str, reason: str) -> dict[str, Any]:
    row = {"subject": subject, "visit": visit, "modality": modality, "reason": reason}
    return row | {"image_id": None, "stage": "cohort"}
