"""From rows of a collection to scans that can be told apart, named and compared."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date

from mri2pet.cohorts.adni.csv_tables import ImageRow, examination_date
from mri2pet.cohorts.adni.groups import normalise_group, normalise_sex, normalise_visit
from mri2pet.cohorts.adni.locate import PTID
from mri2pet.errors import ScanError

STAGE = "cohort"

_T1 = re.compile(r"MP[ _-]*RAGE|\bMPR\b|MPR[-_]|\bMT1\b|F?SPGR|(?<![A-Z0-9])T1(?![0-9])", re.I)
_NOT_T1 = re.compile(r"mask|localizer|localiser|scout|calibration|\bcal\b|hippo|T2|flair", re.I)
OTHER_TRACER = re.compile(
    r"AV[ _-]?45|AV[ _-]?1451|florbeta|flutemetamol|FBB|FBP|PIB|\bTAU\b|flortaucipir|MK[ _-]?6240"
    r"|PI[ _-]?2620|NAV[ _-]?4694|amyloid",
    re.I,
)
_FDG = re.compile(r"FDG|^\W*co-?reg", re.I)  # ADNI-1 names no tracer in its processed FDG scans
_NOT_PET = re.compile(r"transmission|\bCT\b|scout|mask", re.I)


@dataclass(frozen=True)
class Scan:
    """One usable image of the collection.

    Attributes
    ----------
    group
        The collection's group, or None where it is blank.
    age
        The collection's text.
    standing
        How far the scan is preferred over another of the same visit (larger is better).
    """

    ptid: str
    subject: str
    visit: str
    image_id: int
    modality: str
    acquired: date
    group: str | None
    sex: str | None
    age: str
    standing: int


@dataclass(frozen=True)
class Exclusion:
    """One image, or a whole subject, that is left out, and why."""

    subject: str
    visit: str
    image_id: str
    modality: str
    reason: str
    stage: str = STAGE


def subject_label(ptid: str) -> str:
    """Turn a PTID (`011_S_0005`) into a BIDS label (`011S0005`)."""
    return ptid.replace("_", "")


def readable_scans(rows: Iterable[ImageRow]) -> tuple[list[Scan], list[Exclusion]]:
    """Turn rows into scans: equal rows collapse, rows that cannot be used become exclusions."""
    by_image: defaultdict[str, list[ImageRow]] = defaultdict(list)
    for row in rows:
        by_image[_image_key(row.image_id)].append(row)
    scans, exclusions = [], []
    for image_id, listed in by_image.items():
        try:
            scans.append(_scan(image_id, listed))
        except ScanError as error:
            row = listed[0]
            known = PTID.fullmatch(row.subject)
            exclusions.append(
                Exclusion(
                    subject_label(row.subject) if known else _printable(row.subject),
                    normalise_visit(row.visit) or _printable(row.visit),
                    _printable(image_id),
                    _printable(row.modality),
                    str(error),
                )
            )
    return scans, exclusions


def _image_key(text: str) -> str:
    """One key for all spellings of an image ID: I123, 123, 00123."""
    key = text.strip().upper().removeprefix("I")
    return str(int(key)) if re.fullmatch(r"[0-9]{1,12}", key) else key


def excluded(scan: Scan, reason: str) -> Exclusion:
    """Leave out a scan."""
    return Exclusion(scan.subject, scan.visit, str(scan.image_id), scan.modality, reason)


def _scan(image_id: str, rows: list[ImageRow]) -> Scan:
    """Check and normalise what the collection says of one image."""
    row = rows[0]
    if not re.fullmatch(r"[0-9]{1,12}", image_id):
        raise ScanError(f"image ID {_printable(image_id)!r} is not a number ({row.where})")
    _agree(rows)
    if not PTID.fullmatch(row.subject):
        raise ScanError(
            f"subject {_printable(row.subject)!r} is not an ADNI participant ID such as "
            f"011_S_0005 ({row.where})"
        )
    visit = normalise_visit(row.visit)
    if visit is None:
        raise ScanError(f"visit {_printable(row.visit)!r} cannot be used as a label ({row.where})")
    modality = {"mri": "MRI", "mr": "MRI", "pet": "PET", "pt": "PET"}.get(row.modality.lower())
    if modality is None:
        raise ScanError(f"modality {_printable(row.modality)!r} is neither MRI nor PET")
    acquired = examination_date(row.acquired)
    if acquired is None:
        raise ScanError(
            f"acquisition date {_printable(row.acquired)!r} is neither M/D/YYYY nor YYYY-MM-DD, "
            f"or not of 1980 to 2100 ({row.where})"
        )
    group = normalise_group(row.group)
    if group is None and row.group:
        raise ScanError(f"unknown group {_printable(row.group)!r} ({row.where})")
    standing = _t1_standing(row) if modality == "MRI" else _pet_standing(row)
    return Scan(
        ptid=row.subject,
        subject=subject_label(row.subject),
        visit=visit,
        image_id=int(image_id),
        modality=modality,
        acquired=acquired,
        group=group,
        sex=normalise_sex([row.sex]),
        age=row.age,
        standing=standing,
    )


def _agree(rows: list[ImageRow]) -> None:
    """Refuse an image that is listed twice with different contents."""
    for name in asdict(rows[0]).keys() - {"image_id", "where"}:
        values = {str(getattr(row, name)): row.where for row in rows}
        if len(values) > 1:
            raise ScanError(
                f"listed {len(rows)} times with different {name}: "
                + "; ".join(f"{_printable(value)!r} ({where})" for value, where in values.items())
            )


def _t1_standing(row: ImageRow) -> int:
    """Originals go before processed ones (this workflow corrects by itself), repeats come last."""
    text = row.description
    if not _T1.search(text) or _NOT_T1.search(text):
        raise ScanError(f"{_printable(text)!r} is not a T1-weighted MPRAGE or IR-SPGR")
    original = row.type.lower() != "processed" and ";" not in text
    repeat = re.search(r"repeat|MPR-R|[ _-]R(?:PT)?$", text, re.I)
    return 2 * original + (not repeat)


def _pet_standing(row: ImageRow) -> int:
    """Order ADNI's processing steps of an FDG scan: the further processed, the better."""
    text = row.description
    if _NOT_PET.search(text):
        raise ScanError(f"{_printable(text)!r} is not an emission scan")
    if OTHER_TRACER.search(text):
        raise ScanError(f"tracer: {_printable(text)!r} is not FDG")
    if not _FDG.search(text):
        raise ScanError(f"tracer: {_printable(text)!r} does not say that it is FDG")
    steps = (r"co-?reg", r"av(?:erage|g)", r"std|standardi[sz]ed", r"uniform")
    return sum(bool(re.search(step, text, re.I)) for step in steps)


def _printable(text: str, longest: int = 80) -> str:
    """Make a text from a table safe to print on one line."""
    text = re.sub(r"[^ -~]", "?", text)
    return text if len(text) <= longest else f"{text[:longest]}..."
