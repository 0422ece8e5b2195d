"""Visits: ADNI's codes, and the same visits as LONI's pages spell them."""

import re

_PHASE = re.compile(r"adni[ _-]?(1/go|go|[1-4])?(?=[ _:-])[ _:-]*")
_WHOSE = re.compile(r"[ _-]*\b(?:new|cont(?:inuing)?|rollover)[ _.-]*(?:pts?|patients?)\.?$")
_TEXT = re.compile(r"[a-z0-9]([a-z0-9 _.-]{0,30}[a-z0-9])?")
_SCAN = r"(?:mri|pet|visit)*"
_FIRST = re.compile(rf"(?:sc|screening|bl|baseline){_SCAN}")
_MONTH = re.compile(rf"(?:(?:m|month)0*(\d{{1,3}})|0*(\d{{1,3}})months?){_SCAN}")
_YEAR = re.compile(rf"(?:y|year)0*(\d{{1,2}}){_SCAN}")
_CODES = {
    **{"initial": "init", "initialvisit": "init", "tauonly": "tau", "tauonlyvisit": "tau"},
    **{"novisitdefined": "nv", "unscheduled": "uns1"},
}
# ADNI-2 numbers its visits; those of new participants are also known by their months.
_ADNI2 = {"v01": "bl", "v02": "bl", "v03": "bl", "v04": "m03", "v05": "m06"}


def normalise_visit(text: str) -> str | None:
    """Return a session label (letters and digits only), or None if the visit is unusable.

    Screening and baseline are one visit, `bl`, as in ADNIMERGE; months have two digits (`m06`). A
    visit as LONI's pages spell it has the label of its code: `ADNI1/GO Month 6` is `m06`, `ADNI2
    Baseline-New Pt` is `bl`, `ADNI2 Year 1 Visit` is `v11`, `ADNI3 Year 1 Visit` is `y1`, `ADNI4
    Month 12` is `4m12`. All else keeps its letters and digits, in lower case: `v02`, `1`.
    """
    text = re.sub(" +", " ", text.strip().lower())
    phase = _PHASE.match(text)
    rest = _WHOSE.sub("", text[phase.end() :] if phase else text)
    if not _TEXT.fullmatch(rest):
        return None
    if number := re.fullmatch(r"(\d+)\.0+", rest):  # as a spreadsheet may save it
        rest = number[1]
    label = _squeezed(rest)
    which = phase[1] if phase else None
    if which is None and re.match(r"4[a-z]", label):
        which, label = "4", label[1:]
    code = _code(label, which)
    if which == "4":
        return f"4{code or label}"
    return code or _squeezed(text if phase else rest)


def visit_meaning(label: str | None) -> str | None:
    """Return a label's usual one, where ADNI has two for one visit: `bl` for `v03`."""
    return _ADNI2.get(label or "", label)


def months_of(label: str | None) -> int | None:
    """Return how many months after baseline a visit is planned; None where its label is silent."""
    label = visit_meaning(label) or ""
    month = re.fullmatch(r"m(\d+)", label)
    return 0 if label == "bl" else int(month[1]) if month else None


def _code(label: str, phase: str | None) -> str | None:
    """Return ADNI's code of a visit that is spelt out; None for one that has none."""
    if _FIRST.fullmatch(label):
        return "bl"
    if month := _MONTH.fullmatch(label):
        count = int(month[1] or month[2])
        return f"m{count:02d}" if count else "bl"
    if year := _YEAR.fullmatch(label):
        return f"v{int(year[1])}1" if phase == "2" else f"y{int(year[1])}"
    code = _CODES.get(label)
    return "v06" if code == "init" and phase == "2" else code


def _squeezed(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text)
