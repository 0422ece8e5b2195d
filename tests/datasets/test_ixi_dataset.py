"""The arrays of IXI: rows in order, what is excluded left out and listed."""

import json

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from mri2pet.datasets.ixi_pack import of_split, pack_ixi, read_split
from mri2pet.errors import InputError
from mri2pet.files import read_tsv, write_json
from mri2pet.synthesis.write_contrast import write_contrast

SHAPE = (6, 5, 4)


def people(tmp_path, splits, excluded=()):
    rows, files, sidecars = [], {"t2": [], "pd": []}, []
    for n, split in enumerate(splits):
        row = {"subject": f"IXI{n:03d}", "visit": "bl", "group": "HC", "age": 30.0 + n}
        rows.append({**row, "sex": "F", "site": "Guys", "split": split, "t2_file": "x"})
        for place, name in enumerate(files):
            path = tmp_path / f"{n}_{name}.nii.gz"
            affine = np.diag([2.0, 2, 3, 1])
            affine[0, 3] = n
            nib.save(nib.Nifti1Image(np.full(SHAPE, n + 10.0 * place, np.float32), affine), path)
            files[name].append(path)
        sidecars.append(tmp_path / f"{n}.json")
        reason = {"Excluded": {"stage": "prepare_ixi", "reason": "80 slices"}}
        write_json(sidecars[-1], reason if n in excluded else {})
    return pd.DataFrame(rows), files, sidecars


@pytest.fixture
def outputs(tmp_path):
    names = {"t2": "t2.npy", "pd": "pd.npy", "visits": "v.tsv", "description": "d.json",
             "excluded": "e.tsv"}  # fmt: skip
    return {name: tmp_path / "out" / file for name, file in names.items()}


def test_rows_belong_to_their_volumes(tmp_path, outputs):
    pack_ixi(*people(tmp_path, ["train", "val", "test", "train"], excluded=[0]), outputs)
    visits = read_tsv(outputs["visits"])
    assert visits["subject"].tolist() == ["IXI001", "IXI002", "IXI003"]
    assert visits["index"].tolist() == [0, 1, 2]
    arrays = outputs["t2"], outputs["pd"]
    for split, number in (("val", 1), ("test", 2), ("train", 3)):
        t2, pd_ = read_split(arrays, visits, split)
        assert t2.shape == pd_.shape == (1, *SHAPE)
        assert (t2 == number).all()
        assert (pd_ == number + 10).all()
    assert of_split(visits, "val", "test")["subject"].tolist() == ["IXI001", "IXI002"]
    description = json.loads(outputs["description"].read_text())
    assert [affine[0][3] for affine in description["affines"]] == [1, 2, 3]
    excluded = read_tsv(outputs["excluded"]).iloc[0]
    assert (excluded["subject"], excluded["stage"], excluded["reason"]) == (
        "IXI000",
        "prepare_ixi",
        "80 slices",
    )


def test_a_part_of_the_split_that_is_gone_stops_the_run(tmp_path, outputs):
    with pytest.raises(InputError, match=r"nobody is left to test; 1 of 3 .* 80 slices"):
        pack_ixi(*people(tmp_path, ["train", "val", "test"], excluded=[2]), outputs)


def test_volumes_of_another_grid_are_named(tmp_path, outputs):
    given = people(tmp_path, ["train", "val", "test"])
    nib.save(nib.Nifti1Image(np.ones((5, 5, 5), np.float32), np.eye(4)), given[1]["pd"][1])
    with pytest.raises(InputError, match=r"1_pd.nii.gz: has \(5, 5, 5\) voxels"):
        pack_ixi(*given, outputs)


def test_synthesised_volumes_are_written_one_by_one(tmp_path, outputs):
    pack_ixi(*people(tmp_path, ["train", "val", "test"]), outputs)
    rows = of_split(read_tsv(outputs["visits"]), "val", "test")
    made = (np.full(SHAPE, k, np.float32) for k in (5, 6))
    write_contrast(made, rows, "t2_pd_g3", "pd", outputs["description"], ["a", "b"],
                   tmp_path / "v.npy", tmp_path / "v.tsv", tmp_path / "nifti")  # fmt: skip
    assert np.load(tmp_path / "v.npy")[:, 0, 0, 0].tolist() == [5, 6]
    image = nib.load(tmp_path / "nifti/sub-IXI002_ses-bl_res-model_desc-t2pdg3_PDw.nii.gz")
    assert image.affine[0, 3] == 2
    assert (image.get_fdata() == 6).all()
    sidecar = json.loads(
        (tmp_path / "nifti/sub-IXI002_ses-bl_res-model_desc-t2pdg3_PDw.json").read_text()
    )
    assert (sidecar["Split"], sidecar["Model"], sidecar["DatasetRow"]) == ("test", "t2_pd_g3", 2)
