"""One simulated person, from template to raw folder and truth."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mri2pet.files import folder_beside
from mri2pet.simulation.anatomy import make_head
from mri2pet.simulation.dicom_writer import mri_image, pet_image, write_series
from mri2pet.simulation.mri import acquire_t1, t1_contrast
from mri2pet.simulation.people import Person
from mri2pet.simulation.pet import acquire_pet
from mri2pet.simulation.template import Template
from mri2pet.simulation.truth import write_truth
from mri2pet.simulation.warps import random_pose


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
        `mri_voxel_mm`, `pet_voxel_mm` (three numbers each: left-right, front-back, up-down) and
        optionally `pet_frames`, from the block `simulation` of the configuration.
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
    rng = person.rng(visit.code)
    head = make_head(template, person, visit)
    t1_pose, pet_pose = random_pose(rng), random_pose(rng)
    contrast = t1_contrast(template, person.age_at(visit), rng)
    t1, labels = acquire_t1(
        template, contrast, head.deformation, t1_pose, scanner["mri_voxel_mm"], rng
    )
    write_series(raw, person, visit, mri_image(visit), t1)
    frames = scanner.get("pet_frames", 1)
    if (image := pet_image(visit, frames)) is None:
        pet_pose = None
    else:
        pet = acquire_pet(template, head, pet_pose, scanner["pet_voxel_mm"], frames, rng)
        write_series(raw, person, visit, image, pet)
    write_truth(truth / visit.code, person, visit, template, head, t1, labels, t1_pose, pet_pose)


@contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Yield an empty folder that becomes `path`, in place of what was there, if all ends well."""
    path = Path(path)
    with folder_beside(path) as scratch:
        partial = scratch / path.name
        partial.mkdir()
        yield partial
        if path.exists():
            shutil.rmtree(path)
        partial.rename(path)
