"""The BIDS folder itself: what is one, what is refused, content that is not there, lesions."""

import pytest
from bids_fakes import FDG, bids, reasons_of, scan, table_of

from mri2pet.cohorts.bids.reader import list_inputs, recognise
from mri2pet.cohorts.contract import EXCLUSION_COLUMNS
from mri2pet.errors import InputError

DESCRIPTION = {"Name": "x", "BIDSVersion": "1.9.0"}
DERIVED = DESCRIPTION | {"DatasetType": "derivative"}
PEOPLE = ["participant_id\tgroup", "sub-01\tcontrol", "sub-02\tpatient"]
FILES = [scan(s, None, k, e) for s in ("01", "02") for k, e in (("T1w", ""), ("pet", "trc-18FFDG"))]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([scan("01")], "the folder sub-01/anat"),
        ([scan("01", "a", "pet")], "the folder sub-01/ses-a/pet"),
        ({"dataset_description.json": DESCRIPTION}, "dataset_description.json"),
        (["011_S_0005/MPRAGE/x/I1/a.dcm", "collection.csv"], None),
        (["IXI002-Guys-0828-T2.nii.gz"], None),
        ({"dataset_description.json": {"Name": "no BIDS"}}, None),
    ],
)
def test_a_bids_folder_is_told_from_others(tmp_path, files, told):
    assert recognise(bids(tmp_path, None, files)) == told
    assert recognise(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    ("files", "root", "message"),
    [
        (["T1.nii.gz"], "study", "is not a BIDS folder: sub-<label>/ with anat/ or pet/"),
        ([f"rawdata/{scan('01')}"], "study", "study/rawdata is one"),
        ([scan("01", None, "pet")], "study", "holds no sub-.*_T1w.nii.gz"),
        ([scan("01", None, "T2w")], "study", "holds no sub-"),
        ([], "nowhere", "is no folder"),
        (["sub-01/anat/sub-01_{x}_T1w.nii.gz", scan("01")], "study", "has a brace in its name"),
    ],
)
def test_a_folder_that_is_none_is_refused_with_what_was_looked_for(tmp_path, files, root, message):
    bids(tmp_path, None, files)
    with pytest.raises(InputError, match=rf"studies.ds.raw: .*{message}"):
        list_inputs(tmp_path / root, {"name": "ds"})


@pytest.mark.parametrize(
    ("files", "place", "instead"),
    [
        ({"dataset_description.json": DERIVED, scan("01"): None}, "", "the raw dataset"),
        ({f"derivatives/prep/{scan('01')}": None, scan("01"): None}, "derivatives/prep", "{study}"),
        ({f"derivatives/prep/{scan('01')}": None, scan("01"): None}, "derivatives", "{study}"),
        ({f"derivatives/prep/{scan('01')}": None}, "derivatives/prep", "the raw dataset"),
    ],
)  # fmt: skip
def test_derivatives_are_refused_with_what_to_give(tmp_path, files, place, instead):
    root = bids(tmp_path, None, files)
    told = f"is a folder of derivatives; give {instead.format(study=root)}"
    with pytest.raises(InputError, match=told):
        list_inputs(root / place, {"name": "ds"})


def test_a_folder_of_processed_mri_alone_says_so(tmp_path):
    names = ("desc-preproc", "space-MNI152NLin6Asym", "space-T1w_desc-brain")
    root = bids(tmp_path, None, [scan("01", None, "T1w", name) for name in names])
    with pytest.raises(InputError, match=r"no visit of [^\n]*\n  1 x [^\n]*already processed"):
        table_of(root)


POINTERS = [
    b"/annex/objects/MD5E-s100--d41d8cd98f00b204e9800998ecf8427e.nii.gz\n",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
]


@pytest.mark.parametrize("kind", ["annex", "link", *POINTERS])
@pytest.mark.parametrize("suffix", ["T1w", "pet"])
def test_content_that_is_not_here_is_an_exclusion_and_not_the_end(tmp_path, kind, suffix):
    root = bids(tmp_path, PEOPLE, [*FILES, scan("01", None, "T1w", "run-2")])
    path = root / scan("01", None, suffix, "trc-18FFDG" if suffix == "pet" else "")
    path.unlink()
    if isinstance(kind, bytes):
        path.write_bytes(kind)
    else:
        path.symlink_to("../../.git/annex/objects/x" if kind == "annex" else "../../gone.nii.gz")
    before = list_inputs(root, {"name": "ds"})
    table, out = table_of(root)
    assert table["subject"].tolist() == ["01", "02"]
    assert str(path) not in [*table["mri_file"], *table["pet_file"]]
    assert table["kind"].tolist() == ["mri_only" if suffix == "pet" else "paired", "paired"]
    told = {"annex": "datalad get", "link": "a link to a file that is not there"}
    command = (
        "git lfs pull" if b"git-lfs" in (kind if isinstance(kind, bytes) else b"") else "datalad"
    )
    assert told.get(kind, command) in reasons_of(out)["01"]
    path.unlink()
    path.touch()
    assert list_inputs(root, {"name": "ds"}) != before  # fetched: the cohort is made again
    assert str(path) in [*table_of(root)[0]["mri_file"], *table_of(root)[0]["pet_file"]]


