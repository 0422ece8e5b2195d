"""PET of an epilepsy study in the space of the template, without scanners and registration.

Uptake, lesions, scanner resolution and noise are those of the simulated study; in place of what a
registration leaves, the anatomy is moved by small smooth displacements.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from mri2pet.simulation.anatomy import regional_uptake
from mri2pet.simulation.epilepsy_people import Member, plan_members
from mri2pet.simulation.lesion import place_lesion
from mri2pet.simulation.pet import FWHM, NOISE_FWHM, activity
from mri2pet.simulation.template import Template
from mri2pet.simulation.uptake import regions

VOXEL, SHAPE, ORIGIN = 3, (53, 63, 46), (-78, -112, -50)  # the default grid of the space


@dataclass(frozen=True)
class Study:
    """PET (n, X, Y, Z) of controls and patients, lesions likewise, brain mask and affine."""

    controls: np.ndarray
    patients: np.ndarray
    lesions: np.ndarray
    mask: np.ndarray
    affine: np.ndarray


def coarse(template: Template) -> Template:
    """The template on the grid of the space: means of blocks, and the label in their middle."""
    first = np.rint(np.array(ORIGIN) - template.affine[:3, 3]).astype(int) - VOXEL // 2
    box = tuple(slice(f, f + VOXEL * n) for f, n in zip(first, SHAPE, strict=True))

    def mean(volume):
        part = volume[(..., *box)]
        split = [size for n in SHAPE for size in (n, VOXEL)]
        return part.reshape(*part.shape[:-3], *split).mean((-5, -3, -1)).astype(np.float32)

    affine = np.diag([VOXEL, VOXEL, VOXEL, 1.0])
    affine[:3, 3] = ORIGIN
    middle = VOXEL // 2
    region = template.region[box][middle::VOXEL, middle::VOXEL, middle::VOXEL]
    return replace(
        template,
        affine=affine,
        t1=mean(template.t1),
        tissue=mean(template.tissue),
        brain=mean(template.brain),
        region=region,
    )


def scan(template: Template, member: Member) -> tuple[np.ndarray, np.ndarray]:
    """One member's PET, and the mask of the lesion."""
    rng = member.person.rng("bl")
    table = regions(list(template.names))
    uptake = regional_uptake(member.person, table, member.person.age, 0.0, np.ones(116))
    cortex, mask = None, np.zeros(template.brain.shape, bool)
    if member.lesion is not None:
        place = place_lesion(template, member.lesion, member.person.rng("place"))
        cortex, mask = place.cortex(member.lesion.depth), place.mask
    shape = template.brain.shape
    index = np.indices(shape).astype(np.float32)
    for width, mm in ((6, 1.0), (3, 0.6)):
        for axis in range(3):
            noise = gaussian_filter(rng.standard_normal(shape, np.float32), width, mode="wrap")
            index[axis] += mm / VOXEL * noise / noise.std()
    moved = map_coordinates(activity(template, uptake, cortex), index, order=1)
    blurred = gaussian_filter(moved, FWHM / 2.3548 / VOXEL)
    width = NOISE_FWHM / 2.3548 / VOXEL
    grain = gaussian_filter(rng.standard_normal(shape, np.float32), width)
    level = rng.uniform(0.02, 0.03) / grain.std()
    return blurred + level * np.sqrt(np.maximum(blurred, 0) + 0.02) * grain, mask


def make_study(template: Template, controls: int, patients: int, depth: float) -> Study:
    """A study whose lesions all have one depth."""
    block = {"paired": controls, "mri_only": 0, "patients": patients}
    block["lesion"] = {"depth": [depth, depth], "ml": [4, 8]}
    small = coarse(template)
    scans = [scan(small, member) for member in plan_members(block, 1)]
    mask = small.brain > 0.5
    pet = np.stack([pet * mask for pet, _ in scans])
    pet /= np.percentile(pet[:, mask], 99.5, axis=1)[:, None, None, None]
    pet = np.clip(pet, 0, 1).astype(np.float32)
    lesions = np.stack([lesion & mask for _, lesion in scans[controls:]])
    return Study(pet[:controls], pet[controls:], lesions, mask, small.affine)
