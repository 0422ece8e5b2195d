"""The visits of one person: which sessions, which scans of each, and what is left out."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mri2pet.cohorts.bids.bids_choice import (
    check_t1,
    day_of,
    pair_pet,
    pet_standing,
    t1_standing,
    tracer_of,
)
from mri2pet.cohorts.bids.bids_names import BidsImage, natural
from mri2pet.cohorts.bids.bids_people import People
from mri2pet.cohorts.bids.bids_settings import BidsStudy
from mri2pet.cohorts.bids.bids_tables import read_dates
from mri2pet.cohorts.bids.inheritance import merged_sidecar
from mri2pet.errors import ScanError

log = logging.getLogger(__name__)

EXTRA_COLUMNS = ("mri_date", "pet_date", "days_apart", "lesion_region")

Dropped = tuple[str | None, str, str]  # visit, modality, reason
Row = dict[str, Any]


@dataclass
class PersonScans:
    """The images of a person that are there, by kind."""

    subject: str
    mris: list[BidsImage] = field(default_factory=list)
    pets: list[BidsImage] = field(default_factory=list)
    lesions: list[BidsImage] = field(default_factory=list)

    def add(self, image: BidsImage) -> None:
        """Take an image in."""
        {"MRI": self.mris, "PET": self.pets}.get(image.kind, self.lesions).append(image)


def person_visits(
    raw: Path, scans: PersonScans, people: People, study: BidsStudy
) -> tuple[list[Row], list[Dropped]]:
    """Make a person's rows of the cohort table.

    A session with a PET of the tracer is a visit, with the MRI that `pair_pet` chooses. A person
    without any has a visit for each session with an MRI.

    Parameters
    ----------
    raw
        The BIDS folder.
    scans
        The person's images.
    people
        The tables of the folder.
    study
        What is wanted.

    Returns
    -------
    rows : list of dict
        Ordered by session, run-2 before run-10.
    dropped : list of tuple
        Visit, modality and reason of all that is left out.
    """
    out: list[Dropped] = []
    mris = _usable_mris(scans.mris, study, out)
    pets = _usable_pets(raw, scans.pets, study, out)
    named = {image.session for image in (*scans.mris, *scans.pets) if image.session}
    sessions = sorted({image.visit for image in (*mris, *pets.values())}, key=natural)
    dates = read_dates(raw, scans.subject, sorted(named))
    taken: list[tuple[BidsImage, BidsImage | None, int | None]] = []
    for pet in pets.values():
        try:
            _check_visit(pet, study)
            pair = pair_pet(pet, mris, sessions, dates, study.max_days_apart)
            taken.append((pair.mri, pet, pair.days_apart))
        except ScanError as error:
            out.append((pet.visit, "PET", str(error)))
    if not taken:
        taken = [(mri, None, None) for mri in _first_of_visit(mris) if _admits(mri, study, out)]
    _list_unused(mris, taken, study, out)
    rows = []
    for mri, pet, days in sorted(taken, key=lambda entry: natural((entry[1] or entry[0]).visit)):
        try:
            row = _row(raw, mri, pet, people, study)
        except ScanError as error:
            out += [(image.visit, image.kind, str(error)) for image in (mri, pet) if image]
            continue
        when = {"mri_date": day_of(mri, dates), "pet_date": day_of(pet, dates) if pet else None}
        row |= {key: day and day.isoformat() for key, day in when.items()}
        rows.append(row | {"days_apart": days, "lesion_file": _lesion(raw, row, mri, scans, out)})
    if not scans.mris and not scans.pets:
        folder = raw / f"sub-{scans.subject}"
        bare = folder.is_dir() and not any(folder.iterdir())
        told = "; its folder is empty: run datalad get on it" if bare else ""
        out.append((None, "MRI", f"no session of sub-{scans.subject} has a T1w{told}"))
    return rows, out


def _usable_mris(
    mris: Iterable[BidsImage], study: BidsStudy, out: list[Dropped]
) -> list[BidsImage]:
    """Return what can be worked on, the better first."""
    usable = []
    for mri in mris:
        try:
            check_t1(mri)
            _check_excluded(mri, study)
            usable.append(mri)
        except ScanError as error:
            out.append((mri.visit, "MRI", str(error)))
    return sorted(usable, key=t1_standing)


def _usable_pets(
    raw: Path, pets: Iterable[BidsImage], study: BidsStudy, out: list[Dropped]
) -> dict[str, BidsImage]:
    """Choose the PET of each visit."""
    standing: dict[str, list[tuple[Any, BidsImage]]] = defaultdict(list)
    for pet in pets:
        try:
            sidecar = merged_sidecar(raw / pet.path)
            _check_tracer(pet, sidecar, study)
        except ScanError as error:
            out.append((pet.visit, "PET", str(error)))
            continue
        standing[pet.visit].append((pet_standing(pet, sidecar), pet))
    chosen = {}
    for visit, found in standing.items():
        ordered = sorted(found, key=lambda entry: entry[0])
        first, *others = [pet for _, pet in ordered]
        chosen[visit] = first
        if ordered[0][0][0]:
            log.warning(
                "%s: is not corrected for attenuation, and no other PET is there", first.path
            )
        for pet in others:
            out.append((visit, "PET", f"{pet.path}: one PET a visit is used, {first.path}"))
    return chosen


def _check_tracer(pet: BidsImage, sidecar: Mapping[str, Any], study: BidsStudy) -> None:
    tracer, wanted = tracer_of(pet, sidecar), study.tracer.label
    if tracer is None and not study.tracer_given:
        raise ScanError(
            f"{pet.path}: names no tracer, in its name (trc-) or its JSON (TracerName); if it is "
            f"{wanted}, set {study.key}.tracer: {wanted}"
        )
    if tracer is not None and not tracer.matches(study.tracer):
        raise ScanError(f"{pet.path}: its tracer is {tracer.label}, not {wanted}")


def _check_excluded(image: BidsImage, study: BidsStudy) -> None:
    if (image.subject, image.visit) in study.visits_out:
        raise ScanError(f"{image.path}: left out by the setting {study.key}.exclude")


def _check_visit(image: BidsImage, study: BidsStudy) -> None:
    """Raise `ScanError` for a visit that the configuration does not take."""
    _check_excluded(image, study)
    if study.sessions is not None and image.visit not in study.sessions:
        raise ScanError(
            f"{image.path}: session {image.visit} is not among {study.key}.sessions "
            f"({', '.join(sorted(study.sessions))})"
        )


def _admits(image: BidsImage, study: BidsStudy, out: list[Dropped]) -> bool:
    try:
        _check_visit(image, study)
    except ScanError as error:
        out.append((image.visit, image.kind, str(error)))
        return False
    return True


def _first_of_visit(mris: Iterable[BidsImage]) -> list[BidsImage]:
    chosen: dict[str, BidsImage] = {}
    for mri in mris:
        chosen.setdefault(mri.visit, mri)
    return list(chosen.values())


def _list_unused(
    mris: Iterable[BidsImage],
    taken: Iterable[tuple[BidsImage, BidsImage | None, int | None]],
    study: BidsStudy,
    out: list[Dropped],
) -> None:
    """List the MRI that no visit has, if not listed yet."""
    used = {mri.path: pet for mri, pet, _ in taken}
    told = " ".join(reason for _, _, reason in out)
    of_visit = {mri.visit: mri for mri, _, _ in taken}
    for mri in mris:
        if mri.path in used or mri.path in told or not _admits(mri, study, out):
            continue
        if instead := of_visit.get(mri.visit):
            reason = f"{mri.path}: one MRI a visit is used, {instead.path}"
        elif used:
            reason = (
                f"{mri.path}: its session has no PET of use, and other sessions of the person have"
            )
        else:
            reason = f"{mri.path}: no visit of the person is used"
        out.append((mri.visit, "MRI", reason))


def _row(raw: Path, mri: BidsImage, pet: BidsImage | None, people: People, study: BidsStudy) -> Row:
    """Make a row, but for its lesion and dates."""
    image = pet or mri
    person = people.at(image.subject, image.session)
    if person.role == "patient" and pet is None and study.needs_pet_of_patients:
        raise ScanError(f"no session of sub-{mri.subject}, a patient, has a T1w and PET")
    return {
        **{"subject": image.subject, "visit": image.visit},
        **{"group": person.group, "role": person.role, "age": person.age, "sex": person.sex},
        "kind": "paired" if pet else "mri_only",
        "tracer": study.tracer.label if pet else None,
        "mri_file": (raw / mri.path).as_posix(),
        "pet_file": (raw / pet.path).as_posix() if pet else None,
        "lesion_region": person.lesion_region,
    }


def _lesion(
    raw: Path, row: Row, mri: BidsImage, scans: PersonScans, out: list[Dropped]
) -> str | None:
    """Choose the mask of a person who is no control: that of the MRI's session goes first."""
    if row["role"] == "control" or not scans.lesions:
        return None
    places = [mri.visit, row["visit"]]

    def standing(mask: BidsImage) -> tuple[Any, ...]:
        place = places.index(mask.visit) if mask.visit in places else len(places)
        return place, natural(mask.path)

    fitting = [mask for mask in scans.lesions if mask.visit in places or mask.session is None]
    fitting = sorted(fitting or scans.lesions, key=standing)
    for mask in fitting[1:]:
        reason = f"{mask.path}: one lesion mask a visit is used, {fitting[0].path}"
        out.append((mask.visit, "lesion mask", reason))
    return (raw / fitting[0].path).as_posix()
