"""Real FDG-PET keeps to the default limits; another person's amyloid PET, or an MRI, does not."""

import numpy as np
import pytest

from mri2pet.cohorts.tracers import is_fdg
from mri2pet.errors import ScanError
from mri2pet.imaging import acpc, bias, intensity, qc, register, resample, skullstrip
from mri2pet.imaging.field_of_view import field_of_view
from mri2pet.imaging.volume import array, like, load_scan, load_volume

pytestmark = pytest.mark.slow
VOXEL = np.array([2.0, 2.0, 2.0])
AMYLOID = "pet/centiloid_sample_pet.nii.gz"
FDG = {"pet/TEMPLATE_FDGPET_100.nii": "mean of a hundred", "pet/SPM12_OldNorm_PET.nii": "SPM's"}


@pytest.fixture(scope="module")
def grid(atlases):
    """Return the grid, the brain and the cerebellum on it, and the template with its mask."""
    template, mask = (load_volume(atlases / f"mni152_{n}.nii.gz") for n in ("t1", "brain_mask"))
    inside = resample.res2_grid(mask)
    brain = array(inside) > 0
    labels = resample.on_grid(load_volume(atlases / "aal.nii.gz"), inside)
    return inside, brain, intensity.reference_region("cerebellum", labels, brain), template, mask


def head(path, grid):
    """Bring a scan that is listed as a T1 to the template; return brain, matrix, MRI, mask."""
    inside, _, _, template, mask = grid
    scan = load_scan(path)
    marks = acpc.find_landmarks(scan, template, mask)
    to_acpc = acpc.acpc_transform(marks)
    initial = marks.affine @ np.linalg.inv(to_acpc)
    image, _ = bias.n4(acpc.apply_acpc(scan, to_acpc), 8, mask, initial)
    own = skullstrip.brain_mask(image, "deepbet")
    brain = like(image, intensity.normalise(array(image), own))
    matrix = register.brain_to_template(brain, template, mask)
    placed, found = resample.resample_brain(brain, like(image, own), matrix, inside)
    return brain, matrix, array(placed), array(found) > 0


@pytest.fixture(scope="module")
def person(real, grid):
    """Return a person's brain in AC-PC space, its matrix and its MRI in template space."""
    return head(real / "t1/ds000240_sub-01_T1w.nii.gz", grid)


def judge(pet, matrix, mri, grid, limits):
    """Measure and judge a PET as the stage does."""
    inside, brain, region, *_ = grid
    field = field_of_view(pet, matrix, inside, brain)
    data = array(resample.resample(field.pet, matrix, inside.affine, inside.shape))
    seen = brain & field.seen
    scaled, measures = intensity.scale_uptake(data, region, seen, 2.0)
    measures |= {"brain_seen": field.share(brain), "reference_seen": field.share(region)}
    measures |= qc.pet_measures(scaled, mri, seen, VOXEL)
    qc.verdict(measures, qc.limits_of(limits, is_fdg("18FFDG")))
    return measures


@pytest.mark.parametrize("name", FDG)
def test_fdg_stays(real, grid, person, config, name):
    brain, matrix, mri, _ = person
    pet = load_scan(real / name)
    pose, _ = register.pet_to_mri(pet, brain)
    measures = judge(pet, matrix @ pose, mri, grid, config["preproc"]["qc"])
    assert measures["brain_seen"] == 1


@pytest.mark.parametrize("name", [AMYLOID, "t1/bold5000_sub-CSI1_T1w.nii.gz"])
def test_no_fdg_is_out(real, grid, person, config, name):
    brain, matrix, mri, _ = person
    pet = load_scan(real / name)
    pose, _ = register.pet_to_mri(pet, brain)
    with pytest.raises(ScanError, match="this is no FDG-PET"):
        judge(pet, matrix @ pose, mri, grid, config["preproc"]["qc"])


def test_the_persons_own_mri_as_a_pet_is_out(real, grid, person, config):
    brain, matrix, mri, _ = person
    pet = load_scan(real / "t1/ds000240_sub-01_T1w.nii.gz")
    pose, _ = register.pet_to_mri(pet, brain)
    with pytest.raises(ScanError, match="is it an MRI"):
        judge(pet, matrix @ pose, mri, grid, config["preproc"]["qc"])


def test_an_mri_stays_and_a_pet_in_its_place_is_out(real, grid, person, config):
    _, brain, _, template, _ = grid
    target = array(resample.res2_grid(template))
    limits = config["preproc"]["qc"]
    qc.verdict(qc.mri_measures(person[2], person[3], target, brain, VOXEL), limits)
    _, _, image, mask = head(real / AMYLOID, grid)
    measures = qc.mri_measures(image, mask, target, brain, VOXEL)
    with pytest.raises(ScanError, match="as blurred as a PET"):
        qc.verdict(measures, limits)