def test_a_person_whose_folder_was_not_fetched(tmp_path):
    root = bids(tmp_path, [*PEOPLE, "sub-03\tcontrol"], FILES)
    (root / "sub-03").mkdir()
    table, out = table_of(root)
    assert table["subject"].tolist() == ["01", "02"]
    assert "its folder is empty: run datalad get" in reasons_of(out)["03"]


def test_hidden_files_are_no_scans(tmp_path):
    table, out = table_of(bids(tmp_path, PEOPLE, [*FILES, "sub-01/anat/._sub-01_T1w.nii.gz"]))
    assert len(table) == 2 and out.empty


@pytest.mark.parametrize("name", ["participants.tsv", "sub-01/pet/sub-01_trc-18FFDG_pet.json"])
def test_tables_and_json_that_were_not_fetched(tmp_path, name):
    root = bids(tmp_path, PEOPLE, FILES)
    (root / name).unlink(missing_ok=True)
    (root / name).symlink_to("/nowhere/.git/annex/objects/x")
    if name == "participants.tsv":
        with pytest.raises(InputError, match=r"participants.tsv: .*datalad get"):
            table_of(root)
    else:
        table, out = table_of(root)
        assert table["kind"].tolist() == ["mri_only", "paired"]
        assert f"{name}: its content was not fetched: run datalad get" in reasons_of(out)["01"]
        assert str(root / name) not in list_inputs(root, {"name": "ds"})["tables"]


MASKS = [
    "derivatives/lesions/sub-02/anat/sub-02_label-lesion_mask.nii.gz",
    "derivatives/lesions/sub-02/anat/sub-02_mask.nii.gz",
    "derivatives/manual_masks/sub-02/anat/sub-02_T1w_label-lesion_roi.nii.gz",
    "derivatives/lesions/sub-02/anat/sub-02_roi.nii",
    "sub-02/anat/sub-02_label-lesion_roi.nii.gz",
    "sub-02/anat/sub-02_label-lesion_mask.nii.gz",
]


@pytest.mark.parametrize("mask", MASKS)
def test_the_lesion_of_a_patient(tmp_path, mask):
    control = mask.replace("sub-02", "sub-01")
    root = bids(tmp_path, PEOPLE, [*FILES, mask, control])
    table, out = table_of(root)
    assert table["lesion_file"].tolist() == [None, f"{root}/{mask}"] and out.empty


@pytest.mark.parametrize(
    "mask",
    ["derivatives/fs/sub-02/anat/sub-02_desc-brain_mask.nii.gz", "sub-02/anat/sub-02_roi.nii"],
)
def test_a_mask_of_something_else_is_no_lesion(tmp_path, mask):
    table, out = table_of(bids(tmp_path, PEOPLE, [*FILES, mask]))
    assert table["lesion_file"].isna().all() and out.empty


@pytest.mark.parametrize(
    ("pattern", "mask"),
    [
        (
            "derivatives/hand/*/anat/*_tumour.nii.gz",
            "derivatives/hand/sub-02/anat/sub-02_tumour.nii.gz",
        ),
        ("resections/*.nii.gz", "resections/sub-02_cavity.nii.gz"),
        ("derivatives/**/*_desc-L_mask.nii.gz", "derivatives/a/sub-02/sub-02_desc-L_mask.nii.gz"),
    ],
)
def test_a_pattern_finds_lesions_of_other_names(tmp_path, pattern, mask):
    root = bids(tmp_path, PEOPLE, [*FILES, mask, MASKS[0]])
    table, _ = table_of(root, lesions=pattern)
    assert table["lesion_file"].tolist() == [None, f"{root}/{mask}"]


def test_of_several_masks_that_of_the_mri_is_taken(tmp_path):
    files = [scan("02", s, k) for s, k in (("mri", "T1w"), ("pet", "pet"))]
    masks = [f"derivatives/lesions/sub-02/ses-{s}/anat/sub-02_ses-{s}_label-lesion_mask.nii.gz"
             for s in ("early", "mri", "pet")]  # fmt: skip
    root = bids(tmp_path, PEOPLE, dict.fromkeys([*files, *FILES[:2], *masks]) | {"pet.json": FDG})
    table, out = table_of(root)
    assert table["lesion_file"].tolist() == [None, f"{root}/{masks[1]}"]
    assert "one lesion mask a visit is used" in reasons_of(out)["02"]


@pytest.mark.parametrize("lesions", ["lesion_site", {"sub-02": "Temporal_Pole_Mid_L"}, {"02": "x"}])
def test_a_region_in_place_of_a_mask(tmp_path, lesions):
    people = [PEOPLE[0] + "\tlesion_site", PEOPLE[1] + "\tn/a", PEOPLE[2] + "\tTemporal_Pole_Mid_L"]
    table, _ = table_of(bids(tmp_path, people, FILES), lesions=lesions)
    region = lesions["02"] if lesions == {"02": "x"} else "Temporal_Pole_Mid_L"
    assert table["lesion_region"].tolist() == [None, region]
    assert table["lesion_file"].isna().all()
    with pytest.raises(InputError, match=r"studies.ds.lesions: 'where' is neither a pattern"):
        table_of(tmp_path / "study", lesions="where")


def test_exclusions_are_as_all_readers_write_them(tmp_path):
    _, out = table_of(bids(tmp_path, PEOPLE[:2], FILES))
    assert tuple(out.columns) == EXCLUSION_COLUMNS
    assert out["stage"].tolist() == ["cohort"]
    assert "sub-02 has no row in" in reasons_of(out)["02"]
