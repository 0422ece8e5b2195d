"""One simulated person, from template to the raw folder of an ADNI download and truth."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mri2pet.simulation.dicom_writer import mri_image, pet_image, write_series
from mri2pet.simulation.people import Person
from mri2pet.simulation.scanners import machine
from mri2pet.simulation.template import Template
from mri2pet.simulation.visit_scans import scan_visit, whole_folder


def simulate_subject(
    template: Template,
    person: Person,
    scanner: Mapping[str, Any],
    raw: str | Path,
    truth: str | Path,
) -> None:
    """Scan one person at every visit.

    Parameters
    ----------
    template
        The anatomy that everyone is made from.
    person
        One of `plan_people`.
    scanner
        As `scan_visit` takes it.
    raw
        Folder to make: the person's part of an ADNI download.
    truth
        Folder to make: one folder a visit, see `write_truth`.
    """
    with whole_folder(raw) as raw_part, whole_folder(truth) as truth_part:
        for number, _ in enumerate(person.visits):
            simulate_visit(template, person, number, scanner, raw_part, truth_part)


def simulate_visit(
    template: Template,
    person: Person,
    number: int,
    scanner: Mapping[str, Any],
    raw: Path,
    truth: Path,
) -> None:
    """Make one visit's scans below `raw` and its truth below `truth`."""
    visit = person.visits[number]
    t1, pet = scan_visit(template, person, visit, scanner, truth / visit.code)
    write_series(raw, person, visit, mri_image(visit), t1, machine(scanner, "MR"))
    image = pet_image(visit, scanner.get("pet_frames", 1))
    if pet is not None and image is not None:
        write_series(raw, person, visit, image, pet, machine(scanner, "PT"))
