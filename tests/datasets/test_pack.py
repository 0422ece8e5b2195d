import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from mri2pet.datasets.grids import resample_labels, template_mask
from mri2pet.datasets.pack import (
    EXCLUSION_COLUMNS,
    VISIT_COLUMNS,
    pack_volumes,
    pool_exclusions,
    select_visits,
    visit_files,
    visits_table,
)
from mri2pet.errors import InputError
from mri2pet.files import write_json

AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])
SHAPE = (6, 7, 8)
NAMES = ("mri", "pet", "gm", "wm", "csf")
NO_ATLAS = {"stage": "register", "reason": "it does not look like the template"}


@pytest.fixture
def preprocessed(tmp_path):
    """Write the volumes and sidecars of three visits: paired, MRI-only, paired."""
    kinds = ["paired", "mri_only", "paired"]
    rng = np.random.default_rng(0)
    rows, files = [], {name: [] for name in (*NAMES, "mri_sidecar", "pet_sidecar")}
    for index, kind in enumerate(kinds):
        for name in NAMES:
            if name == "pet" and kind == "mri_only":
                continue
            files[name].append(tmp_path / f"{index}_{name}.nii.gz")
            data = rng.random(SHAPE, dtype=np.float32)
            nib.save(nib.Nifti1Image(data, AFFINE), files[name][-1])
        for name in ("mri_sidecar", "pet_sidecar")[: 1 + (kind == "paired")]:
            files[name].append(tmp_path / f"{index}_{name}.json")
            write_json(files[name][-1], {"Sources": []})
        row = {"subject": f"00{index}S0001", "visit": "bl", "group": "CN", "age": "70", "sex": "F"}
        pet = str(20 + index) if kind == "paired" else None
        rows.append(row | {"mri_member": str(10 + index), "pet_member": pet, "kind": kind})
    return pd.DataFrame(rows), files


def exclude(files, name, place, reason=NO_ATLAS):
    write_json(files[f"{name}_sidecar"][place], {"Excluded": reason})
    for kind in ("mri", "gm", "wm", "csf") if name == "mri" else ("pet",):
        files[kind][place].write_bytes(b"")


def test_volumes_are_packed_in_the_order_of_the_cohort(preprocessed, tmp_path):
    kept, later = select_visits(visit_files(*preprocessed))
    affine, shape = pack_volumes(kept, {name: tmp_path / f"{name}.npy" for name in NAMES})
    np.testing.assert_allclose(affine, AFFINE)
    assert shape == SHAPE
    for name in NAMES:
        rows = np.load(tmp_path / f"{name}.npy")
        assert rows.dtype == np.float32
        expected = [
            nib.load(tmp_path / f"{index}_{name}.nii.gz").get_fdata()
            if (tmp_path / f"{index}_{name}.nii.gz").exists()
            else np.zeros(SHAPE)
            for index in range(3)
        ]
        np.testing.assert_array_equal(rows, expected)
    table = visits_table(kept)
    assert tuple(table.columns) == (*VISIT_COLUMNS, "kind")
    assert table["index"].tolist() == [0, 1, 2]
    assert table["kind"].tolist() == ["paired", "mri_only", "paired"]
    assert later.empty


def test_an_excluded_pet_leaves_an_mri_alone(preprocessed, tmp_path):
    cohort, files = preprocessed
    exclude(files, "pet", 1, {"stage": "coregister", "reason": "no overlap"})
    kept, later = select_visits(visit_files(cohort, files))
    assert visits_table(kept)["kind"].tolist() == ["paired", "mri_only", "mri_only"]
    assert later.to_numpy().tolist() == [
        ["002S0001", "bl", "22", "PET", "coregister", "no overlap"]
    ]
    pack_volumes(kept, {"pet": tmp_path / "pet.npy"})
    assert not np.load(tmp_path / "pet.npy")[2].any()


