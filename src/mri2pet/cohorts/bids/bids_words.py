"""Ages, sexes, dates and missing values as the tables of BIDS folders write them."""

import re
from datetime import date

from mri2pet.errors import InputError

MISSING_WORDS = frozenset({"", "n/a", "na", "n.a.", "#n/a", "nan", "missing", "unknown", "-", "?"})
_SEXES = {
    **dict.fromkeys(("m", "male", "man", "men", "boy"), "M"),
    **dict.fromkeys(("f", "female", "woman", "women", "girl"), "F"),
}
_AGE = re.compile(
    r"(?P<over>[>≥]=?)?\s*(?P<number>\d+(?:[.,]\d+)?)\s*(?:-\s*(?P<to>\d+(?:[.,]\d+)?))?\s*\+?\s*"
    r"(?P<unit>y|yr|yrs|years?|m|mo|months?)?(?:\s*old|\s*\+)?"
    r"(?:\s*(?:or|and)\s+(?:older|over|above|more))?",
    re.I,
)
OLDEST = 130


def text_of(value: object) -> str | None:
    """Return a cell's text, or None where it says that nothing is known."""
    text = "" if value is None else str(value).strip()
    return None if text.lower() in MISSING_WORDS else text


def word_of(text: str) -> str:
    """Return a text as words are compared: lower case, single spaces."""
    return " ".join(text.lower().split())


def read_age(text: str | None, where: str) -> float | None:
    """Read an age in years.

    Parameters
    ----------
    text
        `38`, `38.5`, `38,5`, `38y`, `038Y`, `456 months`, `89+` (89, as BIDS writes older people),
        `>89` (89), `20-25` (the middle).
    where
        File, line and column, for the message.

    Raises
    ------
    InputError
        It is no age of a person.
    """
    if text is None or text.lower() in ("none", "null"):
        return None
    match = _AGE.fullmatch(text)
    age = -1.0
    if match:
        ends = [float(end.replace(",", ".")) for end in (match["number"], match["to"]) if end]
        age = sum(ends) / len(ends)
        age /= 12 if (match["unit"] or "y").lower().startswith("m") else 1
    if not 0 < age <= OLDEST:
        raise InputError(f"{where}: {text!r} is not an age in years; write n/a if unknown")
    return age


def read_sex(*texts: str | None) -> str | None:
    """Return M or F, of the first text that says one of the two."""
    for text in texts:
        found = _SEXES.get(word_of(text)) if text else None
        if found:
            return found
    return None


def read_date(text: str | None) -> date | None:
    """Return the day of a scan (`2009-06-15T13:45:30`); None where it is not known."""
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None
