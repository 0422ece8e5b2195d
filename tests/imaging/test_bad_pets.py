"""Scans in the wrong place, and PET of others, are out by default; good ones stay."""

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

import fakes
from mri2pet.cohorts.tracers import is_fdg
from mri2pet.errors import ScanError
from mri2pet.files import read_json, write_json
from mri2pet.imaging import qc
from mri2pet.imaging.register import template_brain
from mri2pet.imaging.resample import res2_grid
from mri2pet.imaging.volume import array, load_volume, save_transform, save_volume

VOXEL = np.array([2.0, 2.0, 2.0])


@pytest.fixture(scope="module")
def template(atlases):
    """Return the template's T1 within its brain, the brain, and grey and white matter."""
    t1, mask = (load_volume(atlases / f"mni152_{n}.nii.gz") for n in ("t1", "brain_mask"))
    brain = array(res2_grid(mask)) > 0
    image = array(res2_grid(template_brain(t1, mask))) * brain
    grey, _ = qc.grey_and_deep_white(image, brain, VOXEL)
    return image, brain, grey, brain & ~grey & (image > image[grey].mean())


@pytest.fixture
def limits(config):
    return config["preproc"]["qc"]


def blurred(image, fwhm_mm=6.5):
    return ndimage.gaussian_filter(image.astype(np.float32), fwhm_mm / 2.355 / VOXEL)


def tracer(template, grey, white, other=0.1, fwhm_mm=6.5):
    """A PET of an uptake in each tissue, with a scanner's blur and some noise."""
    _, brain, gm, wm = template
    image = np.where(gm, grey, np.where(wm, white, np.where(brain, other, 0)))
    noise = np.random.default_rng(0).normal(0, 0.03, brain.shape)
    return np.clip(blurred(image, fwhm_mm) + blurred(noise, 4) * 3, 0, None) * brain / 2


def judge(pet, template, limits, label="18FFDG"):
    image, brain, *_ = template
    measures = qc.pet_measures(pet, image, brain, VOXEL)
    qc.verdict(measures, qc.limits_of(limits, is_fdg(label)))
    return measures


@pytest.mark.parametrize("white", [0.3, 0.4, 0.5])
@pytest.mark.parametrize("fwhm_mm", [4.0, 6.5, 8.0])
def test_fdg_stays(template, limits, white, fwhm_mm):
    judge(tracer(template, 1.0, white, fwhm_mm=fwhm_mm), template, limits)


AMYLOID = {"negative": (0.6, 1.0), "middling": (0.9, 1.1), "positive": (1.1, 1.1)}


@pytest.mark.parametrize("uptake", AMYLOID.values(), ids=AMYLOID)
def test_amyloid_in_place_of_fdg_is_out_and_as_itself_stays(template, limits, uptake):
    pet = tracer(template, *uptake, other=0.3)
    with pytest.raises(ScanError, match=r"pet_grey_white .* this is no FDG-PET"):
        judge(pet, template, limits)
    for label in ("18FAV45", "11CPIB", "18FFBB"):
        judge(pet, template, limits, label)


@pytest.mark.parametrize("fwhm_mm", [0.0, 1.5, 3.0])
def test_an_mri_in_place_of_a_pet_is_out(template, limits, fwhm_mm):
    image, brain, *_ = template
    mri = blurred(image, fwhm_mm) * brain if fwhm_mm else image
    with pytest.raises(ScanError, match="this is no FDG-PET"):
        judge(mri, template, limits)


def test_the_mri_itself_is_no_pet_of_any_tracer(template, limits):
    with pytest.raises(ScanError, match=r"pet_mri_information .* is it an MRI"):
        judge(template[0], template, limits, "18FAV45")


def test_a_pet_that_lies_elsewhere_tells_nothing_of_the_mri(template, limits):
    _, brain, *_ = template
    noise = np.random.default_rng(0).normal(1, 0.2, brain.shape)
    with pytest.raises(ScanError, match="the PET does not fit the MRI"):
        judge(blurred(noise) * brain, template, limits)


def mri_judged(image, template, limits):
    t1, brain, *_ = template
    measures = qc.mri_measures(image, brain, t1, brain, VOXEL)
    qc.verdict(measures, limits)
    return measures


def test_the_template_and_a_coarse_mri_stay(template, limits):
    mri_judged(template[0], template, limits)
    measures = mri_judged(blurred(template[0], 2.5), template, limits)
    assert measures["t1_detail"] < qc.detail(template[0], template[1], VOXEL)


