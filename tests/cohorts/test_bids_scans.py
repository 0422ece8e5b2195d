"""Which scans of a BIDS folder are taken: sessions, tracers, and the better of several."""

import json
import re

import pytest
from bids_fakes import FDG, bids, reasons_of, scan, table_of

from mri2pet.errors import InputError

PEOPLE = ["participant_id\tgroup", "sub-01\tCN"]


def taken(tmp_path, files, people=PEOPLE, **settings):
    """Read a folder: visits as (visit, MRI, PET) by the names of their files, and the reasons."""
    files = files if isinstance(files, dict) else dict.fromkeys(files)
    root = bids(tmp_path, people, {"pet.json": FDG} | files)
    table, out = table_of(root, **settings)
    names = [
        tuple(file and file.rpartition("/")[2].partition(".")[0] for file in row)
        for row in zip(table["mri_file"], table["pet_file"], strict=True)
    ]
    return list(zip(table["visit"], *zip(*names, strict=True), strict=True)), reasons_of(out)


@pytest.mark.parametrize(
    ("better", "worse", "reason"),
    [
        ("run-2", "run-10", "one MRI a visit is used, .*run-2"),
        ("run-9", "run-11", "one MRI a visit is used, .*run-9"),
        ("", "run-2", "one MRI a visit is used"),
        ("acq-mprage", "ce-gd", "one MRI a visit is used, .*acq-mprage"),
        ("acq-mprage", "echo-1", "one MRI a visit is used"),
        ("acq-mprage", "desc-defaced", "one MRI a visit is used"),
        ("run-2", "part-phase_run-1", "part-phase: not the magnitude"),
        ("run-2", "desc-preproc", "desc-preproc: already processed"),
        ("run-2", "space-MNI152", "space-MNI152: already processed"),
    ],
)
def test_of_several_t1_the_better_is_taken(tmp_path, better, worse, reason):
    files = [
        scan("01", None, "T1w", better),
        scan("01", None, "T1w", worse),
        scan("01", None, "pet"),
    ]
    [(_, mri, _)], reasons = taken(tmp_path, files)
    assert mri == f"sub-01_{better + '_' if better else ''}T1w"
    assert worse in reasons["01"]
    assert re.search(reason, reasons["01"])


ORDER = [("T1w", ""), ("UNIT1", ""), ("MP2RAGE", "acq-UNI"), ("FLASH", "")]


@pytest.mark.parametrize("first", range(len(ORDER)))
def test_other_t1_weighted_mri_are_taken_in_their_order(tmp_path, first):
    files = [scan("01", None, suffix, entities) for suffix, entities in ORDER[first:]]
    files += [scan("01", None, "MP2RAGE", "inv-1"), scan("01", None, "pet")]
    [(_, mri, _)], reasons = taken(tmp_path, files)
    assert mri.endswith(ORDER[first][0])
    assert "inv-1_MP2RAGE.nii.gz: one inversion of an MP2RAGE" in reasons["01"]


@pytest.mark.parametrize(
    "name", ["sub-01_T1w_defaced", "sub-01_desc-defaced_T1w", "sub-01_acq-x_T1w"]
)
def test_a_defaced_t1_is_a_t1(tmp_path, name):
    [(_, mri, pet)], reasons = taken(
        tmp_path, [f"sub-01/anat/{name}.nii.gz", scan("01", None, "pet")]
    )
    assert mri == name and pet and not reasons


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("sub-01/anat/sub-01_T1w_brain.nii.gz", "does not end as BIDS has it"),
        ("sub-01/anat/sub-01_MPRAGE.nii.gz", "does not end as BIDS has it"),
        ("sub-01/pet/sub-01_trc-18FFDG.nii.gz", "does not end as BIDS has it"),
        ("sub-01/pet/sub-01_pet_nac.nii.gz", "does not end as BIDS has it"),
        ("sub-01/anat/sub-02_T1w.nii.gz", "differ in sub-<label>"),
        ("sub-01/ses-1/anat/sub-01_T1w.nii.gz", "differ in ses-<label>"),
        ("sub-01/ses-a_b/anat/sub-01_ses-a_b_T1w.nii.gz", "ses-a_b is no BIDS label"),
        ("sub-01/anat/sub-02_best_T1w.nii.gz", "differ in sub-<label>"),
    ],
)
def test_names_that_are_not_those_of_bids_are_listed(tmp_path, path, reason):
    files = [scan("01"), scan("01", None, "pet"), path]
    visits, reasons = taken(tmp_path, files)
    assert len(visits) == 1
    assert path in reasons["01"] and reason in reasons["01"]


