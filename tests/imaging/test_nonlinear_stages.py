"""The scripts of the nonlinear space: as the linear one without a warp, and past a bad scan."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

import fakes
from mri2pet.datasets.pack import select_visits, visit_files, visits_table
from mri2pet.errors import ScanError
from mri2pet.files import read_json, write_json
from mri2pet.imaging import syn
from mri2pet.imaging.register import template_brain
from mri2pet.imaging.volume import array, load_volume, save_transform, save_volume
from mri2pet.imaging.warp import Warp, save_warp

GRID = [40, 48, 40]
EMPTY = Warp(np.zeros((3, 20, 20, 20), np.float32), np.diag([10.0, 10.0, 10.0, 1.0]))
NO_HEAD = {"stage": "acpc", "reason": "no head found"}


@pytest.fixture
def visit(tmp_path, atlases):
    """One visit before the nonlinear space: the template as brain and, in a pose, as PET."""
    template, mask = (load_volume(atlases / f"mni152_{n}.nii.gz") for n in ("t1", "brain_mask"))
    brain = template_brain(template, mask)
    affine = np.diag([1.05, 0.98, 1.02, 1.0])
    affine[:3, 3] = [2, -3, 4]
    rigid = np.eye(4)
    rigid[:2, :2] = [[0.995, -0.0998], [0.0998, 0.995]]
    rigid[:3, 3] = [-5, 6, 1]
    to_acpc = np.linalg.inv(affine)
    save_volume(tmp_path / "image.nii.gz", nib.Nifti1Image(array(brain), to_acpc @ brain.affine))
    save_volume(tmp_path / "mask.nii.gz", nib.Nifti1Image(array(mask), to_acpc @ mask.affine))
    uptake = array(brain) * 8000 + 500 * (array(template) > 0)
    native = np.linalg.inv(rigid) @ to_acpc @ brain.affine
    save_volume(tmp_path / "pet.nii.gz", nib.Nifti1Image(uptake.astype(np.float32), native))
    save_transform(tmp_path / "affine.txt", affine)
    save_transform(tmp_path / "rigid.txt", rigid)
    for name in ("fine", "linear"):
        write_json(tmp_path / f"{name}.json", {"Sources": []})
    write_json(tmp_path / "bad.json", {"Sources": [], "Excluded": NO_HEAD})
    return tmp_path


@pytest.fixture
def run(visit, atlases):
    """Run a stage's script on files of the visit; return its sidecar."""

    def call(script, inputs, outputs, **params):
        shared = {"template": "mni152_t1", "brain": "mni152_brain_mask", "atlas": "aal"}
        given = {key: atlases / f"{name}.nii.gz" for key, name in shared.items()}
        given |= {key: visit / name for key, name in inputs.items()}
        made = {key: visit / name for key, name in outputs.items()}
        fakes.run_script(script.removesuffix(".py"), given, made, visit / "log.txt", **params)
        return read_json(made["sidecar"])

    return call


SCAN = {"image": "image.nii.gz", "mask": "mask.nii.gz", "affine": "affine.txt"}
PET = {"pet": "pet.nii.gz", "rigid": "rigid.txt", "affine": "affine.txt"}


def warp(run, sidecar="fine.json"):
    made = {"warp": "warp.nii.gz", "sidecar": "warp.json", "picture": "warp.png"}
    return run("warp_mri.py", SCAN | {"sidecar": sidecar}, made, voxel_mm=5.0, iterations=[3])


def resampled(run):
    """Run both resampling stages after `warp`; return their sidecars."""
    outputs = {"image": "mri15.nii.gz", "model": "mri.nii.gz", "sidecar": "mri.json"}
    source = SCAN | {"warp": "warp.nii.gz", "sidecar": "warp.json"}
    settings = {"stage": "resample_nonlinear", "grid": "res15", "model": GRID, "about": {}}
    mri = run("resample_mri.py", source, outputs, **settings)
    outputs = {"res15": "pet15.nii.gz", "model": "pet.model.nii.gz", "sidecar": "pet.json"}
    outputs |= {"seen": "seen.nii.gz"}
    source = PET | {"warp": "warp.nii.gz", "warp_sidecar": "warp.json"}
    source |= {"linear_sidecar": "linear.json"}
    return mri, run("resample_pet_nonlinear.py", source, outputs, grid=GRID, limits={})


