"""Diagnostic groups: the many spellings in ADNI's tables, and the diagnosis at a visit."""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date

from mri2pet.cohorts.adni.csv_tables import ExamRow
from mri2pet.errors import ScanError

GROUPS = ("CN", "SMC", "EMCI", "MCI", "LMCI", "AD")  # from healthy to demented

_SPELLINGS = {
    "CN": ("cn", "nl", "nc", "hc", "normal", "control", "cognitively normal", "healthy control"),
    "SMC": ("smc", "significant memory concern"),
    "EMCI": ("emci", "early mci"),
    "MCI": ("mci", "mild cognitive impairment"),
    "LMCI": ("lmci", "late mci"),
    "AD": ("ad", "dementia", "alzheimer's disease", "alzheimers disease"),
}
_GROUP_OF = {text: group for group, texts in _SPELLINGS.items() for text in texts}


def normalise_group(text: str) -> str | None:
    """Return the group that a table's text means, or None if it is unknown.

    A conversion, as older ADNIMERGE tables write it ("MCI to Dementia"), is its end point.
    """
    words = " ".join(text.lower().split())
    return _GROUP_OF.get(words.rpartition(" to ")[2])


def normalise_visit(text: str) -> str | None:
    """Return a session label (letters and digits only), or None if the visit is unusable.

    Screening and baseline are one visit, `bl`, as in ADNIMERGE; months have two digits (`m06`).
    Everything else keeps its letters and digits, in lower case: `v02`, `init`, `4bl`, `1`.
    """
    text = text.strip().lower()
    if not re.fullmatch(r"[a-z0-9]([a-z0-9 _.-]{0,30}[a-z0-9])?", text):
        return None
    label = re.sub(r"[^a-z0-9]", "", text)
    if label in {"sc", "scmri", "screening", "baseline", "m0", "m00"}:
        return "bl"
    month = re.fullmatch(r"(?:m|month)0*(\d{1,3})", label)
    return f"m{int(month[1]):02d}" if month else label


def group_at(
    exams: Sequence[ExamRow], visit: str, on: date, fallback: str | None, max_days: int
) -> str | None:
    """Return the group of one subject at one visit.

    ADNIMERGE's diagnosis at the visit goes before the collection's `Group`, which ADNI keeps as it
    was at enrolment. The diagnosis is that of the exam of the same visit code or, failing that, of
    the exam nearest to the scan, at most `max_days` away. ADNIMERGE's three diagnoses are refined
    by the one at baseline: CN to SMC, MCI to EMCI or LMCI.

    Parameters
    ----------
    exams
        ADNIMERGE's rows of the subject.
    visit
        Session label.
    on
        Day of the scan.
    fallback
        The collection's group, used where ADNIMERGE has no diagnosis.

    Raises
    ------
    ScanError
        ADNIMERGE lists the visit more than once, with different diagnoses.
    """
    known = [(exam, normalise_group(exam.diagnosis)) for exam in exams if exam.diagnosis]
    known = [(exam, group) for exam, group in known if group]
    same = [pair for pair in known if normalise_visit(pair[0].viscode) == visit]
    near = [(abs((exam.examined - on).days), exam, g) for exam, g in known if exam.examined]
    near = [entry for entry in near if entry[0] <= max_days]
    if len({group for _, group in same}) > 1:
        told = ", ".join(dict.fromkeys(exam.diagnosis for exam, _ in same))
        raise ScanError(
            f"ADNIMERGE lists visit {visit} {len(same)} times with different DX: {told}; "
            "keep one row, and one edition of the table, beside the participants"
        )
    if same:
        exam, group = same[0]
    elif near:
        _, exam, group = min(near, key=lambda entry: (entry[0], entry[1].viscode))
    else:
        return fallback
    return refine(group, [normalise_group(exam.baseline_diagnosis), fallback])


def refine(group: str, details: Iterable[str | None]) -> str:
    """Replace CN or MCI by the first finer group of the same kind among `details`."""
    finer = {"CN": {"SMC"}, "MCI": {"EMCI", "LMCI"}}.get(group, set())
    return next((detail for detail in details if detail in finer), group)


def admitted(group: str | None, groups: Collection[str]) -> str | None:
    """Return the group under which a visit takes part, or None if it does not.

    MCI takes in EMCI and LMCI where these are not asked for by name: ADNIMERGE writes every MCI of
    ADNI-1 as LMCI, so that MCI alone would stay empty.
    """
    if group in groups:
        return group
    return "MCI" if group in {"EMCI", "LMCI"} and "MCI" in groups else None


def age_at(exams: Sequence[ExamRow], on: date, listed: str) -> float | None:
    """Age in years on the day of a scan.

    The collection's `Age` if it is given, else ADNIMERGE's age at baseline plus the years since
    (None if neither is there or is plausible).
    """
    age = _years(listed)
    if age is not None:
        return age
    baseline = min((exam for exam in exams if exam.examined), default=None, key=_examined)
    ages = [_years(exam.baseline_age) for exam in exams]
    start = next((value for value in ages if value is not None), None)
    if start is None or baseline is None:
        return start
    return round(start + (on - baseline.examined).days / 365.25, 1)


def _examined(exam: ExamRow) -> date:
    return exam.examined or date.max


def _years(text: str) -> float | None:
    try:
        years = float(text.replace(",", "."))  # as tables of many countries have it
    except ValueError:
        return None
    return years if 0 < years < 130 else None


def normalise_sex(texts: Iterable[str]) -> str | None:
    """Return `M` or `F` from the first text that says so."""
    for text in texts:
        letter = {"m": "M", "male": "M", "f": "F", "female": "F"}.get(text.strip().lower())
        if letter:
            return letter
    return None
