import json

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from mri2pet.errors import InputError
from mri2pet.synthesis.write import write_synthesis

AFFINE = [[2.8, 0, 0, -90], [0, 3.4, 0, -126], [0, 0, 2.8, -72], [0, 0, 0, 1]]
STEM = "sub-011S0005_ses-bl_space-MNI152_res-64_trc-18FFDG_desc-glagan_pet"


@pytest.fixture
def rows():
    return pd.DataFrame(
        {
            "index": [3, 7],
            "subject": ["011S0005", "022S0001"],
            "visit": ["bl", "m12"],
            "role": ["test", "mri_only"],
        }
    )


def write(folder, rows, pet, **kwargs):
    (folder / "dataset.json").write_text(json.dumps({"affine": AFFINE}))
    write_synthesis(
        pet,
        rows,
        model="gla_gan",
        description=folder / "dataset.json",
        sources=["mri.npy", "generator.pt"],
        array=folder / "pet.npy",
        table=folder / "visits.tsv",
        nifti=folder / "nifti",
        **kwargs,
    )


def test_array_table_and_nifti_agree(tmp_path, rows):
    pet = np.random.default_rng(0).random((2, 4, 5, 6), np.float32)
    write(tmp_path, rows, pet)
    np.testing.assert_array_equal(np.load(tmp_path / "pet.npy"), pet)
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "visits.tsv", sep="\t", dtype={"subject": str}), rows,
        check_dtype=False,
    )  # fmt: skip
    image = nib.load(tmp_path / "nifti" / f"{STEM}.nii.gz")
    np.testing.assert_array_equal(image.get_fdata(dtype=np.float32), pet[0])
    np.testing.assert_allclose(image.affine, AFFINE, atol=1e-5)
    assert len(list((tmp_path / "nifti").iterdir())) == 5
    about = json.loads((tmp_path / "nifti/dataset_description.json").read_text())
    assert about["DatasetType"] == "derivative"
    assert about["GeneratedBy"] and about["SourceDatasets"]


def test_sidecar_says_where_the_volume_comes_from(tmp_path, rows):
    write(tmp_path, rows, np.zeros((2, 4, 4, 4), np.float32))
    sidecar = json.loads((tmp_path / "nifti" / f"{STEM}.json").read_text())
    assert sidecar["Sources"] == ["mri.npy", "generator.pt"]
    assert sidecar["GeneratedBy"][0]["Stage"] == "synthesis"
    assert (sidecar["Role"], sidecar["DatasetRow"], sidecar["Model"]) == ("test", 3, "gla_gan")


def test_two_runs_give_the_same_bytes(tmp_path, rows):
    pet = np.random.default_rng(0).random((2, 4, 4, 4), np.float32)
    contents = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, rows, pet)
        contents.append((tmp_path / name / "nifti" / f"{STEM}.nii.gz").read_bytes())
    assert contents[0] == contents[1]


def test_nifti_files_name_the_space_that_they_are_in(tmp_path, rows):
    pet = np.zeros((2, 4, 4, 4), np.float32)
    write(tmp_path, rows, pet, space="space-MNI152SyN_res-model")
    stems = {path.name.partition(".")[0] for path in (tmp_path / "nifti").iterdir()}
    assert STEM.replace("space-MNI152_res-64", "space-MNI152SyN_res-model") in stems
    assert not [stem for stem in stems if "res-64" in stem]


@pytest.mark.parametrize(
    ("tracer", "words"), [("18FFDG", "FDG"), ("18FAV45", "AV45"), ("11CPIB", "PIB")]
)
def test_nifti_files_name_their_tracer(tmp_path, rows, tracer, words):
    write(tmp_path, rows, np.zeros((2, 4, 4, 4), np.float32), tracer=tracer)
    sidecar = tmp_path / "nifti" / f"{STEM.replace('18FFDG', tracer)}.json"
    assert json.loads(sidecar.read_text())["Description"] == f"Synthetic {words}-PET"


def test_rows_and_volumes_must_agree(tmp_path, rows):
    with pytest.raises(InputError, match="1 synthetic volumes for 2 visits"):
        write(tmp_path, rows, np.zeros((1, 4, 4, 4), np.float32))
