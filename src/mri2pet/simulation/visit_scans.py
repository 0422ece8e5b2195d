"""One simulated visit of the dementia study: both scans and the truth, before any file format."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mri2pet.files import folder_beside
from mri2pet.simulation.anatomy import make_head
from mri2pet.simulation.mri import BIAS, NOISE, Scan, acquire_t1, t1_contrast
from mri2pet.simulation.people import Person, Visit
from mri2pet.simulation.pet import FWHM, acquire_pet
from mri2pet.simulation.pet import NOISE as PET_NOISE
from mri2pet.simulation.template import Template
from mri2pet.simulation.truth import write_truth
from mri2pet.simulation.warps import random_pose


def scan_visit(
    template: Template, person: Person, visit: Visit, scanner: Mapping[str, Any], truth: Path
) -> tuple[Scan, Scan | None]:
    """Scan a person at one visit and write the truth about it.

    Parameters
    ----------
    template
        The anatomy that everyone is made from.
    person, visit
        One of `plan_people`, and one of the visits.
    scanner
        As `scanners.scanner_of` gives it: `mri_voxel_mm`, `pet_voxel_mm` (three numbers each:
        left-right, front-back, up-down) and optionally `pet_frames`, `pet_fwhm_mm`, `pet_noise`,
        `mri_noise`, `bias` and, for the truth, `name`.
    truth
        Folder to write to, see `write_truth`.

    Returns
    -------
    t1 : Scan
        int16, (i, j, k).
    pet : Scan or None
        int16, (i, j, k) or (i, j, k, frame); None where the visit has no PET.
    """
    rng = person.rng(visit.code)
    head = make_head(template, person, visit)
    t1_pose, pet_pose = random_pose(rng), random_pose(rng)
    contrast = t1_contrast(template, person.age_at(visit), rng)
    t1, labels = acquire_t1(
        template,
        contrast,
        head.deformation,
        t1_pose,
        scanner["mri_voxel_mm"],
        rng,
        noise=scanner.get("mri_noise", NOISE),
        bias=scanner.get("bias", BIAS),
    )
    if visit.pet_time is None:
        pet = pet_pose = None
    else:
        frames = scanner.get("pet_frames", 1)
        fwhm, noise = scanner.get("pet_fwhm_mm", FWHM), scanner.get("pet_noise", PET_NOISE)
        voxel = scanner["pet_voxel_mm"]
        pet = acquire_pet(template, head, pet_pose, voxel, frames, rng, fwhm=fwhm, noise=noise)
    own = scanner if "name" in scanner else None
    write_truth(truth, person, visit, template, head, t1, labels, t1_pose, pet_pose, pet, own)
    return t1, pet


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
