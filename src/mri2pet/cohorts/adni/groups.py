"""Diagnosis and age at a visit, and the many spellings of groups in ADNI's tables."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from mri2pet.cohorts.adni.csv_tables import ExamRow
from mri2pet.cohorts.adni.visits import months_of, normalise_visit, visit_meaning
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


def group_at(
    exams: Sequence[ExamRow], visit: str, on: date, fallback: str | None, max_days: int
) -> str | None:
    """Return the group of one subject at one visit.

    ADNIMERGE's diagnosis at the visit goes before the collection's `Group`, which ADNI keeps as it
    was at enrolment. The diagnosis is that of the exam of the same visit code or, failing that, of
    the exam nearest to the scan, at most `max_days` away; of two as near, the earlier. An exam
    without a diagnosis does not count. ADNIMERGE's three diagnoses are refined by the one at
    baseline: CN to SMC, MCI to EMCI or LMCI.

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
        ADNIMERGE lists the visit, or the nearest exam, more than once, with different diagnoses.
    """
    known = [(exam, normalise_group(exam.diagnosis)) for exam in exams if exam.diagnosis]
    known = [(exam, group) for exam, group in known if group]
    found = [pair for pair in known if _is_visit(pair[0], visit)]
    if not found:
        near = [(abs((exam.examined - on).days), exam, g) for exam, g in known if exam.examined]
        near = [
            (days, exam.examined, exam, group) for days, exam, group in near if days <= max_days
        ]
        day = min(near, key=lambda entry: entry[:2])[1] if near else None
        found = [(exam, group) for _, examined, exam, group in near if examined == day]
    if not found:
        return fallback
    if len({group for _, group in found}) > 1:
        same = _is_visit(found[0][0], visit)
        what = f"visit {visit}" if same else f"the exam of {found[0][0].examined}"
        told = ", ".join(dict.fromkeys(exam.diagnosis for exam, _ in found))
        raise ScanError(
            f"ADNIMERGE lists {what} {len(found)} times with different DX: {told}; "
            "keep one row, and one edition of the table, beside the participants"
        )
    exam, group = found[0]
    return refine(group, [normalise_group(exam.baseline_diagnosis), fallback])


def _is_visit(exam: ExamRow, visit: str) -> bool:
    return visit_meaning(normalise_visit(exam.viscode)) == visit_meaning(visit)


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


def age_at(exams: Sequence[ExamRow], on: date, listed: str, visit: str = "") -> float | None:
    """Age in years on the day of a scan.

    The collection's `Age` if it is given, else ADNIMERGE's age at baseline plus the years since.
    Every row of ADNIMERGE has the age at baseline: the day of baseline is `EXAMDATE_bl`, the day of
    the row `bl` or, where the table was cut down to later visits, that of the earliest of them less
    its months.

    Parameters
    ----------
    exams
        ADNIMERGE's rows of the subject.
    on
        Day of the scan.
    listed
        The collection's `Age`.
    visit
        Session label; counts where ADNIMERGE has no dates.

    Returns
    -------
    float or None
        None if no age is there or plausible, if nothing says how long ago baseline was, or if rows
        without that of baseline have different ages.
    """
    age = read_years(listed)
    if age is not None:
        return age
    planned = [(months_of(normalise_visit(exam.viscode)), exam) for exam in exams]
    ages = [(months, read_years(exam.baseline_age)) for months, exam in planned]
    ages = [(12 * 99 if months is None else months, years) for months, years in ages if years]
    if not ages:
        return None
    first, start = min(ages)
    if first and max(years for _, years in ages) - min(years for _, years in ages) > 0.5:
        return None
    since = _years_since(planned, on)
    if since is None:
        months = months_of(visit)
        since = None if months is None else months / 12
    return None if since is None else round(start + since, 1)


def _years_since(planned: Sequence[tuple[int | None, ExamRow]], on: date) -> float | None:
    """Return the years from baseline to a day; None where no exam tells."""
    days = [(0, exam.baseline) for _, exam in planned if exam.baseline]
    days = days or [(months, exam.examined) for months, exam in planned if exam.examined]
    told = [(months, day) for months, day in days if months is not None]
    if not told:
        return None
    months, day = min(told)
    return months / 12 + (on - day).days / 365.25


def read_years(text: str) -> float | None:
    """Read an age in years; None if it is none."""
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