@pytest.mark.parametrize(
    ("path"), ["sub-01/anat/sub-01_T2w.nii.gz", "sub-01/anat/sub-01_FLAIR.nii.gz", "T1w.nii.gz"]
)
def test_other_images_are_no_concern(tmp_path, path):
    _, reasons = taken(tmp_path, [scan("01"), scan("01", None, "pet"), path])
    assert not reasons


STATIC = {"FrameDuration": [1200], "FrameTimesStart": [0]}
DYNAMIC = {"FrameDuration": [60] * 20, "FrameTimesStart": list(range(0, 1200, 60))}
CORRECTED, BARE = {"AttenuationCorrection": "CT-based"}, {"AttenuationCorrection": "none"}


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (("acq-z", STATIC), ("acq-a", DYNAMIC)),
        (("rec-acstat", {}), ("rec-acdyn", {})),
        (("acq-static", {}), ("acq-dynamic", {})),
        (("rec-z", STATIC), ("rec-a", {"FrameDuration": [60, 60, 0]})),
        (("rec-acstat", {}), ("rec-nacstat", {})),
        (("rec-z", CORRECTED), ("rec-a", BARE)),
        (("rec-z", DYNAMIC), ("rec-NAC", STATIC)),
        (("rec-acdyn", {}), ("rec-nacstat", {})),
        (("acq-x", {}), ("acq-nonAC", {})),
        (("rec-dynac", {}), ("rec-dynnac", {})),
        (("MRAC", {}), ("NAC", {})),
        (("rec-z", {"AttenuationCorrection": "MRAC"}), ("rec-a", {"AttenuationCorrection": "no"})),
        (("rec-z", CORRECTED), ("rec-a", {})),
        (("run-2", {}), ("run-10", {})),
        (("run-2", DYNAMIC), ("run-10", DYNAMIC)),
    ],
)
def test_of_several_pet_the_better_is_taken(tmp_path, better, worse):
    files = {scan("01"): None}
    for entities, told in (worse, better):
        path = scan("01", None, "pet", entities)
        files |= {path: None, path.replace(".nii.gz", ".json"): told}
    [(_, _, pet)], reasons = taken(tmp_path, files)
    assert pet == f"sub-01_{better[0]}_pet"
    assert f"{worse[0]}_pet.nii.gz: one PET a visit is used" in reasons["01"]


@pytest.mark.parametrize(
    ("entities", "told", "tracer"),
    [
        ("trc-18FFDG", {}, None),
        ("trc-FDG", {}, None),
        ("acq-FDG", {}, None),
        ("acq-fdgdyn", {"TracerName": "n/a"}, None),
        ("FDG", {}, None),
        ("", {"TracerName": "[18F]FDG"}, None),
        ("", {"TracerName": "2-deoxy-2-[18F]fluoro-D-glucose", "TracerRadionuclide": "18F"}, None),
        ("", {"TracerName": "PiB", "TracerRadionuclide": "C11"}, "11CPIB"),
        ("", {"TracerName": "[11C]DASB"}, "11CDASB"),
        ("trc-18FAV45", {"TracerName": "florbetapir"}, "18FAV45"),
        ("", {}, "18FFDG"),
        ("", {"TracerName": "n/a"}, "18FFDG"),
    ],
)
def test_the_tracer_is_told_by_name_or_json_or_configuration(tmp_path, entities, told, tracer):
    path = scan("01", "1", "pet", entities)
    files = {scan("01", "1"): None, path: None, path.replace(".nii.gz", ".json"): told}
    settings = {"tracer": tracer} if tracer else {}
    table, out = table_of(bids(tmp_path, PEOPLE, files), **settings)
    assert table["kind"].tolist() == ["paired"] and out.empty
    assert table["tracer"].tolist() == [tracer or "18FFDG"]


@pytest.mark.parametrize("wanted", ["18FFDG", "11CPIB", "18FAV1451"])
def test_of_two_tracers_a_session_that_asked_for_is_taken(tmp_path, wanted):
    labels = ("11CPIB", "18FAV1451", "18FFDG")
    files = [scan("01"), *(scan("01", None, "pet", f"trc-{label}") for label in labels)]
    root = bids(tmp_path, PEOPLE, files)
    table, out = table_of(root, tracer=wanted)
    assert table["tracer"].tolist() == [wanted] and f"trc-{wanted}" in table.loc[0, "pet_file"]
    told = reasons_of(out)["01"]
    assert all(
        (f"its tracer is {label}, not {wanted}" in told) == (label != wanted) for label in labels
    )


