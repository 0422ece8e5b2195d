"""The simulated dementia study as a BIDS folder: the same cohort and voxels as its ADNI form."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

import fakes
from mri2pet.cohorts.adni.locate import find_image
from mri2pet.cohorts.adni.reader import build_cohort
from mri2pet.conversion.dcm2niix import convert_series
from mri2pet.conversion.dicom_series import check_series
from mri2pet.conversion.frames import frame_weights
from mri2pet.conversion.headers import check_sidecar
from mri2pet.conversion.nifti import import_nifti
from mri2pet.conversion.scan_to_bids import convert_scan, read_volume
from mri2pet.files import read_json, read_tsv, sha256
from mri2pet.simulation.adni_scans import simulate_subject
from mri2pet.simulation.adni_tables import write_tables
from mri2pet.simulation.bids_scans import as_converted, simulate_bids_visit
from mri2pet.simulation.bids_tables import (
    scan_files,
    scans_file,
    table_files,
    write_bids_tables,
)
from mri2pet.simulation.dicom_writer import mri_image, pet_image, write_series
from mri2pet.simulation.mri import SAGITTAL, Scan, scan_grid
from mri2pet.simulation.nifti_writer import write_nifti
from mri2pet.simulation.people import plan_people
from mri2pet.simulation.scanner_settings import BQML_PER_STORED, FDG, T1W, frame_times
from mri2pet.simulation.template import make_template, save_template

SETTINGS = {"paired": 3, "mri_only": 1, "second_visits": 1, "groups": ["CN", "AD", "MCI"]}
PEOPLE = plan_people(SETTINGS, 1)
TWICE = next(person for person in PEOPLE if len(person.visits) == 2)
ALONE = next(person for person in PEOPLE if person.visits[0].pet_time is None)
ONCE = next(person for person in PEOPLE if person not in (TWICE, ALONE))
COARSE = {"mri_voxel_mm": [4.0, 3.0, 3.1], "pet_voxel_mm": [4.0, 4.3, 3.7]}
DEFAULT = {"mri_voxel_mm": [1.5, 1.5, 1.5], "pet_voxel_mm": [2.5, 2.5, 2.5]}
TRUTH = ["brain_mask.nii.gz", "tissue.nii.gz", "truth.json", "warp.nii.gz"]
# Required of every PET by BIDS 1.10; ReconFilterSize only with a filter.
REQUIRED = """
    Manufacturer ManufacturersModelName Units TracerName TracerRadionuclide InjectedRadioactivity
    InjectedRadioactivityUnits InjectedMass InjectedMassUnits SpecificRadioactivity
    SpecificRadioactivityUnits ModeOfAdministration TimeZero ScanStart InjectionStart
    FrameTimesStart FrameDuration AcquisitionMode ImageDecayCorrected ImageDecayCorrectionTime
    ReconMethodName ReconMethodParameterLabels ReconMethodParameterUnits
    ReconMethodParameterValues ReconFilterType AttenuationCorrection
"""


@pytest.fixture(scope="module")
def template(atlases):
    return make_template(atlases)


def from_dicom(folder, image_id, modality, work):
    """Read a scan of the ADNI form as the workflow's conversion does."""
    work.mkdir(parents=True)
    volume, sidecar = convert_series(check_series(find_image(folder, image_id), modality), work)
    return read_volume(volume, modality, "dicom", weigh_by(read_json(sidecar)))


def from_nifti(path, modality):
    """Read a scan of the BIDS form as the workflow's conversion does."""
    sidecar = read_json(str(path).replace(".nii.gz", ".json"))
    check_sidecar(sidecar, modality, "bids")
    return read_volume(path, modality, "bids", weigh_by(sidecar))


def weigh_by(sidecar):
    return lambda frames: frame_weights(sidecar, frames, None, "x")


def assert_same(one, other):
    """Compare what `read_volume` returns, to the byte (-0.0 is not 0.0)."""
    for here, there in zip(one[:2], other[:2], strict=True):
        assert here.dtype == there.dtype
        assert here.shape == there.shape
        assert here.tobytes() == there.tobytes()
    assert one[2].tolist() == other[2].tolist()


