"""From rows of a collection to scans that can be told apart, named and compared."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from mri2pet.cohorts.adni.csv_tables import ImageRow, examination_date, printable
from mri2pet.cohorts.adni.groups import normalise_group, normalise_sex
from mri2pet.cohorts.adni.locate import PTID
from mri2pet.cohorts.adni.same_image import agreed_row, is_original, modality_of
from mri2pet.cohorts.adni.visits import normalise_visit
from mri2pet.cohorts.tracers import named_tracers
from mri2pet.errors import ScanError

STAGE = "cohort"

_T1 = re.compile(r"MP[ _-]*RAGE|\bMPR\b|MPR[-_]|\bMT1\b|F?SPGR|(?<![A-Z0-9])T1(?![0-9])", re.I)
_NOT_T1 = re.compile(r"mask|localizer|localiser|scout|calibration|\bcal\b|hippo|T2|flair", re.I)
OTHER_TRACER = re.compile(
    r"AV[ _-]?45|AV[ _-]?1451|florbeta|flutemetamol|FBB|FBP|PIB|\bTAU\b|flortaucipir|MK[ _-]?6240"
    r"|PI[ _-]?2620|NAV[ _-]?4694|amyloid",
    re.I,
)
_FDG = re.compile(r"FDG(?!al\b)|^\W*co-?reg", re.I)  # ADNI-1 names no tracer in what it processed
_NOT_PET = re.compile(r"transmission|\bCT\b|scout|mask", re.I)
_PET_CT = re.compile(r"PET\s*[-/+&,]?\s*CT\b|\bCT\s*[-/+&]?\s*PET", re.I)  # the scanner's kind
_PHANTOM = re.compile(r"phantom", re.I)


@dataclass(frozen=True)
class Scan:
    """One usable image of the collection.

    Attributes
    ----------
    group
        The collection's group, or None where it is blank or unknown.
    unknown
        What it says there in place of a group, and where; empty for nothing.
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
    unknown: str
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
                    subject_label(row.subject) if known else printable(row.subject),
                    normalise_visit(row.visit) or printable(row.visit),
                    printable(image_id),
                    printable(row.modality),
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
        raise ScanError(f"image ID {printable(image_id)!r} is not a number ({row.where})")
    row = agreed_row(rows)
    if not PTID.fullmatch(row.subject):
        raise ScanError(
            f"subject {printable(row.subject)!r} is not an ADNI participant ID such as "
            f"011_S_0005 ({row.where})"
        )
    visit = normalise_visit(row.visit)
    if visit is None:
        raise ScanError(f"visit {printable(row.visit)!r} cannot be used as a label ({row.where})")
    modality = modality_of(row.modality)
    if modality is None:
        raise ScanError(f"modality {printable(row.modality)!r} is neither MRI nor PET")
    acquired = examination_date(row.acquired)
    if acquired is None:
        raise ScanError(
            f"acquisition date {printable(row.acquired)!r} is neither M/D/YYYY nor YYYY-MM-DD, "
            f"or not of 1980 to 2100 ({row.where})"
        )
    group = normalise_group(row.group)
    unknown = "" if group or not row.group else f"group {printable(row.group)!r} ({row.where})"
    if _PHANTOM.search(row.group):
        raise ScanError(f"unknown {unknown}")
    standing = _t1_standing(row) if modality == "MRI" else _pet_standing(row)
    return Scan(
        ptid=row.subject,
        subject=subject_label(row.subject),
        visit=visit,
        image_id=int(image_id),
        modality=modality,
        acquired=acquired,
        group=group,
        unknown=unknown,
        sex=normalise_sex([row.sex]),
        age=row.age,
        standing=standing,
    )


def _t1_standing(row: ImageRow) -> int:
    """Originals go before processed ones (this workflow corrects by itself), repeats come last."""
    text = row.description
    if not _T1.search(text) or _NOT_T1.search(text):
        raise ScanError(f"{printable(text)!r} is not a T1-weighted MPRAGE or IR-SPGR")
    original = is_original(row.type) and ";" not in text
    repeat = re.search(r"repeat|MPR-R|[ _-]R(?:PT)?$", text, re.I)
    return 2 * original + (not repeat)


def _pet_standing(row: ImageRow) -> int:
    """Order ADNI's processing steps of an FDG scan: the further processed, the better."""
    text = row.description
    if _NOT_PET.search(_PET_CT.sub("PET", text.replace("_", " "))):
        raise ScanError(f"{printable(text)!r} is not an emission scan")
    named = named_tracers(text)
    fdg = "FDG" in named or "fdg" in text.lower()
    others = re.sub(r"\bFBP\b", "", text) if fdg else text  # filtered back projection of FDG
    if OTHER_TRACER.search(others) or named - {"FDG"}:
        raise ScanError(f"tracer: {printable(text)!r} is not FDG")
    if "FDG" not in named and not _FDG.search(text):
        raise ScanError(f"tracer: {printable(text)!r} does not say that it is FDG")
    steps = (r"co-?reg", r"av(?:erage|g)", r"std|standardi[sz]ed", r"uniform")
    return sum(bool(re.search(step, text, re.I)) for step in steps)
