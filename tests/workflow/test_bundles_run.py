"""The bundles of a whole run: what they make of a person with an MRI alone, and where it lies."""

import shutil

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage
from small_run import Run

from mri2pet.bundles import load_bundle, load_detector
from mri2pet.files import read_tsv
from mri2pet.imaging.resample import resample
from mri2pet.imaging.volume import array
from mri2pet.simulation.oracle import best_pet
from mri2pet.simulation.template import load_template
from mri2pet.simulation.truth import load_truth

pytestmark = pytest.mark.slow
TEXT = {"subject": str, "visit": str}
MODEL = "gla_gan/{}/local_regression"  # in closed form: good even of a handful of people


def alone(finished) -> tuple[str, str]:
    """Return subject and visit of a person who was synthesised with an MRI alone."""
    folder = finished.folder / "results" / MODEL.format("synthesis")
    rows = read_tsv(folder / "fold-0/visits.tsv", dtype=TEXT)
    paired = read_tsv(finished.folder / "results/cohort/dementia.tsv", dtype=TEXT)
    paired = set(paired.loc[paired["kind"] == "paired", "subject"])
    own = rows[(rows["role"] == "mri_only") & ~rows["subject"].isin(paired)].iloc[0]
    return own["subject"], own["visit"]


def t1_of(finished, subject, visit):
    name = f"sub-{subject}/ses-{visit}/anat/sub-{subject}_ses-{visit}_T1w.nii.gz"
    return finished.folder / "results/bids" / name


def test_every_model_of_the_tables_has_a_bundle(finished):
    for system in ("gla_gan", "dual_glow", "gan_anomaly", "ixi"):
        folder = finished.folder / "results" / system
        there = {path.name for path in (folder / "bundles").iterdir()}
        assert there == {path.name for path in (folder / "models").iterdir()}
    for path in (finished.folder / "results").glob("*/bundles/*"):
        load_bundle(path)


def test_a_detectors_bundle_judges_as_the_run_did(finished):
    folder = finished.folder / "results/gan_anomaly"
    (made,) = (folder / "detector_bundles").iterdir()  # of the one that the configuration names
    detector = load_detector(made)
    assert detector.about["learnt"]["synthetic"]
    own = folder / "detector" / made.name
    rows = read_tsv(own / "visits.tsv", dtype=TEXT)
    patients = rows.loc[rows["role"] == "patient", "dataset_index"]
    dataset = finished.folder / "results/datasets/anomaly"
    pet, seen = (np.load(dataset / f"{name}.npy", mmap_mode="r") for name in ("pet", "seen"))
    scores, ranks = (np.load(own / f"{name}.npy") for name in ("scores", "ranks"))
    for index, score, ranked in zip(patients, scores, ranks, strict=True):
        found = detector.scores(pet[index], seen[index])
        np.testing.assert_allclose(found, score, atol=1e-4)
        assert (detector.clusters(found, seen[index])[0] != ranked).mean() < 1e-4


def test_a_detectors_bundle_judges_a_raw_pet_as_the_run_did(finished, tmp_path):
    own = finished.folder / "results/gan_anomaly/detector/semi_3d"
    rows = read_tsv(own / "visits.tsv", dtype=TEXT)
    subject = rows.loc[rows["role"] == "patient", "subject"].iloc[0]
    study = finished.folder / "results/simulated/epilepsy"
    raw = tmp_path / "raw"
    shutil.copytree(study / f"sub-{subject}", raw / f"sub-{subject}")
    shutil.copy(study / "dataset_description.json", raw)
    elsewhere = Run(tmp_path / "elsewhere", finished.root)
    atlases = finished.folder / "resources/atlases"
    shutil.copytree(atlases, elsewhere.folder / "resources/atlases")
    bundle = finished.folder / "results/gan_anomaly/detector_bundles/semi_3d"
    elsewhere.snakemake("apply", "--config", f"bundle={bundle}", f"raw={raw}")
    made = elsewhere.folder / "results/applied"
    (image,) = made.glob(f"*/pet/sub-{subject}/ses-*/pet/*MNI152*_desc-semi3d_dseg.nii.gz")
    ranks = np.load(own / "ranks.npy")[0]
    assert (np.asarray(nib.load(image).dataobj) != ranks).mean() < 1e-4
    people = read_tsv(next(made.glob("*/people.tsv")), dtype=TEXT)
    assert people["clusters"].tolist() == [ranks.max()]


@pytest.mark.parametrize("model", ["local_regression", "unet_maps", "gla_gan"])
def test_a_bundle_makes_what_the_run_made(finished, monkeypatch, model):
    """Of a person with an MRI alone, from the raw T1 on and fold by fold."""
    from mri2pet.bundles.prepare import prepare

    monkeypatch.chdir(finished.folder)
    subject, visit = alone(finished)
    system = finished.folder / "results/gla_gan"
    bundle = load_bundle(system / "bundles" / model)
    ready = prepare(t1_of(finished, subject, visit), bundle.about)
    for fold, volume in enumerate(bundle.volumes(ready.maps)):
        folder = system / "synthesis" / model / f"fold-{fold}"
        rows = read_tsv(folder / "visits.tsv", dtype=TEXT)
        place = np.flatnonzero((rows["subject"] == subject) & (rows["visit"] == visit))[0]
        made = np.load(folder / "pet.npy")[place]
        # a network's sums depend on how many volumes it is given at once
        apart = 0 if model == "local_regression" else 1e-5
        np.testing.assert_allclose(volume, made, rtol=0, atol=apart)


def test_its_pet_lies_where_the_truth_has_the_persons(finished, monkeypatch):
    monkeypatch.chdir(finished.folder)
    subject, visit = alone(finished)
    bundle = load_bundle(finished.folder / "results" / MODEL.format("bundles"))
    pet = nib.as_closest_canonical(bundle.pet(t1_of(finished, subject, visit)))
    (truth,) = finished.folder.glob(f"results/simulated/truth/*{subject[-4:]}/{visit}")
    template = load_template(finished.folder / "results/simulated/template")
    true = best_pet(template, load_truth(truth), in_pet=False, voxel=[3.0] * 3)
    true = array(resample(true, np.eye(4), pet.affine, pet.shape, order=1))
    made, voxel = array(pet), nib.affines.voxel_sizes(pet.affine)
    inner = ndimage.binary_erosion(made > 0, iterations=4)
    made, true = (ndimage.gaussian_filter(v.astype(float), 2.5 / voxel) for v in (made, true))
    assert np.abs(shift_mm(made, true, inner, voxel)).max() < 0.5
    same = np.corrcoef(made[inner], true[inner])[0, 1]
    mirrored = np.corrcoef(made[inner], true[::-1][inner])[0, 1]
    assert same > 0.9 and same > mirrored + 0.05, "left stays left"


def shift_mm(made, true, inside, voxel) -> np.ndarray:
    """Return by how much one volume must be moved to lie on another: least squares, in steps."""
    shift = np.zeros(3)
    for _ in range(8):
        moved = ndimage.shift(true, shift / voxel, order=1)
        slopes = np.stack([slope[inside] for slope in np.gradient(moved)], axis=1) / voxel
        terms = np.column_stack([moved[inside], np.ones(inside.sum()), -slopes])
        found = np.linalg.lstsq(terms, made[inside], rcond=None)[0]
        shift += found[2:] / found[0]
    return shift