def test_an_excluded_mri_takes_the_visit_out_with_its_pet(preprocessed, tmp_path):
    cohort, files = preprocessed
    exclude(files, "mri", 0)
    exclude(files, "pet", 0)  # the PET's stages pass on the reason of the MRI
    exclude(files, "mri", 1, {"stage": "convert_mri", "reason": "every voxel is zero"})
    kept, later = select_visits(visit_files(cohort, files))
    assert visits_table(kept)["subject"].tolist() == ["002S0001"]
    assert later.drop(columns="visit").to_numpy().tolist() == [
        ["000S0001", "10", "MRI", "register", NO_ATLAS["reason"]],
        ["000S0001", "20", "PET", "register", f"the MRI of the visit is excluded: "
         f"{NO_ATLAS['reason']}"],
        ["001S0001", "11", "MRI", "convert_mri", "every voxel is zero"],
    ]  # fmt: skip


def test_a_pet_with_a_fault_of_its_own_keeps_its_reason(preprocessed):
    cohort, files = preprocessed
    exclude(files, "mri", 0)
    exclude(files, "pet", 0, {"stage": "convert_pet", "reason": "truncated"})
    _, later = select_visits(visit_files(cohort, files))
    assert later[["modality", "reason"]].to_numpy().tolist() == [
        ["MRI", NO_ATLAS["reason"]],
        ["PET", "truncated"],
    ]


def test_nothing_left_stops_the_run(preprocessed):
    cohort, files = preprocessed
    for place in range(3):
        exclude(files, "mri", place)
    with pytest.raises(InputError, match="no visit is left: all 5 scans"):
        select_visits(visit_files(cohort, files))


def test_a_space_without_tissue_maps_is_packed_alike(preprocessed, tmp_path):
    cohort, files = preprocessed
    few = {key: paths for key, paths in files.items() if key not in ("gm", "wm", "csf")}
    kept, _ = select_visits(visit_files(cohort, few))
    assert [set(visit.volumes) for visit in kept] == [{"mri", "pet"}, {"mri"}, {"mri", "pet"}]
    pack_volumes(kept, {name: tmp_path / f"{name}.npy" for name in ("mri", "pet")})
    assert np.load(tmp_path / "mri.npy").shape == (3, *SHAPE)


def test_lists_of_another_length_are_refused(preprocessed):
    cohort, files = preprocessed
    with pytest.raises(ValueError, match=r"shorter|longer"):
        visit_files(cohort, files | {"gm": files["gm"][:2]})


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        (nib.Nifti1Image(np.ones(SHAPE), AFFINE * 1.1), "its grid differs from that of"),
        (nib.Nifti1Image(np.ones((6, 6, 6)), AFFINE), r"shape \(6, 6, 6\), expected \(6, 7, 8\)"),
        (nib.Nifti1Image(np.full(SHAPE, np.inf), AFFINE), "not finite"),
        (None, "empty, but no sidecar says why"),
    ],
)
def test_a_volume_that_does_not_fit_is_named(preprocessed, tmp_path, volume, message):
    cohort, files = preprocessed
    path = files["wm"][1]
    nib.save(volume, path) if volume else path.write_bytes(b"")
    kept, _ = select_visits(visit_files(cohort, files))
    with pytest.raises(InputError, match=rf"{path.name}: .*{message}"):
        pack_volumes(kept, {name: tmp_path / f"{name}.npy" for name in NAMES})
    assert not (tmp_path / "mri.npy").exists()


def test_exclusions_of_all_stages_are_pooled_in_one_order():
    first = pd.DataFrame([["b", None, "1", "MRI", "cohort", "x"]], columns=EXCLUSION_COLUMNS)
    later = pd.DataFrame([["a", "bl", "2", "PET", "n4", "y"]], columns=EXCLUSION_COLUMNS)
    pooled = pool_exclusions(first, later)
    assert tuple(pooled.columns) == EXCLUSION_COLUMNS
    assert pooled["subject"].tolist() == ["a", "b"]
    assert pool_exclusions(first.iloc[:0], later.iloc[:0]).empty


