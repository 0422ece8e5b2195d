"""A study of controls and patients as a BIDS folder: what is taken, left out, complained of."""

import pytest
from bids_fakes import bids, reasons_of, table_of

from mri2pet.cohorts.contract import COLUMNS
from mri2pet.cohorts.roles import check_roles
from mri2pet.errors import InputError

PEOPLE = [
    "participant_id\tage\tsex\tgroup",
    "sub-01\t31\tF\tcontrol",
    "sub-02\tn/a\tmale\tHC",
    "sub-03\t45.5\tM\tpatient",
]
FILES = [
    "sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz",
    "sub-01/ses-a/pet/sub-01_ses-a_trc-18FFDG_pet.nii.gz",
    "sub-02/anat/sub-02_T1w.nii",
    "sub-03/ses-b/anat/sub-03_ses-b_T1w.nii.gz",
    "sub-03/ses-b/pet/sub-03_ses-b_trc-18FFDG_pet.nii.gz",
    "derivatives/lesions/sub-03/ses-b/anat/sub-03_ses-b_label-lesion_mask.nii.gz",
    "derivatives/other/sub-03/ses-b/anat/sub-03_ses-b_T1w.nii.gz",
]


def read(root):
    table, exclusions = table_of(root)
    check_roles(table, {"name": "ds", "raw": root})
    return table, exclusions


def test_table(tmp_path):
    root = bids(tmp_path, PEOPLE, FILES)
    table, exclusions = read(root)
    assert list(table.columns) == list(COLUMNS) and exclusions.empty
    assert table["subject"].tolist() == ["01", "02", "03"]
    assert table["visit"].tolist() == ["a", "bl", "b"]
    assert table["group"].tolist() == table["role"].tolist() == ["control", "control", "patient"]
    assert table["kind"].tolist() == ["paired", "mri_only", "paired"]
    assert table["sex"].tolist() == ["F", "M", "M"]
    assert table["tracer"].tolist() == ["18FFDG", None, "18FFDG"]
    assert table.loc[1, ["age", "pet_file", "lesion_file", "mri_member"]].isna().all()
    assert table.loc[2, "lesion_file"] == f"{root}/{FILES[5]}"
    assert table.loc[0, "pet_file"] == f"{root}/{FILES[1]}"


@pytest.mark.parametrize(
    "changed, message",
    [
        (["participant\tage\tsex\tgroup", *PEOPLE[1:]], "participant_id is missing"),
        ([*PEOPLE, "sub-03\t1\tM\tpatient"], "line 5, participant_id: sub-03 stands there twice"),
        ([*PEOPLE[:3], "sub-03\t45\tM\tcousin"], r"sub-03 \(group 'cousin'\) is neither a control"),
        ([*PEOPLE[:3], "sub-03\t45\tM\tn/a"], r"sub-03 \(no group\) is neither a control"),
        (["participant_id\tage\tsex\tkind", *PEOPLE[1:]], "is neither a control nor a patient"),
        ([*PEOPLE[:3], "sub-03\told\tM\tpatient"], "line 4, age: 'old'"),
        ([*PEOPLE[:3], "sub-0_3\t4\tM\tpatient"], "line 4, participant_id: sub-0_3 is no BIDS"),
        (PEOPLE[:3], "no patient with"),
        ([PEOPLE[0], *PEOPLE[2:]], "no control with a T1w and a PET"),
    ],
)
def test_faults_are_named(tmp_path, changed, message):
    with pytest.raises(InputError, match=message):
        read(bids(tmp_path, changed, FILES))


def test_what_is_left_out_and_why(tmp_path):
    more = [
        "sub-04/ses-a/anat/sub-04_ses-a_T1w.nii.gz",  # a patient without PET
        "sub-05/ses-a/anat/sub-05_ses-a_T1w.nii.gz",  # in no table
        "sub-01/ses-a/anat/sub-01_ses-a_run-2_T1w.nii.gz",  # a second T1
        "sub-01/ses-c/anat/sub-01_ses-c_T1w.nii.gz",  # a second session
        "sub-02/pet/sub-02_trc-18FFMZ_pet.nii.gz",  # another tracer
    ]
    people = [*PEOPLE, "sub-04\t30\tF\tpatient", "sub-06\t30\tF\tcontrol"]
    table, exclusions = read(bids(tmp_path, people, FILES + more))
    assert table["subject"].tolist() == ["01", "02", "03"]
    assert table.loc[1, "kind"] == "mri_only"
    reasons = reasons_of(exclusions)
    assert set(reasons) == {"01", "02", "04", "05", "06"}
    assert "T1w and PET" in reasons["04"] and "no row" in reasons["05"]
    assert "run-2" in reasons["01"] and "ses-c" in reasons["01"]
    assert "tracer" in reasons["02"] and "T1w" in reasons["06"]


def test_session_with_a_pet_goes_first(tmp_path):
    files = [*FILES, "sub-02/ses-z/anat/sub-02_ses-z_T1w.nii.gz"]
    files.append("sub-02/ses-z/pet/sub-02_ses-z_trc-18FFDG_pet.nii.gz")
    table, _ = read(bids(tmp_path, PEOPLE, files))
    assert table.loc[1, ["visit", "kind"]].tolist() == ["z", "paired"]
