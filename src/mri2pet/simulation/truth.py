"""What was put into a simulated visit, kept apart from its scans, and how to read it again.

All points are RAS world mm. `head` is the person's head before it lies down in a scanner:
`t1 = t1_from_head head`, `pet = pet_from_head head`, and the template's point of a head's is
`z + u(z)` with `z = inverse(head_from_template) head` and `u` the displacement in warp.nii.gz.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from mri2pet.files import read_json, write_json
from mri2pet.simulation.anatomy import Head
from mri2pet.simulation.mri import Labels, Scan
from mri2pet.simulation.people import Person, Visit
from mri2pet.simulation.template import Template
from mri2pet.simulation.warps import Deformation, Points, apply, grid_affine


@dataclass(frozen=True)
class Truth:
    """One visit's truth: `values` is truth.json; poses are 4x4, RAS world mm."""

    values: dict[str, Any]
    deformation: Deformation
    t1_from_head: NDArray[np.float64]
    pet_from_head: NDArray[np.float64] | None

    @property
    def t1_from_pet(self) -> NDArray[np.float64]:
        """Rigid 4x4 from points of the raw PET's world to the raw T1's."""
        if self.pet_from_head is None:
            raise ValueError("this visit has no PET")
        return self.t1_from_head @ np.linalg.inv(self.pet_from_head)

    def t1_to_template(self, points: Points) -> NDArray[np.float64]:
        """Map points (n, 3) of the raw T1's world to MNI152NLin2009cAsym."""
        return self.deformation.to_template(apply(np.linalg.inv(self.t1_from_head), points))

    def template_to_t1(self, points: Points) -> NDArray[np.float64]:
        """Map points (n, 3) of MNI152NLin2009cAsym to the raw T1's world."""
        return apply(self.t1_from_head, self.deformation.to_head(points))

    def template_to_pet(self, points: Points) -> NDArray[np.float64]:
        """Map points (n, 3) of MNI152NLin2009cAsym to the raw PET's world."""
        return apply(np.linalg.inv(self.t1_from_pet), self.template_to_t1(points))


def load_truth(folder: str | Path) -> Truth:
    """Load what `write_truth` wrote for one visit."""
    folder = Path(folder)
    values = read_json(folder / "truth.json")
    warp = np.moveaxis(np.asarray(nib.load(folder / "warp.nii.gz").dataobj, np.float32), -1, 0)
    pet = values["pet_from_head"]
    return Truth(
        values=values,
        deformation=Deformation(np.array(values["head_from_template"]), warp),
        t1_from_head=np.array(values["t1_from_head"]),
        pet_from_head=None if pet is None else np.array(pet),
    )


def write_truth(
    folder: Path,
    person: Person,
    visit: Visit,
    template: Template,
    head: Head,
    t1: Scan,
    labels: Labels,
    t1_pose: NDArray[np.float64],
    pet_pose: NDArray[np.float64] | None,
    pet: Scan | None,
    scanner: Mapping[str, Any] | None = None,
) -> None:
    """Write truth.json, brain_mask.nii.gz, tissue.nii.gz and warp.nii.gz (docs/data.md).

    `scanner` is named in truth.json where the study has several.
    """
    folder.mkdir(parents=True, exist_ok=True)
    brain = _canonical(labels.brain, t1.affine)
    nib.save(brain, folder / "brain_mask.nii.gz")
    nib.save(_canonical(labels.tissue, t1.affine), folder / "tissue.nii.gz")
    warp = np.moveaxis(head.deformation.displacement, 0, -1)
    nib.save(nib.Nifti1Image(warp, grid_affine()), folder / "warp.nii.gz")
    names = list(template.landmarks)
    points = head.deformation.to_head(np.array([template.landmarks[name] for name in names]))
    midline = mid_sagittal_point(head.deformation, *points[[names.index("AC"), names.index("PC")]])
    landmarks = dict(zip([*names, "mid_sagittal"], np.vstack([points, midline]), strict=True))

    def lying(pose: NDArray[np.float64] | None) -> dict[str, list[float]] | None:
        if pose is None:
            return None
        return {name: apply(pose, at[None])[0].round(4).tolist() for name, at in landmarks.items()}

    values = {
        "ptid": person.ptid,
        "visit": visit.code,
        "group": person.group,
        "sex": person.sex,
        "age": person.age_at(visit),
        "severity": person.severity_at(visit),
        "mri_image_id": visit.mri_image,
        "pet_image_id": visit.pet_image,
        "t1_from_head": t1_pose,
        "pet_from_head": pet_pose,
        "t1_from_pet": None if pet_pose is None else t1_pose @ np.linalg.inv(pet_pose),
        "pet_shape": None if pet is None else pet.data.shape[:3],
        "pet_affine": None if pet is None else pet.affine,
        "head_from_template": head.deformation.affine,
        "affine_mni2009c_from_t1": affine_fit(head.deformation, t1_pose, brain),
        "landmarks_t1": lying(t1_pose),
        "landmarks_pet": lying(pet_pose),
        "brain_ml": float(labels.brain.sum() * abs(np.linalg.det(t1.affine[:3, :3])) / 1000),
        "regions": {
            "name": list(template.names),
            "uptake": head.uptake.round(5),
            "expected_uptake": head.expected.round(5),
            "atrophy": head.atrophy.round(5),
        },
    }
    if scanner is not None:
        values["scanner"] = dict(scanner)
    write_json(folder / "truth.json", values)


def affine_fit(
    deformation: Deformation, pose: NDArray[np.float64], brain: nib.Nifti1Image
) -> NDArray[np.float64]:
    """Best 12-dof affine (least squares over the brain) from the raw T1's world to the template."""
    voxels = np.argwhere(np.asarray(brain.dataobj)[::3, ::3, ::3]) * 3
    points = apply(brain.affine, voxels)
    target = deformation.to_template(apply(np.linalg.inv(pose), points))
    fit, *_ = np.linalg.lstsq(np.c_[points, np.ones(len(points))], target, rcond=None)
    return np.vstack([fit.T, [0, 0, 0, 1]])


def mid_sagittal_point(
    deformation: Deformation, ac: NDArray[np.float64], pc: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Point 60 mm above AC, at a right angle to AC-PC, in the person's mid-sagittal plane.

    The plane contains AC and PC and fits best (least squares) the deformed midplane of the
    template between the hemispheres.
    """
    ys, zs = np.meshgrid(np.arange(-75, 56, 5.0), np.arange(10, 71, 5.0), indexing="ij")
    inside = (ys + 12) ** 2 / 75**2 + zs**2 / 72**2 < 1
    plane = np.stack([np.zeros(inside.sum()), ys[inside], zs[inside]], axis=-1)
    points = deformation.to_head(plane) - ac
    forward = (ac - pc) / np.linalg.norm(ac - pc)
    aside = np.cross(forward, [0.0, 0.0, 1.0])
    aside /= np.linalg.norm(aside)
    up = np.cross(aside, forward)
    slope = (points @ up) @ (points @ aside) / ((points @ up) @ (points @ up))
    direction = up + slope * aside
    return ac + 60 * direction / np.linalg.norm(direction)


def _canonical(data: NDArray[np.uint8], affine: NDArray[np.float64]) -> nib.Nifti1Image:
    """Turn a raw grid's volume to RAS order, as `nibabel.as_closest_canonical` turns its T1."""
    return nib.as_closest_canonical(nib.Nifti1Image(data, affine))
