"""The array of what is measured: packed, read only where there is a gap, and means without gaps."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from mri2pet.datasets.gaps import filled, mean_of_seen, measured, read_seen
from mri2pet.datasets.pack import pack_volumes, select_visits, visit_files
from mri2pet.errors import InputError
from mri2pet.files import write_json
from mri2pet.synthesis.mean_pet import mean_volume

SHAPE = (4, 5, 6)
VOLUMES = np.random.default_rng(0).random((3, *SHAPE), np.float32)


@pytest.fixture
def seen():
    found = np.ones(VOLUMES.shape, bool)
    found[1, :, :, 4:] = False
    return found


def test_a_mean_is_of_those_that_have_measured_it(seen):
    mean = mean_volume(VOLUMES, np.array([0, 1]), seen)
    np.testing.assert_allclose(mean[..., :4], VOLUMES[:2, ..., :4].mean(axis=0), atol=1e-6)
    np.testing.assert_array_equal(mean[..., 4:], VOLUMES[0, ..., 4:])
    volumes = VOLUMES.copy()
    volumes[1, ..., 4:] = 9  # whatever stands there
    np.testing.assert_array_equal(mean_volume(volumes, np.array([0, 1]), seen), mean)


def test_what_none_has_measured_is_as_the_nearest(seen):
    mean = mean_of_seen(VOLUMES[[1]], seen[[1]])
    np.testing.assert_array_equal(mean[..., 4], VOLUMES[1, ..., 3])
    np.testing.assert_array_equal(mean[..., 5], VOLUMES[1, ..., 3])
    for nothing in ((VOLUMES[:0], seen[:0]), (VOLUMES[:1], seen[:1] & False)):
        with pytest.raises(InputError, match="no volume"):
            mean_of_seen(*nothing)


def test_gaps_are_filled_and_nothing_else(seen):
    made = filled(VOLUMES, seen, np.full(SHAPE, 2, np.float32))
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made[seen], VOLUMES[seen])
    assert (made[~seen] == 2).all()


def test_seen_is_nothing_where_all_is_measured(tmp_path, seen):
    np.save(tmp_path / "seen.npy", seen)
    assert read_seen(None) is None and read_seen([]) is None
    assert read_seen(tmp_path / "seen.npy", [0, 2]) is None
    found = read_seen(tmp_path / "seen.npy")
    mask = np.ones(SHAPE, bool)
    np.testing.assert_array_equal(measured(mask, found, 1), seen[1])
    assert measured(mask, None, 1) is mask


def test_seen_is_packed_as_bool_and_true_without_a_pet(tmp_path):
    names, files = ("mri", "pet", "seen"), {"mri": [], "pet": [], "seen": []}
    sidecars = {"mri_sidecar": [], "pet_sidecar": []}
    kinds = ["paired", "mri_only", "paired", "paired"]
    for index, kind in enumerate(kinds):
        for name in names if kind == "paired" else names[:1]:
            data = np.full(SHAPE, 0.5, np.float32) if name != "seen" else np.ones(SHAPE, np.uint8)
            if name == "seen":
                data[..., : index // 2] = 0
            files[name].append(tmp_path / f"{index}_{name}.nii.gz")
            nib.save(nib.Nifti1Image(data, np.eye(4)), files[name][-1])
        for name in list(sidecars)[: 1 + (kind == "paired")]:
            sidecars[name].append(tmp_path / f"{index}_{name}.json")
            write_json(sidecars[name][-1], {})
    reason = {"stage": "resample_pet", "reason": "quality control: brain_seen 0.5 is below 0.98"}
    write_json(sidecars["pet_sidecar"][2], {"Excluded": reason})
    for name in ("pet", "seen"):
        files[name][2].write_bytes(b"")
    cohort = pd.DataFrame({"subject": list("abcd"), "visit": "bl", "kind": kinds})
    kept, excluded = select_visits(visit_files(cohort, files | sidecars))
    pack_volumes(kept, {name: tmp_path / f"{name}.npy" for name in names})
    packed = np.load(tmp_path / "seen.npy")
    assert packed.dtype == bool and packed.shape == (4, *SHAPE)
    assert packed.all(axis=(1, 2, 3)).tolist() == [True, True, False, True]
    assert excluded["reason"].tolist() == [reason["reason"]]
    assert [visit.row["kind"] for visit in kept] == ["paired", "mri_only", "paired", "mri_only"]
