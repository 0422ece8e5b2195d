"""People out of a folder of loose MRIs, and everybody with an MRI out of BIDS and ADNI."""

import numpy as np
import pytest
from nibabel import Nifti1Image, save

from mri2pet.cohorts import find_reader, mri_files
from mri2pet.cohorts.contract import validate_cohort
from mri2pet.errors import InputError

STUDY = {"name": "applied", "mri_alone": True, "groups": ["CN", "AD"]}


def image(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    save(Nifti1Image(np.ones((4, 4, 4), np.float32), np.eye(4)), path)


def dicom(folder, count=2):
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number}.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\0" * 8)


def table(folder, schema):
    listing = mri_files.list_inputs(folder, STUDY)["listing"]
    cohort, exclusions = mri_files.read(folder, STUDY, listing)
    validate_cohort(cohort, schema.parent / "cohort.schema.yaml")
    return cohort, exclusions


def test_each_file_and_each_folder_of_dicom_is_a_person(tmp_path, schema):
    image(tmp_path / "my T1_01.nii.gz")
    image(tmp_path / "deep/er/second.nii")
    dicom(tmp_path / "patient 3/series")
    (tmp_path / "notes.txt").write_text("no MRI")
    (tmp_path / ".hidden.nii").write_bytes(b"")
    cohort, exclusions = table(tmp_path, schema)
    assert sorted(cohort["subject"]) == ["myT101", "second", "series"]
    assert set(cohort["kind"]) == {"mri_only"} and cohort["group"].isna().all()
    assert exclusions.empty
    assert find_reader(tmp_path, STUDY)[0] == "mri_files"


def test_a_series_at_the_top_is_named_after_the_folder(tmp_path, schema):
    folder = tmp_path / "Jo-1"
    dicom(folder)
    assert list(table(folder, schema)[0]["subject"]) == ["Jo1"]


def test_same_names_in_other_folders_are_other_people(tmp_path, schema):
    for person in ("a", "b"):
        image(tmp_path / person / "T1.nii.gz")
    assert list(table(tmp_path, schema)[0]["subject"]) == ["aT1", "bT1"]


@pytest.mark.parametrize("names", [("a-b.nii", "a_b.nii"), ("---.nii.gz",)])
def test_names_that_tell_nobody_apart_are_refused(tmp_path, names):
    for name in names:
        image(tmp_path / name)
    with pytest.raises(InputError, match="rename it"):
        mri_files.read(tmp_path, STUDY, mri_files.list_inputs(tmp_path, STUDY)["listing"])


def test_a_table_beside_them_tells_who_they_are(tmp_path, schema):
    for name in ("s_1.nii.gz", "s2.nii.gz", "s3.nii.gz"):
        image(tmp_path / name)
    rows = ["participant_id\tage\tsex\tgroup", "s_1\t71\tfemale\tCN", "sub-s2\tn/a\tM\tother"]
    (tmp_path / "participants.tsv").write_text("\n".join(rows) + "\n")
    cohort = table(tmp_path, schema)[0].set_index("subject")
    assert cohort.loc["s1", ["age", "sex", "group"]].tolist() == [71.0, "F", "CN"]
    assert cohort.loc[["s2", "s3"], "age"].isna().all()
    assert cohort.loc["s2", "sex"] == "M"
    assert cohort.loc[["s2", "s3"], "group"].isna().all(), "a group that is not known is none"


@pytest.mark.parametrize(
    ("text", "message"),
    [("participant_id\tage\ns1\told\n", "line 2, age"), ("who\ns1\n", "no column participant_id")],
)
def test_a_wrong_table_is_named(tmp_path, text, message):
    image(tmp_path / "s1.nii.gz")
    (tmp_path / "participants.tsv").write_text(text)
    with pytest.raises(InputError, match=message):
        mri_files.read(tmp_path, STUDY, ["s1.nii.gz"])


def test_content_that_is_not_here_is_an_exclusion(tmp_path, schema):
    image(tmp_path / "s1.nii.gz")
    (tmp_path / "s2.nii.gz").symlink_to(tmp_path / ".git/annex/objects/none")
    cohort, exclusions = table(tmp_path, schema)
    assert list(cohort["subject"]) == ["s1"]
    assert "datalad get" in exclusions["reason"].iloc[0]


def test_no_training_begins_with_a_folder_of_loose_files(tmp_path):
    image(tmp_path / "s1.nii.gz")
    with pytest.raises(InputError, match="is none of these") as told:
        find_reader(tmp_path, {"name": "dementia"})
    assert "folder of T1-weighted" not in str(told.value)
    assert "name a bundle" in str(told.value)
    (tmp_path / "s1.nii.gz").rename(tmp_path / "s1.txt")
    with pytest.raises(InputError) as told:
        find_reader(tmp_path, {"name": "dementia"})
    assert "name a bundle" not in str(told.value)


def test_an_empty_folder_is_told_what_it_could_be(tmp_path):
    with pytest.raises(InputError, match=r"^raw: .* is none of these") as told:
        find_reader(tmp_path, STUDY)
    assert "folder of T1-weighted" in str(told.value)