def test_a_scan_left_out_of_two_spaces_stands_once():
    cohort = pd.DataFrame([["b", None, "1", "MRI", "cohort", "x"]], columns=EXCLUSION_COLUMNS)
    linear = pd.DataFrame([["a", "bl", "2", "PET", "n4", "y"]], columns=EXCLUSION_COLUMNS)
    warped = pd.DataFrame([["c", "bl", "3", "MRI", "warp_mri", "z"]], columns=EXCLUSION_COLUMNS)
    nonlinear = pd.concat([warped, linear], ignore_index=True)
    pooled = pool_exclusions(cohort, linear, nonlinear)
    assert pooled["subject"].tolist() == ["a", "b", "c"]
    assert pooled["stage"].tolist() == ["n4", "cohort", "warp_mri"]


def test_the_mask_takes_voxels_that_are_at_least_half_in():
    fine = np.zeros((12, 12, 12), np.uint8)
    fine[:6] = 1  # six 1 mm planes: two 3 mm voxels
    source = nib.Nifti1Image(fine, np.eye(4))
    target = np.diag([3.0, 3.0, 3.0, 1.0])
    target[:3, 3] = 1  # centre of the first three voxels
    assert template_mask(source, target, (4, 4, 4)).sum() == 2 * 4 * 4
    target[0, 3] = 1.75  # the second voxel is now 1.75 of 3 mm outside
    assert template_mask(source, target, (3, 4, 4))[:, 0, 0].tolist() == [True, True, False]
    with pytest.raises(InputError, match="does not overlap"):
        template_mask(source, target + np.diag([0, 0, 0, 0]) + [[0, 0, 0, 99]] * 4, (4, 4, 4))


def test_holes_of_the_mask_are_filled():
    data = np.zeros((12, 12, 12), np.uint8)
    data[2:10, 2:10, 2:10] = 1
    data[4:8, 4:8, 4:8] = 0  # the ventricles
    mask = template_mask(nib.Nifti1Image(data, np.eye(4)), np.eye(4), (12, 12, 12))
    assert mask[5, 5, 5]
    assert mask.sum() == 8**3


def test_labels_go_by_majority_and_none_is_lost():
    fine = np.zeros((12, 12, 12), np.uint8)
    fine[:, :6], fine[:, 6:] = 5, 9
    fine[0:2, 0:3, 0:3] = 7  # fills two thirds of the first 3 mm voxel
    fine[9:, :6] = 0
    source = nib.Nifti1Image(fine, np.eye(4))
    target = np.diag([3.0, 3.0, 3.0, 1.0])
    target[:3, 3] = 1
    names = {5: "five", 7: "seven", 9: "nine"}
    labels = resample_labels(source, target, (4, 4, 4), names)
    assert labels.dtype == np.uint8
    assert labels[0, 0, 0] == 7
    assert labels[1, 0, 0] == 5
    assert labels[3, 0, 0] == 0
    assert labels[3, 3, 3] == 9
    with pytest.raises(InputError, match=r"1 of 4 atlas regions are lost on the grid .*11 \(lost"):
        resample_labels(source, target, (4, 4, 4), names | {11: "lost"})
    with pytest.raises(InputError, match="without a name"):
        resample_labels(source, target, (4, 4, 4), {5: "five"})


def test_all_aal_regions_survive_on_the_grid_of_the_networks(atlases):
    aal = nib.load(atlases / "aal.nii.gz")
    names = {label: str(label) for label in range(1, 117)}
    voxel = 180 / 64, 218 / 64, 180 / 64
    affine = np.diag([*voxel, 1.0])
    affine[:3, 3] = np.array([-90, -126, -72]) + np.array(voxel) / 2 - 1
    labels = resample_labels(aal, affine, (64, 64, 64), names)
    assert set(np.unique(labels)) == set(range(117))
    fine = np.asarray(aal.dataobj)
    ratio = np.bincount(labels.ravel())[1:] * np.prod(voxel) / np.bincount(fine.ravel())[1:117]
    assert np.median(np.abs(ratio - 1)) < 0.05  # volumes of regions are kept
