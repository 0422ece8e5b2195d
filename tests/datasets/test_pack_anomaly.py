"""What the anomaly study adds to the packing of a dataset: lesions, roles, controls' folds."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from fakes import run_script
from mri2pet.datasets.folds import make_folds
from mri2pet.datasets.grids import resample_labels
from mri2pet.datasets.pack import (
    pack_volumes,
    select_visits,
    visit_files,
    visits_table,
    with_lesions_found,
)
from mri2pet.errors import InputError
from mri2pet.files import read_tsv, write_json, write_tsv

AFFINE, SHAPE = np.diag([3.0, 3.0, 3.0, 1.0]), (5, 6, 4)


@pytest.fixture
def study(tmp_path):
    """A control, a control with an MRI alone, a patient with and one without a known lesion."""
    rows, files = [], {key: [] for key in ("mri", "pet", "lesion", "mri_sidecar", "pet_sidecar")}
    for number, (role, kind, lesion) in enumerate(
        [
            ("control", "paired", None),
            ("control", "mri_only", None),
            ("patient", "paired", "raw.nii.gz"),
            ("patient", "paired", None),
        ]
    ):
        for name in ("mri", "pet", "lesion"):
            if (name == "pet" and kind == "mri_only") or (name == "lesion" and lesion is None):
                continue
            files[name].append(tmp_path / f"{number}_{name}.nii.gz")
            nib.save(
                nib.Nifti1Image(np.full(SHAPE, number + 1, np.float32), AFFINE), files[name][-1]
            )
            if name != "lesion":
                files[f"{name}_sidecar"].append(tmp_path / f"{number}_{name}.json")
                write_json(files[f"{name}_sidecar"][-1], {})
        row = {"subject": f"s{number}", "visit": "bl", "group": role, "role": role, "kind": kind}
        rows.append(row | {"age": "30", "sex": None, "lesion_file": lesion})
    return pd.DataFrame(rows), files


def packed(study, tmp_path):
    visits, later = select_visits(with_lesions_found(visit_files(*study)))
    pack_volumes(visits, {name: tmp_path / f"{name}.npy" for name in ("mri", "pet", "lesion")})
    return visits_table(visits, ["role"]), np.load(tmp_path / "lesion.npy"), later


def test_lesions_are_packed_with_their_patients(study, tmp_path):
    table, lesion, later = packed(study, tmp_path)
    assert table["role"].tolist() == ["control", "control", "patient", "patient"]
    assert lesion[:, 0, 0, 0].tolist() == [0, 0, 3, 0] and later.empty


def test_lesion_that_cannot_be_used_leaves_the_patient(study, tmp_path):
    study[1]["lesion"][0].write_bytes(b"")
    table, lesion, _ = packed(study, tmp_path)
    assert len(table) == 4 and not lesion.any()


def test_excluded_scan_of_a_study_without_image_ids(study, tmp_path):
    reason = {"stage": "skullstrip", "reason": "too small"}
    write_json(study[1]["mri_sidecar"][2], {"Excluded": reason})
    for name in ("mri", "pet", "lesion"):
        study[1][name][{"mri": 2, "pet": 1, "lesion": 0}[name]].write_bytes(b"")
    table, lesion, later = packed(study, tmp_path)
    assert table["subject"].tolist() == ["s0", "s1", "s3"] and not lesion.any()
    assert later["modality"].tolist() == ["MRI", "PET"] and later["image_id"].isna().all()


def test_people_of_ixi_are_packed_as_controls_with_an_mri_alone(study, tmp_path):
    table, files = study
    ixi = [(f"IXI{n:03d}", "bl", "HC", "50", "F", "Guys", "mri_only", "train") for n in (2, 12, 15)]
    columns = ["subject", "visit", "group", "age", "sex", "site", "kind", "split"]
    tables = {"cohort": table, "ixi": pd.DataFrame(ixi, columns=columns)}
    tables["regions"] = pd.DataFrame({"index": [1], "name": ["Precentral_L"]})
    files["mri"].append(tmp_path / "ixi.nii.gz")
    files["mri_sidecar"].append(tmp_path / "ixi.json")
    nib.save(nib.Nifti1Image(np.full(SHAPE, 9, np.float32), AFFINE), files["mri"][-1])
    write_json(files["mri_sidecar"][-1], {})
    for name in ("mask", "atlas"):
        files[name] = tmp_path / f"{name}.nii.gz"
        nib.save(nib.Nifti1Image(np.ones(SHAPE, np.uint8), AFFINE), files[name])
    for name, each in tables.items():
        files[name] = tmp_path / f"{name}.tsv"
        write_tsv(files[name], each)
    made = {name: tmp_path / f"results/{name}.npy" for name in ("mri", "pet", "lesion")}
    made |= {name: tmp_path / f"results/{name}.npy" for name in ("mask", "atlas")}
    made |= {name: tmp_path / f"results/{name}.tsv" for name in ("visits", "excluded")}
    made["description"] = tmp_path / "results/dataset.json"
    chosen = {"ixi_controls": [["IXI012", "bl"]], "about": {"space": "of a test"},
              "arrays": dict.fromkeys(("mri", "pet", "lesion"), "a test's"),
              "columns": ["kind", "role"], "whole_atlas": False}  # fmt: skip
    run_script("pack_dataset", files, made, tmp_path / "log.txt", **chosen)
    visits = read_tsv(made["visits"])
    assert visits["subject"].tolist() == ["s0", "s1", "s2", "s3", "IXI012"]
    last = visits.iloc[-1]
    assert (last["role"], last["group"], last["kind"]) == ("control", "control", "mri_only")
    assert (np.load(made["mri"])[last["index"]] == 9).all()
    assert not np.load(made["pet"])[last["index"]].any()


def test_controls_that_are_held_back_have_a_role_of_their_own(study, tmp_path):
    table, files = study
    second = table.iloc[0].to_dict() | {"subject": "s9"}
    table = pd.concat([table, pd.DataFrame([second])], ignore_index=True)
    for name in ("mri", "pet", "mri_sidecar", "pet_sidecar"):
        files[name].append(files[name][0])
    files["cohort"] = tmp_path / "cohort.tsv"
    write_tsv(files["cohort"], table)
    files["regions"] = tmp_path / "regions.tsv"
    write_tsv(files["regions"], pd.DataFrame({"index": [1], "name": ["Precentral_L"]}))
    for name in ("mask", "atlas"):
        files[name] = tmp_path / f"{name}.nii.gz"
        nib.save(nib.Nifti1Image(np.ones(SHAPE, np.uint8), AFFINE), files[name])
    arrays = ("mri", "pet", "lesion")
    made = {name: tmp_path / f"results/{name}.npy" for name in (*arrays, "mask", "atlas")}
    made |= {name: tmp_path / f"results/{name}.tsv" for name in ("visits", "excluded")}
    made["description"] = tmp_path / "results/dataset.json"
    how = {"arrays": dict.fromkeys(arrays, "a test's"), "about": {"space": "of a test"},
           "columns": ["kind", "role"], "whole_atlas": False, "ixi_controls": [],
           "further_controls": {"count": 1, "seed": 1}}  # fmt: skip
    run_script("pack_dataset", files, made, tmp_path / "log.txt", **how)
    roles = read_tsv(made["visits"]).set_index("subject")["role"]
    assert sorted(roles[["s0", "s9"]]) == ["control", "further"]
    assert roles[["s1", "s2", "s3"]].tolist() == ["control", "patient", "patient"]


def test_regions_outside_the_field_of_view_may_be_lost():
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[:4], labels[6:] = 1, 2
    image = nib.Nifti1Image(labels, np.eye(4))
    names = {1: "inside", 2: "below"}
    with pytest.raises(InputError, match="below"):
        resample_labels(image, np.eye(4), (4, 8, 8), names)
    made = resample_labels(image, np.eye(4), (4, 8, 8), names, complete=False)
    assert (made == 1).all()


def test_controls_are_dealt_evenly_of_each_kind():
    kinds = ["paired"] * 8 + ["mri_only"] * 4
    visits = pd.DataFrame({"subject": [f"s{n}" for n in range(12)], "kind": kinds})
    folds = make_folds(visits.assign(group="control"), 2, 1, groups=["control"])
    counts = folds.groupby(["kind", "fold"]).size()
    assert counts.tolist() == [2, 2, 4, 4]
    with pytest.raises(InputError, match="unknown group 'patient'"):
        make_folds(visits.assign(group="patient"), 2, 1, groups=["control"])
