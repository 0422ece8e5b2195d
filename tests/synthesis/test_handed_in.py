"""PET that others hand in: what counts is what fits, and Mean PET scores as Mean PET."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from mri2pet.datasets.selection import synthesis_rows
from mri2pet.errors import InputError
from mri2pet.evaluation.image_metrics import measure_visits
from mri2pet.files import write_json, write_tsv
from mri2pet.synthesis.handed_in import (
    Grid,
    files_of,
    kit_table,
    method_of,
    read_submission,
    volumes_of,
    with_folds,
)
from mri2pet.synthesis.write import write_synthesis

SHAPE = (12, 14, 12)
AFFINE = np.array([[3.0, 0, 0, -18], [0, 3, 0, -20], [0, 0, 3, -10], [0, 0, 0, 1]])


@pytest.fixture
def grid():
    mask = np.zeros(SHAPE, bool)
    mask[1:-1, 1:-1, 1:-1] = True
    return Grid(mask, AFFINE)


@pytest.fixture
def visits():
    rows = [("A", "bl"), ("A", "m12"), ("B", "bl"), ("C", "bl"), ("D", "bl")]
    table = pd.DataFrame(rows, columns=["subject", "visit"]).reset_index()
    return table.assign(group="CN", age=70.0, sex="F", kind=[*["paired"] * 4, "mri_only"])


@pytest.fixture
def folds():
    return pd.DataFrame({"subject": [*"ABCD"], "fold": [0, 1, 1, 0]})


@pytest.fixture
def tested(visits, folds):
    return with_folds(visits, folds)


def put(folder, subject, visit, volume=None, affine=AFFINE, ending="_pet.nii.gz"):
    folder.mkdir(parents=True, exist_ok=True)
    volume = np.full(SHAPE, 0.5, np.float32) if volume is None else volume
    path = folder / f"sub-{subject}_ses-{visit}{ending}"
    nib.save(nib.Nifti1Image(volume, affine), path)
    return path


@pytest.fixture
def whole(tmp_path, tested):
    """Return a folder with a PET of everybody who is asked for."""
    folder = tmp_path / "My method"
    for row in tested.itertuples():
        for fold in (row.fold,) if row.kind == "paired" else (0, 1):
            put(folder / f"fold-{fold}", row.subject, row.visit)
    return folder


def test_all_that_is_asked_for_is_read_and_what_lies_outside_the_brain_is_zero(whole, tested, grid):
    found = read_submission(whole, tested, grid)
    folds = {key[0]: sorted(own) for key, own in found.items()}
    assert folds == {"A": [0], "B": [1], "C": [1], "D": [0, 1]}
    assert len(found) == 5
    for volume in (volume for own in found.values() for volume in own.values()):
        assert volume.dtype == np.float32
        np.testing.assert_array_equal(volume, np.where(grid.mask, np.float32(0.5), 0))


def test_names_of_derivatives_and_one_folder_for_all_are_taken_too(tmp_path, tested, grid):
    for row in tested.itertuples():
        long = "_space-MNI152_res-64_trc-18FFDG_desc-x_pet.nii"
        put(tmp_path / "flat" / f"sub-{row.subject}", row.subject, row.visit, ending=long)
    found = read_submission(tmp_path / "flat", tested, grid)
    assert len(found) == 5 and all(list(own) == [None] for own in found.values())


def test_pet_made_without_two_folds_in_the_folder_of_a_runs_model_are_not_read(whole, tested, grid):
    put(whole / "without-0-1/nifti", "A", "bl", np.ones(SHAPE, np.float32))
    assert read_submission(whole, tested, grid)["A", "bl"][0].max() == 0.5


def test_an_archive_of_arrays_is_taken(tmp_path, tested, grid):
    rng = np.random.default_rng(0)
    own = {f"sub-{row.subject}_ses-{row.visit}": rng.random(SHAPE) for row in tested.itertuples()}
    np.savez(tmp_path / "mine.npz", **own)
    assert files_of(tmp_path / "mine.npz") == [str(tmp_path / "mine.npz")]
    found = read_submission(tmp_path / "mine.npz", tested, grid)
    inside = own["sub-B_ses-bl"].astype(np.float32)[grid.mask]
    np.testing.assert_array_equal(found["B", "bl"][None][grid.mask], inside)


def test_an_archive_that_is_none_is_named(tmp_path, tested, grid):
    (tmp_path / "mine.npz").write_text("no archive")
    with pytest.raises(InputError, match=r"mine\.npz: cannot be read"):
        read_submission(tmp_path / "mine.npz", tested, grid)


def test_other_axes_of_the_same_grid_are_the_same_pet(whole, tested, grid):
    rng = np.random.default_rng(0)
    volume = rng.random(SHAPE).astype(np.float32)
    turned = AFFINE.copy()
    turned[:, 0], turned[:3, 3] = -AFFINE[:, 0], AFFINE[:3, 3] + AFFINE[:3, 0] * (SHAPE[0] - 1)
    put(whole / "fold-1", "B", "bl", volume[::-1], turned)
    found = read_submission(whole, tested, grid)
    np.testing.assert_array_equal(found["B", "bl"][1][grid.mask], volume[grid.mask])


def spoil(fault, folder):
    """Spoil a submission; return what the message must name."""
    if fault == "missing":
        (folder / "fold-1/sub-C_ses-bl_pet.nii.gz").unlink()
        return r"no PET of subject C, visit bl \(1 of 5 are missing\)"
    if fault == "an MRI-only visit of one fold":
        (folder / "fold-1/sub-D_ses-bl_pet.nii.gz").unlink()
        return r"no PET of subject D, visit bl \(1 of 5 are missing\)"
    if fault == "unknown person":
        return put(folder, "Z", "bl").name + ": subject Z, visit bl is not among"
    if fault == "unknown visit":
        return put(folder, "A", "m24").name + ": subject A, visit m24 is not among"
    if fault == "other fold":
        (folder / "fold-1/sub-B_ses-bl_pet.nii.gz").rename(
            folder / "fold-0/sub-B_ses-bl_pet.nii.gz"
        )
        return "subject B is tested in fold 1, and what made the PET of fold 0"
    if fault == "twice":
        put(folder / "again", "A", "bl")
        return "a second PET of subject A, visit bl"
    if fault == "shape":
        put(folder / "fold-0", "A", "bl", np.zeros((12, 12, 12), np.float32))
        return r"has \(12, 12, 12\) voxels"
    if fault == "affine":
        put(folder / "fold-0", "A", "bl", affine=np.diag([3.0, 3, 3, 1]))
        return "its affine is not that of the run's grid"
    if fault == "not finite":
        volume = np.full(SHAPE, 0.5, np.float32)
        volume[5, 5, 5] = np.nan
        put(folder / "fold-0", "A", "bl", volume)
        return "1 voxels of the brain are not finite"
    if fault == "name":
        (folder / "fold-0/sub-A_ses-bl_pet.nii.gz").rename(folder / "fold-0/A.nii.gz")
        return "A.nii.gz: is not called sub-"
    (folder / "fold-0/sub-A_ses-bl_pet.nii.gz").write_bytes(b"no image")
    return "not a readable NIfTI"


FAULTS = (
    "missing", "unknown person", "unknown visit", "other fold", "twice", "shape", "affine",
    "not finite", "name", "damaged", "an MRI-only visit of one fold",
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_fit_is_refused_by_name(whole, tested, grid, fault):
    named = spoil(fault, whole)
    with pytest.raises(InputError, match=named):
        read_submission(whole, tested, grid)


def test_not_finite_outside_the_brain_is_no_fault(whole, tested, grid):
    volume = np.full(SHAPE, 0.5, np.float32)
    volume[0, 0, 0] = np.nan
    put(whole / "fold-0", "A", "bl", volume)
    assert np.isfinite(read_submission(whole, tested, grid)["A", "bl"][0]).all()


def test_pet_made_for_other_folds_are_refused_by_the_kits_table(whole, tested, grid):
    write_tsv(whole / "people.tsv", kit_table(tested))
    assert str(whole / "people.tsv") in files_of(whole)
    read_submission(whole, tested, grid)
    others = tested.assign(fold=tested["fold"].where(tested["subject"] != "C", 0))
    write_tsv(whole / "people.tsv", kit_table(others))
    with pytest.raises(InputError, match="subject C, visit bl is in fold 0, and in this run in"):
        read_submission(whole, tested, grid)


def test_the_kit_names_each_file_that_is_asked_for(tested, whole):
    kit = kit_table(tested)
    assert set(kit["file"]) == {path.name for path in whole.rglob("*.nii.gz")}
    assert kit["file"].is_unique


@pytest.mark.parametrize(("name", "method"), [("My method", "my_method"), ("v2.1.npz", "v2_1")])
def test_a_submission_is_called_by_its_folder(tmp_path, name, method):
    assert method_of(tmp_path / name) == f"handed_in_{method}"


@pytest.mark.parametrize("missing", ["nowhere", "empty"])
def test_where_nothing_is_handed_in(tmp_path, missing):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="submission: "):
        files_of(tmp_path / missing)


def test_mean_pet_handed_in_scores_as_mean_pet_to_the_last_digit(
    tmp_path, visits, folds, tested, grid
):
    rng = np.random.default_rng(0)
    real = (rng.random((5, *SHAPE)) * grid.mask).astype(np.float32)
    write_json(tmp_path / "dataset.json", {"affine": AFFINE.tolist()})
    scores = {}
    for fold in (0, 1):
        rows = synthesis_rows(visits, folds, fold)
        learnt = tested[(tested["fold"] != fold) & (tested["kind"] == "paired")]
        mean = real[learnt["index"]].mean(axis=0)
        out = tmp_path / f"mean_pet/fold-{fold}"
        made = np.broadcast_to(mean, (len(rows), *SHAPE))
        about = {"description": tmp_path / "dataset.json", "sources": []}
        paths = {"array": out / "pet.npy", "table": out / "visits.tsv", "nifti": out / "nifti"}
        write_synthesis(made, rows, model="mean_pet", **about, **paths)
        scores[fold] = measure_visits(rows, real, made, grid.mask, fold)
    found = read_submission(tmp_path / "mean_pet", tested, grid)
    for fold in (0, 1):
        rows = synthesis_rows(visits, folds, fold)
        made = volumes_of(found, rows, fold)
        again = measure_visits(rows, real, made, grid.mask, fold)
        pd.testing.assert_frame_equal(again, scores[fold], check_exact=True)
