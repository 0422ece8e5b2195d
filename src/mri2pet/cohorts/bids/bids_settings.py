"""What the configuration says of a study that is a BIDS folder, checked."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mri2pet.cohorts.bids.bids_names import label_of
from mri2pet.cohorts.roles import ROLES
from mri2pet.cohorts.tracers import FDG, Tracer, read_tracer
from mri2pet.errors import InputError

FDG_WINDOW = (30.0, None)  # minutes after injection: the uptake has settled

Window = tuple[float, float | None]


@dataclass(frozen=True)
class BidsStudy:
    """A study's block of the configuration.

    Attributes
    ----------
    key
        `studies.<name>`, with which messages begin.
    groups
        Word of the study in lower case to group; None where no group is needed.
    listed
        Whether `groups` is a list, so that words for healthy people mean its first group.
    tracer, tracer_given
        What to take, and whether the user said so.
    roles
        Word in lower case to control or patient.
    roles_given
        Whether everybody must be one of the two.
    sessions
        Labels to take; None for all.
    subjects_out, visits_out
        Labels, and pairs of labels, that are left out.
    lesions
        A pattern of paths, the name of a column, or subject to region.
    mri_alone
        Whether everybody with an MRI is taken: PET is not looked at, and a group that is not known
        keeps nobody out.
    """

    key: str
    groups: Mapping[str, str] | None
    listed: bool
    group_column: str | None
    roles: Mapping[str, str]
    roles_given: bool
    tracer: Tracer
    tracer_given: bool
    sessions: frozenset[str] | None
    max_days_apart: int | None
    subjects_out: frozenset[str]
    visits_out: frozenset[tuple[str, str]]
    lesions: str | Mapping[str, str] | None
    mri_alone: bool = False

    @property
    def needs_pet_of_patients(self) -> bool:
        """Whether a patient without a PET is of no use: in a study of controls and patients."""
        return not self.mri_alone and (self.groups is None or self.roles_given)


def read_settings(study: Mapping[str, Any]) -> BidsStudy:
    """Check a study's block and fill in what it leaves out.

    Raises
    ------
    InputError
        Naming the key.
    """
    key = f"studies.{study.get('name', 'bids')}"
    groups = study.get("groups")
    roles = study.get("roles")
    subjects, visits = _excluded(f"{key}.exclude", _listed(study.get("exclude") or ()))
    sessions = study.get("sessions")
    lesions = study.get("lesions")
    return BidsStudy(
        key=key,
        groups=None if groups is None else _groups(f"{key}.groups", groups),
        listed=groups is not None and not isinstance(groups, Mapping),
        group_column=study.get("group_column"),
        roles=_roles(f"{key}.roles", ROLES if roles is None else roles),
        roles_given=roles is not None,
        tracer=_tracer(f"{key}.tracer", study.get("tracer") or FDG),
        tracer_given=bool(study.get("tracer")),
        sessions=None
        if sessions is None
        else frozenset(label_of(session, "ses") for session in _listed(sessions)),
        max_days_apart=study.get("max_days_apart"),
        subjects_out=subjects,
        visits_out=visits,
        lesions={label_of(k, "sub"): str(v) for k, v in lesions.items()}
        if isinstance(lesions, Mapping)
        else lesions,
        mri_alone=bool(study.get("mri_alone")),
    )


def pet_window(study: Mapping[str, Any]) -> Window | None:
    """Return the minutes after injection of which a dynamic PET's frames are averaged.

    Parameters
    ----------
    study
        The study's block: `pet_window_min` and, where that is not there, `tracer`.

    Returns
    -------
    tuple or None
        From and to (None: to the end). Of FDG from 30 minutes on, of other tracers None, all
        frames, where nothing is said; None too where `pet_window_min` is null.

    Raises
    ------
    InputError
        It is no window.
    """
    settings = read_settings(study)
    if "pet_window_min" not in study:
        return FDG_WINDOW if settings.tracer.label == FDG else None
    window = study["pet_window_min"]
    if window is None:
        return None
    key = f"{settings.key}.pet_window_min"
    if not isinstance(window, Sequence) or isinstance(window, str) or len(window) != 2:
        raise InputError(f"{key}: {window!r} is not [from, to] in minutes after injection")
    start, end = (None if minutes is None else _minutes(key, minutes) for minutes in window)
    if end is not None and end <= (start or 0.0):
        raise InputError(f"{key}: {list(window)} ends before it begins")
    return start or 0.0, end


def _minutes(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise InputError(f"{key}: {value!r} is no number of minutes, 0 or more, nor null")
    return float(value)


def _groups(key: str, groups: object) -> dict[str, str]:
    if isinstance(groups, Mapping):
        pairs = [(str(word), str(group)) for word, group in groups.items()]
    elif isinstance(groups, Iterable) and not isinstance(groups, str):
        pairs = [(str(group), str(group)) for group in groups]
    else:
        raise InputError(f"{key}: {groups!r} is neither a list of groups nor a map to groups")
    if not pairs:
        raise InputError(f"{key}: is empty; name groups, or take the key out to need none")
    return _by_word(key, pairs)


def _roles(key: str, roles: Mapping[str, Iterable[object]]) -> dict[str, str]:
    if unknown := set(roles) - set(ROLES):
        raise InputError(f"{key}: {min(unknown)!r} is no role; roles are {' and '.join(ROLES)}")
    return _by_word(
        key, [(str(word), role) for role, words in roles.items() for word in _listed(words)]
    )


def _listed(value: object) -> list[object]:
    """Return a list as it is, and one value as a list of one."""
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]


def _by_word(key: str, pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word, meaning in pairs:
        word = " ".join(word.lower().split())
        if found.setdefault(word, meaning) != meaning:
            raise InputError(f"{key}: {word!r} stands for both {found[word]} and {meaning}")
    return found


def _tracer(key: str, text: object) -> Tracer:
    tracer = read_tracer(text)
    if tracer is None:
        raise InputError(f"{key}: {text!r} names no tracer; write it as BIDS does: {FDG}")
    return tracer


def _excluded(
    key: str, entries: Iterable[object]
) -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
    """Split `exclude` into subjects and (subject, session)."""
    subjects, visits = set(), set()
    for entry in entries:
        person, slash, visit = str(entry).partition("/")
        subject, session = label_of(person, "sub"), label_of(visit, "ses")
        if not subject.isalnum() or (slash and not session.isalnum()):
            raise InputError(
                f"{key}: {entry!r} is neither a person (sub-01) nor a visit (01/ses-02)"
            )
        if slash:
            visits.add((subject, session))
        else:
            subjects.add(subject)
    return frozenset(subjects), frozenset(visits)
