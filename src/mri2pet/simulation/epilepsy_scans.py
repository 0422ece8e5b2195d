"""One member of the simulated epilepsy study, from template to BIDS files and truth."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mri2pet.files import write_json
from mri2pet.simulation.anatomy import make_head
from mri2pet.simulation.epilepsy_people import SESSION, Member
from mri2pet.simulation.lesion import place_lesion
from mri2pet.simulation.mri import Scan, acquire_t1, sample, t1_contrast
from mri2pet.simulation.nifti_writer import write_nifti
from mri2pet.simulation.pet import acquire_pet
from mri2pet.simulation.scanner_settings import BQML_PER_STORED, frame_times
from mri2pet.simulation.scanner_settings import FDG as FDG_SCAN
from mri2pet.simulation.template import Template
from mri2pet.simulation.truth import write_truth
from mri2pet.simulation.visit_scans import whole_folder
from mri2pet.simulation.warps import random_pose

T1W = {
    "Modality": "MR",
    "MagneticFieldStrength": 1.5,
    "MRAcquisitionType": "3D",
    "Manufacturer": "Siemens",
    "ManufacturersModelName": "Sonata",
}
FDG = FDG_SCAN | frame_times(1) | {"ManufacturersModelName": "mCT", "TimeZero": "00:00:00"}


def simulate_member(
    template: Template,
    member: Member,
    scanner: Mapping[str, Any],
    outputs: Mapping[str, str | Path],
    truth: str | Path,
    coupling: float,
) -> None:
    """Scan one member of the study.

    Parameters
    ----------
    template
        The anatomy that everyone is made from.
    member
        One of `plan_members`.
    scanner
        `mri_voxel_mm`, `pet_voxel_mm`: left-right, front-back, up-down.
    outputs
        Path of each file of `epilepsy.files(member)`; sidecars are written beside T1 and PET.
    truth
        Folder to make: that of the visit as `write_truth` writes it; for a patient also
        lesion.json (stratum, depth, size, centre in the template).
    coupling
        Share of the between-person variance of healthy uptake that the grey matter explains, 0 to
        1; it changes nothing in the MRI.
    """
    person, visit = member.person, member.person.visits[0]
    rng = person.rng(SESSION)
    head = make_head(template, person, visit, coupling)
    t1_pose, pet_pose = random_pose(rng), random_pose(rng)
    contrast = t1_contrast(template, person.age, rng, head.trait)
    voxel = scanner["mri_voxel_mm"]
    t1, labels = acquire_t1(template, contrast, head.deformation, t1_pose, voxel, rng)
    write_nifti(outputs["t1w"], t1, T1W)
    place = cortex = None
    if member.lesion is not None:
        place = place_lesion(template, member.lesion, person.rng("place"))
        cortex = place.cortex(member.lesion.depth)
        (mask,) = sample(
            [place.mask.astype(np.float32)],
            *(template, head.deformation, t1_pose, t1.data.shape, t1.affine),
        )
        write_nifti(outputs["lesion"], Scan((mask > 0.5).astype(np.uint8), t1.affine))
    if "pet" in outputs:
        voxel = scanner["pet_voxel_mm"]
        pet = acquire_pet(template, head, pet_pose, voxel, 1, rng, cortex)
        write_nifti(outputs["pet"], pet, FDG, BQML_PER_STORED)
    else:
        pet = pet_pose = None
    with whole_folder(truth) as folder:
        write_truth(folder, person, visit, template, head, t1, labels, t1_pose, pet_pose, pet)
        if place is not None and member.lesion is not None:
            write_json(
                folder / "lesion.json",
                {
                    "stratum": member.lesion.stratum,
                    "depth": member.lesion.depth,
                    "grey_matter_ml": member.lesion.ml,
                    "radius_mm": round(place.radius, 3),
                    "region": place.region,
                    "centre_template": place.centre,
                },
            )
