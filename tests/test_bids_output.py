"""How the run's datasets are described, and what a sidecar says of where its image is from."""

import json

import pytest

from mri2pet.bids_output import derivative_description, ignored_files, source_uris
from mri2pet.errors import ScanError
from mri2pet.exclusion import run_stage

SIDECAR = "results/preproc/sub-01/ses-bl/anat/sub-01_ses-bl_desc-n4_T1w.json"


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("results/bids/sub-01/ses-bl/anat/a.nii.gz", "bids:cohort:sub-01/ses-bl/anat/a.nii.gz"),
        ("results/preproc/sub-01/b.nii.gz", "bids::sub-01/b.nii.gz"),
        ("results/preproc/../bids/a.nii.gz", "bids:cohort:a.nii.gz"),
        ("resources/atlases/t1.nii.gz", "resources/atlases/t1.nii.gz"),
        ("results/datasets/linear/mri.npy", "results/datasets/linear/mri.npy"),
        ("/data/ADNI/011_S_0005/t1.nii", "t1.nii"),
        ("../elsewhere/011_S_0005/t1.nii", "t1.nii"),
    ],
)
def test_a_source_is_named_from_its_dataset_or_the_run(tmp_path, monkeypatch, source, named):
    monkeypatch.chdir(tmp_path)
    assert source_uris([source], SIDECAR) == [named]
    if not source.startswith(("/", "..")):
        assert source_uris([tmp_path / source], tmp_path / SIDECAR) == [named]


@pytest.mark.parametrize(
    ("folder", "links"),
    [
        ("results/preproc", {"cohort": "../bids"}),
        (
            "results/gla_gan/synthesis/unet/fold-0/nifti",
            {"cohort": "../../../../../bids", "preproc": "../../../../../preproc"},
        ),
        ("results/x", {"cohort": "../bids", "preproc": "../preproc"}),
    ],
)
def test_derivatives_say_what_they_are_made_from(folder, links):
    about = derivative_description("Made", folder)
    assert about["DatasetType"] == "derivative" and about["GeneratedBy"][0]["Name"] == "mri2pet"
    assert about["DatasetLinks"] == links
    assert about["SourceDatasets"] == [{"URL": link} for link in links.values()]


def test_what_was_not_converted_is_ignored_and_nothing_else():
    stages = ("convert_mri", "convert_pet", "convert_ixi", "acpc", "cohort")
    rows = [{"subject": f"0{i}", "visit": "bl", "stage": stage} for i, stage in enumerate(stages)]
    assert ignored_files([*rows, rows[0]]) == [
        "sub-00/ses-bl/anat/sub-00_ses-bl_T1w.*",
        "sub-01/ses-bl/pet/sub-01_ses-bl_trc-*_pet.*",
        "sub-02/ses-bl/anat/sub-02_ses-bl_PDw.*",
        "sub-02/ses-bl/anat/sub-02_ses-bl_T2w.*",
    ]


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("inside", ["", "MP-RAGE/I7", "I7/ADNI_S1_I7.nii"])
def test_a_reason_does_not_say_where_a_raw_scan_lies(tmp_path, monkeypatch, relative, inside):
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "site/magrathea/011_S_0005"
    raw = place.relative_to(tmp_path) if relative else place

    def bad():
        raise ScanError(f"{place / inside if inside else raw}: slice 3 of 9 is missing")

    run_stage("convert_mri", bad, tmp_path / "a.json", [tmp_path / "a.nii"], [], raw=[raw])
    text = (tmp_path / "a.json").read_text()
    reason = json.loads(text)["Excluded"]["reason"]
    assert reason == f"{inside or '011_S_0005'}: slice 3 of 9 is missing"
    assert str(tmp_path) not in text and "magrathea" not in text and "Sources" not in text
