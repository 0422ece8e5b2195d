"""One image in several rows: exports of other days write the same in other ways."""

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

from mri2pet.cohorts.adni.csv_tables import (
    MISSING_CODES,
    ImageRow,
    examination_date,
    printable,
)
from mri2pet.cohorts.adni.groups import normalise_group, normalise_sex, read_years, refine
from mri2pet.cohorts.adni.visits import normalise_visit, visit_meaning
from mri2pet.errors import ScanError

_UNSPECIFIC = re.compile(r"patients?|subjects?|participants?|volunteers?|other|not .*|tbd", re.I)
_MODALITY = {"mri": "MRI", "mr": "MRI", "pet": "PET", "pt": "PET"}


def agreed_row(rows: Sequence[ImageRow]) -> ImageRow:
    """Return one row that says what all rows of an image say together.

    Dates, numbers, visits, groups and words are compared by what they mean; a blank contradicts
    nothing. Of two ages or groups that agree, the more exact one is taken.

    Raises
    ------
    ScanError
        Two rows mean different things.
    """
    return replace(rows[0], **{name: _agreed(name, rows) for name in _MEANING})


def modality_of(text: str) -> str | None:
    """Return `MRI` or `PET`; None for anything else."""
    return _MODALITY.get(text.lower())


def is_original(text: str) -> bool:
    """Tell by its `Type` whether an image is as it was acquired: not pre- or post-processed."""
    return not re.search(r"process|deriv|secondary", text, re.I)


def names_no_group(text: str) -> bool:
    """Tell whether a `Group` says nothing of the diagnosis: `Patient`, `unknown`, blank."""
    return text.lower() in MISSING_CODES or bool(_UNSPECIFIC.fullmatch(text))


def _agreed(name: str, rows: Sequence[ImageRow]) -> str:
    """Return the text of one column that stands for those of all rows."""
    texts: dict[str, str] = {}
    for row in rows:
        texts.setdefault(getattr(row, name), row.where)
    told = {text: _MEANING[name](text) for text in texts if not _is_silent(name, text)}
    best = max(told, key=lambda text: _exactness(name, text), default=getattr(rows[0], name))
    if all(_same(name, told[best], meaning) for meaning in told.values()):
        return best
    listed = "; ".join(f"{printable(text)!r} ({texts[text]})" for text in told)
    raise ScanError(f"listed {len(rows)} times with different {name}: {listed}")


def _is_silent(name: str, text: str) -> bool:
    if name == "group":
        return names_no_group(text)
    if name == "sex":
        return normalise_sex([text]) is None
    if name == "age":
        return read_years(text) is None
    return text.lower() in MISSING_CODES


def _exactness(name: str, text: str) -> bool:
    """Tell the more exact of texts that may mean the same: 74.3 of 74, LMCI of MCI."""
    if name == "age":
        return not float(read_years(text) or 0).is_integer()
    return name == "group" and normalise_group(text) not in {"CN", "MCI"}


def _same(name: str, best: Hashable, other: Hashable) -> bool:
    if name == "age" and isinstance(best, float) and isinstance(other, float):
        rounded = other.is_integer() and not best.is_integer()
        return -0.5 <= best - other < 1 if rounded else abs(best - other) < 0.1
    if name == "group" and isinstance(other, str):
        return refine(other, [str(best)]) == best
    return best == other


def _word(text: str) -> str:
    return re.sub(r"[\W_]", "", text.lower())


def _or_word(read: Callable[[str], Hashable]) -> Callable[[str], Hashable]:
    """Read a text, and take what cannot be read as a word."""
    return lambda text: _word(text) if (value := read(text)) is None else value


_MEANING: dict[str, Callable[[str], Hashable]] = {
    "subject": str,
    "group": _or_word(normalise_group),
    "sex": lambda text: normalise_sex([text]),
    "age": read_years,
    "visit": _or_word(lambda text: visit_meaning(normalise_visit(text))),
    "modality": _or_word(modality_of),
    "description": _word,
    "type": is_original,
    "acquired": _or_word(examination_date),
}