@pytest.mark.parametrize(
    "person, frames, scanner",
    [
        (ALONE, 1, COARSE),
        pytest.param(TWICE, 1, COARSE, marks=pytest.mark.slow),
        pytest.param(ONCE, 4, COARSE, marks=pytest.mark.slow),
        pytest.param(ONCE, 1, DEFAULT, marks=pytest.mark.slow),
    ],
)
def test_both_forms_of_a_person_are_the_same(template, tmp_path, person, frames, scanner):
    scanner = scanner | {"pet_frames": frames}
    raw, truth = tmp_path / person.ptid, tmp_path / "truth"
    simulate_subject(template, person, scanner, raw, truth)
    for visit in person.visits:
        files = {kind: tmp_path / "bids" / name for kind, name in scan_files(person, visit).items()}
        assert ("pet" in files) == (visit.pet_time is not None)
        bids_truth = tmp_path / "bids_truth" / visit.code
        simulate_bids_visit(template, person, visit, scanner, files, bids_truth)
        for kind, path in files.items():
            modality = "MRI" if kind == "t1w" else "PET"
            image_id = visit.mri_image if kind == "t1w" else visit.pet_image
            found = from_nifti(path, modality)
            assert_same(found, from_dicom(raw, image_id, modality, tmp_path / f"work{image_id}"))
            assert len(found[2]) == (frames if kind == "pet" else 1)
            made = [tmp_path / "made" / form / path.name for form in ("adni", "bids")]
            convert_scan(raw, image_id, modality, made[0])
            import_nifti(path, None, made[1], modality=modality)
            assert sha256(made[0]) == sha256(made[1])
        assert sorted(path.name for path in bids_truth.iterdir()) == TRUTH
        for name in TRUTH:
            assert sha256(bids_truth / name) == sha256(truth / visit.code / name)


