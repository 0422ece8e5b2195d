"""Whole layouts as public BIDS-PET datasets have them: from the folder to the converted PET."""

import nibabel as nib
import numpy as np
import pytest
from bids_fakes import bids, reasons_of, scan, table_of

from mri2pet.cohorts.bids.bids_settings import pet_window
from mri2pet.conversion.nifti import to_bids

GRID = np.indices((16, 16, 16)) - 7.5
HEAD = np.where((GRID**2).sum(0) < 49, 1000 + 20 * GRID[0], 0).astype(np.float32)
AFFINE = np.array([[12.0, 0, 0, -90], [0, 12, 0, -90], [0, 0, 12, -90], [0, 0, 0, 1]])
LENGTHS = np.full(60, 60.0)
HOUR = {"FrameDuration": LENGTHS.tolist(), "FrameTimesStart": np.arange(0, 3600, 60.0).tolist()}
BLOOD = HOUR | {"InjectionStart": 0, "ScanStart": 0, "TimeZero": "10:00:00"}
FDG = {"TracerName": "FDG", "TracerRadionuclide": "F18"}
DASB = {"TracerName": "[11C]DASB", "TracerRadionuclide": "C11"}
PIB = {"TracerName": "PIB", "TracerRadionuclide": "C11"}
NO_GROUP = ["participant_id\tage\tsex", "sub-01\t38y\tF", "sub-02\t89+\tM"]
GENDER = ["participant_id\tGender\tage", "sub-01\tfemale\t38", "sub-02\tmale\t40"]
DX = ["participant_id\tdx", "sub-01\tHC", "sub-02\tPatient"]
TWO = ("01", "02")


def files(*kinds, people=TWO, **more):
    """Give each person scans of the kinds (session, suffix, entities), and what else there is."""
    return {scan(person, *kind): None for person in people for kind in kinds} | more


def beside(*kinds, told):
    """Give each PET of a kind the JSON `told` beside it."""
    return {scan(s, *kind, ending=".json"): told for s in TWO for kind in kinds}


