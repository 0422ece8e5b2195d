"""The arrays of IXI: rows in order, what is excluded left out and listed."""

import json
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from fakes import run_script
from mri2pet.datasets.selection import of_split, select_training, synthesis_rows
from mri2pet.files import read_tsv, write_json, write_tsv
from mri2pet.synthesis.write import write_synthesis

SHAPE = (6, 5, 4)


def people(folder, splits, excluded=()):
    """Write the cohort table, the standardised volumes and the sidecars of some people."""
    rows, files = [], {"t2": [], "pd": [], "mri_sidecar": []}
    for n, split in enumerate(splits):
        row = {"subject": f"IXI{n:03d}", "visit": "bl", "group": "HC", "age": 30.0 + n}
        row |= {"kind": "mri_only", "pet_file": None}
        rows.append({**row, "sex": "F", "site": "Guys", "split": split, "t2_file": "x"})
        if split is None:
            continue
        for place, name in enumerate(("t2", "pd")):
            path = folder / f"{n}_{name}.nii.gz"
            affine = np.diag([2.0, 2, 3, 1])
            affine[0, 3] = n
            nib.save(nib.Nifti1Image(np.full(SHAPE, n + 10.0 * place, np.float32), affine), path)
            files[name].append(path)
        files["mri_sidecar"].append(folder / f"{n}.json")
        reason = {"Excluded": {"stage": "prepare_ixi", "reason": "80 slices"}}
        write_json(files["mri_sidecar"][-1], reason if n in excluded else {})
    write_tsv(folder / "cohort.tsv", pd.DataFrame(rows))
    return files | {"cohort": folder / "cohort.tsv"}


@pytest.fixture
def pack(tmp_path):
    names = {"t2": "t2.npy", "pd": "pd.npy", "mask": "m.npy", "visits": "v.tsv",
             "description": "d.json", "excluded": "e.tsv"}  # fmt: skip
    outputs = {name: tmp_path / "out" / file for name, file in names.items()}
    params = {"arrays": {"t2": "a T2", "pd": "a PD"}, "about": {"intensity": "standardised"},
              "columns": ["site", "split"], "ixi_controls": [], "whole_atlas": True}  # fmt: skip

    def run(files):
        run_script("pack_dataset", files, outputs, tmp_path / "log.txt", **params)
        return outputs

    return run


def test_rows_belong_to_their_volumes(tmp_path, pack):
    outputs = pack(people(tmp_path, ["train", "val", None, "test", "train"], excluded=[0]))
    visits = read_tsv(outputs["visits"])
    columns = ["index", "subject", "visit", "group", "age", "sex", "site", "split"]
    assert visits.columns.tolist() == columns
    assert visits["subject"].tolist() == ["IXI001", "IXI003", "IXI004"]
    assert visits["index"].tolist() == [0, 1, 2]
    for split, number in (("val", 1), ("test", 3), ("train", 4)):
        rows = of_split(visits, split)["index"].to_list()
        t2, pd_ = (np.load(outputs[name], mmap_mode="r")[rows] for name in ("t2", "pd"))
        assert t2.shape == pd_.shape == (1, *SHAPE)
        assert (t2 == number).all()
        assert (pd_ == number + 10).all()
    description = json.loads(outputs["description"].read_text())
    assert [affine[0][3] for affine in description["affines"]] == [1, 3, 4]
    assert (description["t2"], description["intensity"]) == ("a T2", "standardised")
    mask = np.load(outputs["mask"])
    assert mask.shape == SHAPE and mask.dtype == bool and mask.all()
    excluded = read_tsv(outputs["excluded"], keep_default_na=False, na_values=[]).iloc[0]
    assert excluded.tolist() == ["IXI000", "bl", "n/a", "T2 and PD", "prepare_ixi", "80 slices"]


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_part_of_the_split_that_is_gone_stops_the_run(tmp_path, pack, gone):
    splits = ["train", "val", "test"]
    message = rf"nobody is left to {splits[gone]}; 1 of 3 .* 80 slices"
    with pytest.raises(SystemExit):
        pack(people(tmp_path, splits, excluded=[gone]))
    assert re.search(message, (tmp_path / "log.txt").read_text())


@pytest.mark.parametrize(
    ("name", "shape", "affine", "other"),
    [("pd", (5, 5, 5), np.diag([2.0, 2, 3, 1]), "0_t2"), ("t2", (5, 5, 5), np.eye(4), "0_t2"),
     ("pd", SHAPE, np.eye(4), "1_t2")],
)  # fmt: skip
def test_volumes_of_another_grid_are_named(tmp_path, pack, name, shape, affine, other):
    given = people(tmp_path, ["train", "val", "test"])
    nib.save(nib.Nifti1Image(np.ones(shape, np.float32), affine), given[name][1])
    with pytest.raises(SystemExit):
        pack(given)
    message = (tmp_path / "log.txt").read_text()
    assert re.search(rf"1_{name}.nii.gz: its grid differs from that of \S*{other}", message)


def test_people_are_trained_on_validated_on_and_synthesised_by_their_part_of_the_split():
    visits = pd.DataFrame({"subject": list("abcd"), "split": ["val", "train", "test", "train"]})
    training, held = select_training(visits, None, 0)
    assert (training["subject"].tolist(), held["subject"].tolist()) == (["b", "d"], ["a"])
    assert synthesis_rows(visits, None, 0)["subject"].tolist() == ["a", "c"]


@pytest.mark.parametrize(("target", "suffix"), [("pd", "PDw"), ("t2", "T2w")])
def test_synthesised_volumes_lie_where_their_people_do(tmp_path, pack, target, suffix):
    outputs = pack(people(tmp_path, ["train", "val", "test"]))
    rows = of_split(read_tsv(outputs["visits"]), "val", "test")
    made = np.stack([np.full(SHAPE, k, np.float32) for k in (5, 6)])
    write_synthesis(made, rows, "a_g3", outputs["description"], ["a", "b"], tmp_path / "v.npy",
                    tmp_path / "v.tsv", tmp_path / "nifti", "res-model", target)  # fmt: skip
    assert np.load(tmp_path / "v.npy")[:, 0, 0, 0].tolist() == [5, 6]
    assert "role" not in read_tsv(tmp_path / "v.tsv")
    stem = tmp_path / f"nifti/sub-IXI002_ses-bl_res-model_desc-ag3_{suffix}"
    image = nib.load(f"{stem}.nii.gz")
    assert image.affine[0, 3] == 2
    assert (image.get_fdata() == 6).all()
    sidecar = json.loads(Path(f"{stem}.json").read_text())
    assert (sidecar["Split"], sidecar["Model"], sidecar["DatasetRow"]) == ("test", "a_g3", 2)
    assert "standard deviations" in sidecar["Units"] and suffix in sidecar["Description"]