def test_a_pet_of_no_known_tracer_is_asked_about_and_not_taken_for_fdg(tmp_path):
    people = [*PEOPLE, "sub-02\tCN"]
    files = [scan(s, None, k) for s in ("01", "02") for k in ("T1w", "pet")]
    with pytest.raises(InputError, match=r"studies.ds.tracer: .*set studies.ds.tracer: 18FFDG \(2"):
        table_of(bids(tmp_path, people, files))
    for told in ({"TracerName": "unknown"}, {"TracerName": ""}, {"Radiopharmaceutical": "saline"}):
        root = bids(tmp_path, people, dict.fromkeys(files) | {"sub-02/sub-02_pet.json": FDG})
        (root / "sub-01/pet/sub-01_pet.json").write_text(json.dumps(told))
        table, out = table_of(root)
        assert table["kind"].tolist() == ["mri_only", "paired"]
        assert "names no tracer" in reasons_of(out)["01"]


def test_a_name_and_a_json_that_differ_are_left_out(tmp_path):
    path = scan("01", None, "pet", "trc-18FFDG")
    files = {scan("01"): None, path: None, path.replace(".nii.gz", ".json"): {"TracerName": "PiB"}}
    table, out = table_of(bids(tmp_path, PEOPLE, files))
    assert table["kind"].tolist() == ["mri_only"] and table["tracer"].tolist() == [None]
    assert "its name says tracer 18FFDG, its JSON 11CPIB" in reasons_of(out)["01"]


@pytest.mark.parametrize("entities", ["acq-dynamic", "acq-brain", "task-rest", "rec-acdyn"])
def test_other_parts_of_a_name_are_no_tracer(tmp_path, entities):
    root = bids(tmp_path, PEOPLE, [scan("01"), scan("01", None, "pet", entities)])
    with pytest.raises(InputError, match=r"studies.ds.tracer: "):
        table_of(root)


@pytest.mark.parametrize("bad", [b"{", b"[1]", b"\xff\xfe"])
def test_a_json_that_cannot_be_read_costs_its_pet_alone(tmp_path, bad):
    path = scan("01", None, "pet")
    files = {scan("01"): None, path: None, path.replace(".nii.gz", ".json"): bad}
    table, out = table_of(bids(tmp_path, PEOPLE, files))
    assert table["kind"].tolist() == ["mri_only"]
    assert "sub-01_pet.json" in reasons_of(out)["01"]


@pytest.mark.parametrize("place", ["pet.json", "trc-18FFDG_pet.json", "sub-01/sub-01_pet.json"])
def test_the_tracer_is_inherited_and_the_nearest_json_wins(tmp_path, place):
    path = scan("01", "1", "pet", "trc-18FFDG" if "trc" in place else "")
    files = {scan("01", "1"): None, path: None, place: FDG}
    table, _ = table_of(bids(tmp_path, PEOPLE, files))
    assert table["kind"].tolist() == ["paired"]
    nearer = {path.replace(".nii.gz", ".json"): {"TracerName": "PiB", "TracerRadionuclide": "C11"}}
    table, out = table_of(bids(tmp_path, PEOPLE, files | nearer))
    assert table["kind"].tolist() == ["mri_only"]
    assert "11CPIB" in reasons_of(out)["01"]


def test_a_json_of_other_entities_does_not_apply(tmp_path):
    files = {scan("01", "1"): None, scan("01", "1", "pet"): None, "pet.json": FDG}
    others = ("trc-11CPIB_pet.json", "sub-01/sub-01_ses-2_pet.json", "acq-x_pet.json")
    files |= {name: {"TracerName": "PiB", "TracerRadionuclide": "C11"} for name in others}
    table, _ = table_of(bids(tmp_path, PEOPLE, files))
    assert table["kind"].tolist() == ["paired"]


@pytest.mark.parametrize("folder", ["", "sub-01/sub-01_", "sub-01/ses-1/pet/sub-01_ses-1_"])
def test_of_two_json_files_of_a_folder_that_with_more_entities_wins(tmp_path, folder):
    path = scan("01", "1", "pet", "run-1_rec-x")
    other = {"TracerName": "PiB", "TracerRadionuclide": "C11"}
    files = {scan("01", "1"): None, path: None, f"{folder}pet.json": other}
    files[f"{folder}run-1_pet.json"] = FDG
    table, _ = table_of(bids(tmp_path, PEOPLE, files))
    assert table["kind"].tolist() == ["paired"]