@pytest.mark.parametrize("number", range(12))
def test_any_grid_becomes_what_dcm2niix_makes_of_it(tmp_path, number):
    """Sizes of one decimal, of two and of many; places of the head anywhere near the centre."""
    rng = np.random.default_rng(number)
    visit, mri = TWICE.visits[0], number % 2 == 0
    voxel = rng.uniform(1, 4, 3).round((1, 2, 12)[number // 2 % 3])
    centre = rng.uniform(-25, 25, 3).round(2)
    axes = SAGITTAL if mri else np.diag([-1, -1, 1])
    shape, affine = scan_grid(axes, np.array([62.0, 71.0, 50.0]), voxel, centre)
    frames = (1, 2, 4)[number // 2 % 3]
    shape = shape if mri or frames == 1 else (*shape, frames)
    scan = Scan(rng.integers(0, 20000, shape).astype(np.int16), affine)
    image = mri_image(visit) if mri else pet_image(visit, frames)
    write_series(tmp_path / "raw", TWICE, visit, image, scan)
    slope, sidecar = (1.0, T1W) if mri else (BQML_PER_STORED, FDG | frame_times(frames))
    write_nifti(tmp_path / "scan.nii.gz", as_converted(scan, upright=mri), sidecar, slope)
    modality = "MRI" if mri else "PET"
    found = from_nifti(tmp_path / "scan.nii.gz", modality)
    assert_same(found, from_dicom(tmp_path / "raw", image.image, modality, tmp_path / "work"))


def test_dicom_files_stay_as_they_were(tmp_path):
    """Hashes of the data sets, without the meta header, in which pydicom names its version."""
    visit = PEOPLE[0].visits[0]
    data = np.arange(120, dtype=np.int16).reshape(6, 5, 4)
    sagittal = [[0, 0, -1.5, 33.31], [-2.25, 0, 0, 40.12], [0, -1.75, 0, -7.5], [0, 0, 0, 1.0]]
    axial = [[-2.5, 0, 0, 33.31], [0, -2.25, 0, 40.12], [0, 0, 1.7, -7.5], [0, 0, 0, 1.0]]
    hashes = []
    for image, affine in ((mri_image(visit), sagittal), (pet_image(visit, 1), axial)):
        series = write_series(tmp_path, PEOPLE[0], visit, image, Scan(data, np.array(affine)))
        digest = hashlib.sha256()
        for path in sorted(series.iterdir()):
            content = path.read_bytes()
            start = 144 + int.from_bytes(content[140:144], "little")
            digest.update(str(path.relative_to(tmp_path)).encode() + content[start:])
        hashes.append(digest.hexdigest())
    assert hashes == [
        "a18ced9e202962443a227762f56f1a219a76c32e496d0e47f1801817566f0dc2",
        "823e41d2e7e1294d638b8cca9cd38c7594cc5814110baac487f5f20bdeb1c8c7",
    ]


@pytest.mark.parametrize("frames, duration", [(1, [1800]), (3, [300] * 3)])
def test_the_sidecar_of_a_pet_says_what_bids_asks(frames, duration):
    sidecar = FDG | frame_times(frames) | {"TimeZero": "10:00:00"}
    assert set(REQUIRED.split()) <= sidecar.keys()
    assert sidecar["FrameDuration"] == duration
    starts = np.cumsum([sidecar["ScanStart"], *duration])[:-1].tolist()
    assert sidecar["FrameTimesStart"] == starts
    parameters = ("Labels", "Units", "Values")
    assert {len(sidecar[f"ReconMethodParameter{name}"]) for name in parameters} == {2}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_tables_tell_of_the_same_cohort(tmp_path, seed):
    settings = {"paired": 12, "mri_only": 4, "second_visits": 5, "groups": ["CN", "AD", "MCI"]}
    people = plan_people(settings, seed)
    write_tables(people, 1, tmp_path / "adni")
    cohort, _ = build_cohort(sorted((tmp_path / "adni").glob("*.csv")), settings["groups"], 99)
    write_bids_tables(people, tmp_path / "bids")
    rows = read_bids(tmp_path / "bids")
    assert len(rows) == 21
    for row in cohort.to_dict("records"):
        wanted = {name: row[name] for name in ("group", "age", "sex", "kind", "mri_date")}
        if row["kind"] == "paired":
            wanted["pet_date"] = row["pet_date"]
        assert rows.pop((row["subject"], row["visit"])) == wanted
    assert not rows


@pytest.mark.parametrize("returning", [0, 1, 3])
def test_the_list_of_tables_is_what_is_written(tmp_path, returning):
    people = plan_people(SETTINGS | {"second_visits": returning}, 1)
    write_bids_tables(people, tmp_path)
    assert files_of(tmp_path) == set(table_files(people))
    sessions = list(tmp_path.rglob("*_sessions.tsv"))
    assert len(sessions) == returning
    assert (tmp_path / "sessions.json").is_file() == (returning > 0)


def read_bids(folder):
    """Read the visits of a BIDS folder from its tables alone."""
    rows = {}
    people = read_tsv(folder / "participants.tsv").set_index("participant_id")
    for path in folder.glob("sub-*/ses-*/*_scans.tsv"):
        label, visit = path.parts[-3], path.parts[-2]
        row = people.loc[label].to_dict()
        sessions = folder / label / f"{label}_sessions.tsv"
        if sessions.is_file():
            row["age"] = read_tsv(sessions).set_index("session_id").loc[visit, "age"]
        times = dict(read_tsv(path).itertuples(index=False))
        days = {Path(name).parts[0]: time[:10] for name, time in times.items()}
        row |= {"kind": "paired" if "pet" in days else "mri_only", "mri_date": days["anat"]}
        row |= {"pet_date": days["pet"]} if "pet" in days else {}
        rows[label.removeprefix("sub-"), visit.removeprefix("ses-")] = row
    return rows


def test_the_scripts_make_a_whole_bids_folder(template, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # relative paths, as Snakemake gives them
    save_template(Path("results/template"), template)
    bids, given = Path("results/bids"), {"about": "results/template/template.json"}
    wanted = set(table_files(PEOPLE))
    tables = {"participants": bids / "participants.tsv", "others": [bids / name for name in wanted]}
    fakes.run_script("simulate_bids_tables", {}, tables, Path("log"), people=SETTINGS, seed=1)
    assert files_of(bids) == wanted
    for person in (ALONE, ONCE):
        (visit,) = person.visits
        scans = scan_files(person, visit)
        wanted |= {*scans.values(), *(name.replace(".nii.gz", ".json") for name in scans.values())}
        made = {kind: bids / name for kind, name in scans.items()}
        made["truth"] = Path("results/truth", person.ptid, visit.code)
        chosen = {"person": person.as_dict(), "visit": visit.code, "scanner": COARSE}
        fakes.run_script("simulate_bids_subject", given, made, Path("log"), **chosen)
        assert files_of(bids) == wanted
        assert files_of(made["truth"]) == set(TRUTH)
        listed = read_tsv(bids / scans_file(person, visit))
        folder = Path(scans["t1w"]).parents[1]
        assert {str(folder / name) for name in listed["filename"]} == set(scans.values())
    pet = read_json(next(bids.rglob("*_pet.json")))
    assert set(REQUIRED.split()) <= pet.keys()
    assert pet["TimeZero"] == ONCE.visits[0].pet_time[-8:]


def files_of(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