WRONG_MRI = {
    "FDG": lambda template: tracer(template, 1.0, 0.4),
    "FDG, sharp": lambda template: tracer(template, 1.0, 0.4, fwhm_mm=2.0),
    "amyloid": lambda template: tracer(template, 0.6, 1.0),
    "T2": lambda template: (1 - template[0]) * template[1],
}


@pytest.mark.parametrize("scan", WRONG_MRI.values(), ids=WRONG_MRI)
def test_what_is_no_t1_is_out(template, limits, scan):
    with pytest.raises(ScanError, match=r"no T1-weighted MRI|this is no MRI"):
        mri_judged(scan(template), template, limits)


def test_measures_say_nothing_where_there_is_nothing():
    nothing = np.zeros((4, 4, 4), bool)
    grey, white = qc.grey_and_deep_white(np.zeros((4, 4, 4)), nothing, VOXEL)
    assert qc.grey_white_ratio(np.ones((4, 4, 4)), grey, white) is None
    assert qc.detail(np.ones((4, 4, 4)), ~nothing, VOXEL) == 0


CUTS = {  # of the PET's planes from above: what is left of it
    "whole": lambda data: data,
    "a little": lambda data: zeroed(data, 72),
    "half": lambda data: zeroed(data, 36),
    "below": lambda data: zeroed(data[..., ::-1], 70)[..., ::-1],
}


def zeroed(data, top):
    data = data.copy()
    data[..., top:] = 0
    return data


@pytest.fixture
def stage(template, atlases, tmp_path, limits):
    """Run the stage `resample_pet` on a PET of the template in its place; return its sidecar."""
    image, *_ = template
    grid = res2_grid(load_volume(atlases / "mni152_brain_mask.nii.gz"))
    save_volume(tmp_path / "image.nii.gz", nib.Nifti1Image(image.astype(np.float32), grid.affine))
    for name in ("rigid", "affine"):
        save_transform(tmp_path / f"{name}.txt", np.eye(4))
    write_json(tmp_path / "fine.json", {})

    def call(cut, label="18FFDG"):
        data = cut(5000 * tracer(template, 1.0, 0.4) + 1).astype(np.float32)
        save_volume(tmp_path / "pet.nii.gz", nib.Nifti1Image(data, grid.affine))
        given = {name: tmp_path / f"{name}.txt" for name in ("rigid", "affine")}
        given |= {name: tmp_path / f"{name}.nii.gz" for name in ("pet", "image")}
        given |= {"brain": atlases / "mni152_brain_mask.nii.gz", "atlas": atlases / "aal.nii.gz"}
        given |= dict.fromkeys(
            ("rigid_sidecar", "affine_sidecar", "image_sidecar"), tmp_path / "fine.json"
        )
        made = {name: tmp_path / f"{name}.nii.gz" for name in ("res2", "res64", "seen")}
        made["sidecar"] = tmp_path / "pet.json"
        settings = {"reference": "cerebellum", "ceiling": 2.0, "limits": limits, "tracer": label}
        fakes.run_script("resample_pet", given, made, tmp_path / "log.txt", **settings)
        return read_json(made["sidecar"]), made

    return call


def test_a_lesser_gap_is_masked_and_told(stage):
    whole, made = stage(CUTS["whole"])
    assert array(load_volume(made["seen"])).all()
    before = array(load_volume(made["res2"]))
    record, made = stage(CUTS["a little"])
    assert 0.98 <= record["Measures"]["brain_seen"] < 1
    assert record["Measures"]["reference_mean"] == whole["Measures"]["reference_mean"]
    after = array(load_volume(made["res2"]))
    assert not after[..., 72:].any() and before[..., 72:].any()
    np.testing.assert_allclose(after[..., :71], before[..., :71], atol=1e-4)
    seen, small = (array(load_volume(made[name])) for name in ("seen", "res64"))
    assert seen.shape == small.shape == (64, 64, 64)
    assert not small[..., 52:].any() and seen[..., :50].all() and (seen == 0).any()


@pytest.mark.parametrize("cut", ["half", "below"])
def test_a_larger_gap_is_a_reason(stage, cut):
    record, made = stage(CUTS[cut])
    assert record["Excluded"]["stage"] == "resample_pet"
    assert "brain_seen 0." in record["Excluded"]["reason"]
    assert "field of view leaves part of the brain out" in record["Excluded"]["reason"]
    assert ("part of the reference region out" in record["Excluded"]["reason"]) == (cut == "below")
    assert all(made[name].stat().st_size == 0 for name in ("res2", "res64", "seen"))
