"""Which PET of a session and which T1-weighted MRI for it, where a BIDS folder has several."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from mri2pet.cohorts.bids.bids_names import T1_SUFFIXES, WORDS, BidsImage, natural
from mri2pet.cohorts.tracers import Tracer, read_tracer, told_tracer
from mri2pet.errors import ScanError

_UNCORRECTED = re.compile(
    r"(?:^|[^a-z]|static|stat|dyn|sum|mean|avg|osem|psf|tof)(?:nac|noac|nonac|woac|uncorr)"
)
_NO_CORRECTION = re.compile(r"^(?:no|none|false|off|nac|uncorrected|not? .*|without.*)$")
_STATIC = re.compile(r"stat(?!e)|sum|mean|avg|aver")
_FREE = ("rec", "acq", "desc", WORDS)  # parts of a name that say what one likes
_DYNAMIC = re.compile(r"dyn|frames")


@dataclass(frozen=True)
class Pair:
    """The MRI chosen for a PET, and the days between them if both are known."""

    mri: BidsImage
    days_apart: int | None


def tracer_of(pet: BidsImage, sidecar: Mapping[str, Any]) -> Tracer | None:
    """Return a PET's tracer: of its name (`trc-`), else of its sidecar; None if neither says.

    Where both are silent, a known tracer in another part of the name counts (`acq-FDG`).

    Raises
    ------
    ScanError
        The two contradict each other.
    """
    named = read_tracer(pet.entities.get("trc"))
    told = told_tracer(sidecar)
    if named and told and not named.matches(told):
        raise ScanError(
            f"{pet.path}: its name says tracer {named.label}, its JSON {told.label}; correct one"
        )
    if named and told and named.isotope is None:
        return told
    if named or told:
        return named or told
    hints = (read_tracer(pet.entities.get(key)) for key in _FREE)
    return next((hint for hint in hints if hint and hint.known), None)


def frames_of(sidecar: Mapping[str, Any]) -> int | None:
    """Return the number of frames that a sidecar tells of, or None; a closing zero is none."""
    durations = sidecar.get("FrameDuration")
    if isinstance(durations, int | float):
        return 1
    if not isinstance(durations, list) or not durations:
        return None
    return len(durations) - (len(durations) > 1 and durations[-1] == 0)


def pet_standing(pet: BidsImage, sidecar: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return a key by which the better PET of a session goes first.

    Corrected for attenuation before uncorrected, static before dynamic, said to be corrected
    before silent, then by name, run-2 before run-10.
    """
    entities = [pet.entities[key].lower() for key in _FREE if key in pet.entities]
    method = str(sidecar.get("AttenuationCorrection", "")).strip().lower()
    uncorrected = bool(_NO_CORRECTION.match(method)) or any(map(_UNCORRECTED.search, entities))
    said = bool(method) or any(entity.startswith("ac") for entity in entities)
    frames = frames_of(sidecar)
    if frames is not None:
        moving = 0 if frames == 1 else 2
    elif any(map(_DYNAMIC.search, entities)):
        moving = 2
    else:
        moving = 0 if any(map(_STATIC.search, entities)) else 1
    return uncorrected, moving, not said, natural(pet.path)


def check_t1(mri: BidsImage) -> None:
    """Raise `ScanError` for an image that is named as a T1-weighted MRI and is none to work on."""
    entities = mri.entities
    if entities.get("part", "mag") != "mag":
        raise ScanError(f"{mri.path}: part-{entities['part']}: not the magnitude of an MRI")
    if mri.suffix == "MP2RAGE" and "inv" in entities:
        raise ScanError(f"{mri.path}: one inversion of an MP2RAGE, not its T1-weighted image")
    if "space" in entities or (not mri.faceless and "desc" in entities):
        what = "space" if "space" in entities else "desc"
        raise ScanError(f"{mri.path}: {what}-{entities[what]}: already processed; raw MRI are used")


def t1_standing(mri: BidsImage) -> tuple[Any, ...]:
    """Return a key by which the better T1-weighted MRI of a session goes first.

    T1w before MP2RAGE and FLASH; without contrast agent, whole and not of single echoes before;
    then by name, run-2 before run-10.
    """
    entities = mri.entities
    return (
        T1_SUFFIXES.index(mri.suffix),
        "ce" in entities,
        mri.faceless,
        "echo" in entities,
        WORDS in entities,
        natural(mri.path),
    )


def pair_pet(
    pet: BidsImage,
    mris: Sequence[BidsImage],
    sessions: Sequence[str],
    dates: Mapping[str, date],
    max_days: int | None,
) -> Pair:
    """Choose the MRI of a PET.

    That of its session; else one of no session; else that nearest by date where both dates are
    known, then nearest in the order of sessions, the earlier of two.

    Parameters
    ----------
    pet, mris
        Of one person; `mris` are in the order of `t1_standing`.
    sessions
        Labels in their order.
    dates
        Day of a scan by path, of a session by label.
    max_days
        Largest number of days between the two, where both dates are known; None for any.

    Raises
    ------
    ScanError
        There is no MRI, or none near enough.
    """
    if not mris:
        raise ScanError(f"{pet.path}: no session of sub-{pet.subject} has a T1w to use")
    order = {session: place for place, session in enumerate(sessions)}

    def distance(mri: BidsImage) -> tuple[Any, ...]:
        days = days_between(pet, mri, dates)
        apart = order.get(mri.visit, 0) - order.get(pet.visit, 0)
        stage = 0 if mri.visit == pet.visit else 1 if mri.session is None else 2
        if stage < 2:
            return stage, 0, 0, 0
        return stage, math.inf if days is None else days, abs(apart), apart

    ordered = sorted(mris, key=distance)
    for mri in ordered:
        days = days_between(pet, mri, dates)
        if max_days is None or days is None or days <= max_days:
            return Pair(mri, days)
    nearest = min(days for mri in mris if (days := days_between(pet, mri, dates)) is not None)
    raise ScanError(
        f"{pet.path}: the nearest T1w of sub-{pet.subject} was made {nearest} days apart, more "
        f"than {max_days}"
    )


def day_of(image: BidsImage, dates: Mapping[str, date]) -> date | None:
    """Return the day of a scan, of its own or its session's; None if not known."""
    return dates.get(image.path) or dates.get(image.session or "")


def days_between(one: BidsImage, other: BidsImage, dates: Mapping[str, date]) -> int | None:
    """Return the days between two scans, or None if one's day is not known."""
    first, second = day_of(one, dates), day_of(other, dates)
    return abs((first - second).days) if first and second else None