RECONSTRUCTED = ("acdyn", "nacdyn", "nacstat")
BASE = ("baseline", "T1w", "")
LAYOUTS = {
    # name: people, files, study, visits of a person, what they are, JSON that applies to its PET
    "tracer in JSON alone, dynamic, no group": (
        NO_GROUP, files(BASE, ("baseline", "pet", "")) |
        beside(("baseline", "pet", ""), told=FDG | BLOOD), {}, ["baseline"], "paired", 30),
    "times in milliseconds, JSON of the dataset": (
        NO_GROUP, files((None, "T1w", ""), (None, "pet", "")) |
        {"pet.json": FDG | {k: [1000 * t for t in v] for k, v in HOUR.items()}},
        {}, ["bl"], "paired", 30),
    "closing zeros, JSON of subject and dataset": (
        GENDER, files((None, "T1w", ""), (None, "pet", "")) | {"pet.json": HOUR} |
        {f"sub-{s}/sub-{s}_pet.json": FDG | {k: [*v, 0] for k, v in HOUR.items()} for s in TWO},
        {}, ["bl"], "paired", 30),
    "two tracers a session": (
        NO_GROUP, files(("1", "T1w", ""), ("1", "pet", "trc-11CPIB"), ("1", "pet", "trc-18FFDG")) |
        {"trc-11CPIB_pet.json": PIB | BLOOD, "trc-18FFDG_pet.json": FDG | BLOOD},
        {"pet_window_min": [45, 60]}, ["1"], "paired", 15),
    "test and retest, one T1": (
        GENDER, files(("test", "T1w", ""), ("test", "pet", ""), ("retest", "pet", "")) |
        {"pet.json": FDG | BLOOD}, {}, ["retest", "test"], "paired", 30),
    "test and retest, one chosen": (
        GENDER, files(("test", "T1w", ""), ("test", "pet", ""), ("retest", "pet", "")) |
        {"pet.json": FDG | BLOOD}, {"sessions": ["test"]}, ["test"], "paired", 30),
    "T1 at the level of the subject, defaced": (
        DX, {f"sub-{s}/anat/sub-{s}_T1w_defaced.nii.gz": None for s in TWO} |
        files(("pet", "pet", "trc-18FFDG")) | {"pet.json": BLOOD},
        {"groups": {"HC": "CN", "Patient": "AD"}}, ["pet"], "paired", 30),
    "MP2RAGE, PET of a combined scanner": (
        DX, files(("1", "UNIT1", ""), ("1", "MP2RAGE", "inv-1"), ("1", "pet", "")) |
        {"pet.json": FDG | BLOOD | {"Modality": "PETMR"}}, {}, ["1"], "paired", 30),
    "corrected and not": (
        NO_GROUP, files(BASE, *(("baseline", "pet", f"rec-{r}") for r in RECONSTRUCTED)) |
        {"pet.json": FDG | BLOOD}, {}, ["baseline"], "paired", 30),
    "another tracer, all frames": (
        NO_GROUP, files(BASE, ("baseline", "pet", "")) | {"pet.json": DASB | BLOOD},
        {"tracer": "11CDASB"}, ["baseline"], "paired", 60),
    "another tracer than the one asked for": (
        NO_GROUP, files(BASE, ("baseline", "pet", "")) | {"pet.json": DASB | BLOOD},
        {}, ["baseline"], "mri_only", None),
    "no tracer, told by the user": (
        NO_GROUP, files(BASE, ("baseline", "pet", "")) | {"pet.json": BLOOD},
        {"tracer": "18FFDG", "pet_window_min": [0, 10]}, ["baseline"], "paired", 10),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_read_and_its_pet_converted(tmp_path, name):
    people, contents, study, visits, kind, frames = LAYOUTS[name]
    study = {"name": "ds", **study}
    root = bids(tmp_path, people, contents)
    table, out = table_of(root, **study)
    assert table["subject"].tolist() == [s for s in TWO for _ in visits], reasons_of(out)
    assert table["visit"].tolist() == visits * 2
    assert set(table["kind"]) == {kind}
    if "age" in people[0]:
        assert table["age"].tolist()[0] == 38 and set(table["sex"]) == {"F", "M"}
    if kind == "mri_only":
        assert out["reason"].str.contains("its tracer is 11CDASB, not 18FFDG").all()
        return
    row = table.iloc[0]
    data = np.stack([HEAD * (k + 1) for k in range(60)], -1)
    nib.save(nib.Nifti1Image(data, AFFINE), row["pet_file"])
    image = tmp_path / "out.nii.gz"
    window = pet_window(study)
    side = to_bids(row["pet_file"], None, "PET", image, tracer=row["tracer"], window=window)
    first = {30: 30, 15: 45, 10: 0, 60: 0}[frames]
    want = HEAD * np.arange(first + 1, first + frames + 1).mean()
    np.testing.assert_allclose(np.asarray(nib.load(image).dataobj), want, rtol=1e-5)
    assert side["FramesAveraged"] == frames and side["FrameDuration"] == [60 * frames]
    assert side["TracerName"] in row["tracer"] or side["TracerName"] == "[11C]DASB"


def test_a_static_pet_goes_before_a_dynamic_one_and_is_taken_whole(tmp_path):
    kinds = [(None, "T1w", ""), (None, "pet", "rec-acdyn"), (None, "pet", "rec-acstat")]
    told = {f"sub-{s}/pet/sub-{s}_rec-acstat_pet.json": {"FrameDuration": [900]} for s in TWO}
    root = bids(tmp_path, DX, files(*kinds) | told | {"pet.json": FDG | BLOOD})
    table, out = table_of(root, groups={"hc": "CN", "patient": "AD"})
    assert table["group"].tolist() == ["CN", "AD"]
    assert table["pet_file"].str.endswith("rec-acstat_pet.nii.gz").all() and len(out) == 2


def test_nothing_listed_is_lost_without_a_reason(tmp_path):
    """Every MRI and PET of every layout is in the table or among the exclusions."""
    for number, (people, contents, study, *_) in enumerate(LAYOUTS.values()):
        root = bids(tmp_path, people, contents, name=f"study{number}")
        table, out = table_of(root, **study)
        used = {*table["mri_file"], *table["pet_file"]}
        told = " ".join(out["reason"])
        for path in contents:
            if path.endswith(".nii.gz"):
                assert f"{root}/{path}" in used or path in told, (number, path)