def linear(run):
    """Run the linear space's stages on the same visit, on the same grid as far as it goes."""
    outputs = {"image": "mri2.nii.gz", "mask": "mask2.nii.gz", "model": "64.nii.gz"}
    settings = {"stage": "resample_mri", "grid": "res2", "model": [64, 64, 64], "about": {}}
    source = SCAN | {"sidecar": "fine.json"}
    run("resample_mri.py", source, outputs | {"sidecar": "mri2.json"}, **settings)
    sidecars = ("rigid_sidecar", "affine_sidecar", "image_sidecar")
    source = PET | {"image": "mri2.nii.gz"} | dict.fromkeys(sidecars, "fine.json")
    outputs = {"res2": "pet2.nii.gz", "res64": "64.nii.gz"}
    outputs |= {"seen": "seen64.nii.gz", "sidecar": "linear.json"}
    settings = {"reference": "cerebellum", "ceiling": 2.0, "limits": {}, "tracer": "18FFDG"}
    return run("resample_pet.py", source, outputs, **settings)


def on_common_grid(image, voxel_mm=6.0):
    """Means over cubes of 6 mm that the 2 mm and the 1.5 mm voxels fill; edges are cut."""
    n = round(voxel_mm / abs(image.affine[0, 0]))
    data = array(image)
    cut = data[tuple(slice(0, 28 * n if axis != 1 else 34 * n) for axis in range(3))]
    x, y, z = (side // n for side in cut.shape)
    return cut.reshape(x, n, y, n, z, n).mean(axis=(1, 3, 5))


def test_without_a_warp_both_are_as_in_the_linear_space(run, visit):
    save_warp(visit / "warp.nii.gz", EMPTY)
    write_json(visit / "warp.json", {"Sources": []})
    scale = linear(run)
    mri, pet = resampled(run)
    assert "Excluded" not in mri | pet
    assert pet["Measures"]["reference_mean"] == scale["Measures"]["reference_mean"]
    for name in ("mri", "pet"):
        one = load_volume(visit / f"{name}2.nii.gz")
        other = load_volume(visit / f"{name}15.nii.gz")
        assert other.shape == (121, 145, 121)
        a, b = on_common_grid(one), on_common_grid(other)
        inside = a > 0.2
        # cubes of the two grids are half a voxel's difference, .25 mm, apart
        assert np.abs(a - b)[inside].mean() < 0.02
        assert abs((a - b)[inside].mean()) < 0.005
        assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.995
    for name in ("mri.nii.gz", "pet.model.nii.gz"):
        small = load_volume(visit / name)
        assert small.shape == tuple(GRID)
        np.testing.assert_allclose(np.diag(small.affine)[:3], [4.5375, 4.53125, 4.5375])


@pytest.mark.parametrize("empty", [True, False])
def test_tissue_maps_go_through_the_warp_of_the_mri(run, visit, empty):
    """The affinely placed MRI in their stead lands where the MRI itself does."""
    if empty:
        save_warp(visit / "warp.nii.gz", EMPTY)
        write_json(visit / "warp.json", {"Sources": []})
    else:
        nodes = np.random.default_rng(1).normal(0, 6, (3, 12, 12, 12)).astype(np.float32)
        affine = np.diag([18.0, 20.0, 18.0, 1.0])
        affine[:3, 3] = [-95, -120, -75]
        save_warp(visit / "warp.nii.gz", Warp(nodes, affine))
        write_json(visit / "warp.json", {"Sources": []})
    linear(run)
    tissues = ("gm", "wm", "csf")
    source = SCAN | {"warp": "warp.nii.gz", "sidecar": "warp.json"}
    source |= dict.fromkeys(tissues, "mri2.nii.gz")
    outputs = {"image": "mri15.nii.gz", "model": "mri.nii.gz", "sidecar": "mri.json"}
    outputs |= {name: f"{name}.nii.gz" for name in tissues}
    settings = {"stage": "resample_nonlinear", "grid": "res15", "model": GRID, "about": {}}
    assert "Excluded" not in run("resample_mri.py", source, outputs, **settings)
    mri = load_volume(visit / "mri.nii.gz")
    for name in tissues:
        tissue = load_volume(visit / f"{name}.nii.gz")
        assert tissue.shape == tuple(GRID)
        np.testing.assert_allclose(tissue.affine, mri.affine)
        assert np.corrcoef(array(tissue).ravel(), array(mri).ravel())[0, 1] > 0.98
        assert np.abs(array(tissue) - array(mri)).mean() < 0.02


def test_a_warp_is_made_described_and_used(run, visit):
    record = warp(run)
    assert (record["From"], record["To"]) == ("AC-PC", "MNI152NLin6Asym")
    assert record["Measures"]["correlation"] > 0.99
    assert (visit / "warp.png").stat().st_size
    linear(run)
    mri, pet = resampled(run)
    assert "Excluded" not in mri | pet
    assert array(load_volume(visit / "mri.nii.gz")).max() > 0.5


def rows(visit, kind="paired"):
    """Cohort row and file lists of the visit, as the packing rule gives them."""
    cohort = pd.DataFrame(
        [{"subject": "002S0001", "visit": "bl", "group": "CN", "age": "70", "sex": "F"}]
    ).assign(mri_image_id="10", pet_image_id="20", kind=kind)
    names = {"mri": "mri.nii.gz", "mri_sidecar": "mri.json"}
    names |= {"pet": "pet.model.nii.gz", "pet_sidecar": "pet.json"}
    return cohort, {key: [visit / name] for key, name in names.items()}


def second(cohort, files, visit):
    """The same with a second visit that has an MRI alone and is fine."""
    write_json(visit / "other.json", {"Sources": []})
    more = cohort.assign(visit="m12", kind="mri_only", pet_image_id=None)
    files = {**files, "mri": [*files["mri"], visit / "image.nii.gz"]}
    files["mri_sidecar"] = [*files["mri_sidecar"], visit / "other.json"]
    return pd.concat([cohort, more], ignore_index=True), files


def test_a_scan_that_was_bad_before_passes_through_with_its_reason(run, visit):
    linear(run)
    write_json(visit / "linear.json", {"Sources": [], "Excluded": NO_HEAD})
    assert warp(run, "bad.json")["Excluded"] == NO_HEAD
    mri, pet = resampled(run)
    assert mri["Excluded"] == pet["Excluded"] == NO_HEAD
    for name in ("warp.nii.gz", "warp.png", "mri.nii.gz", "pet.model.nii.gz"):
        assert (visit / name).stat().st_size == 0


def test_a_scan_that_fails_in_syn_is_listed_and_the_rest_goes_on(run, visit, monkeypatch):
    linear(run)

    def fail(*_):
        raise ScanError("SyN gave up")

    monkeypatch.setattr(syn, "_syn", fail)
    reason = {"stage": "warp_mri", "reason": "SyN gave up"}
    assert warp(run)["Excluded"] == reason
    mri, pet = resampled(run)
    assert mri["Excluded"] == pet["Excluded"] == reason
    kept, excluded = select_visits(visit_files(*second(*rows(visit), visit)))
    assert visits_table(kept)["visit"].tolist() == ["m12"]
    assert excluded[["modality", "stage", "reason"]].to_numpy().tolist() == [
        ["MRI", "warp_mri", "SyN gave up"],
        ["PET", "warp_mri", "the MRI of the visit is excluded: SyN gave up"],
    ]
