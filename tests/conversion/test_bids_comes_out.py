"""What the workflow writes as BIDS is that, by the official validator: no error, and no network."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest
import yaml
from bids_checks import errors_of, missing_of
from ecat_fakes import write_ecat
from pydicom.dataset import Dataset
from series_fakes import straight, write_stack

from mri2pet.bids_output import ignored_files
from mri2pet.cohorts.bids.inheritance import merged_sidecar
from mri2pet.conversion.nifti import to_bids
from mri2pet.conversion.sidecars import (
    PARTICIPANTS_SIDECAR,
    README,
    dataset_description,
    participants,
)
from mri2pet.exclusion import run_stage
from mri2pet.files import write_json, write_tsv
from mri2pet.simulation.adni_scans import simulate_visit
from mri2pet.simulation.bids_scans import simulate_bids_visit
from mri2pet.simulation.epilepsy_people import files, plan_members, write_tables
from mri2pet.simulation.epilepsy_scans import simulate_member
from mri2pet.simulation.people import plan_people
from mri2pet.simulation.template import make_template

COARSE = {"mri_voxel_mm": [5.0, 5.0, 5.0], "pet_voxel_mm": [6.0, 6.0, 6.0]}
PERSON = plan_people({"paired": 1, "mri_only": 0, "second_visits": 0, "groups": ["CN"]}, 1)[0]
VISIT = PERSON.visits[0]
NOT_IN_HEADERS = {"AcquisitionMode", "ModeOfAdministration"}
NOT_IN_ECAT = {"Manufacturer", "ManufacturersModelName", "ImageDecayCorrectionTime"}
NOT_IN_ECAT |= {"ReconMethodName", "ReconFilterType", "ReconFilterSize"}
NOT_IN_ECAT |= {f"ReconMethodParameter{name}" for name in ("Labels", "Units", "Values")}
FULL = {"AcquisitionMode": "list mode", "ModeOfAdministration": "bolus", "ReconFilterType": "none"}


@pytest.fixture(scope="module")
def template(atlases):
    return make_template(atlases)


@pytest.fixture(scope="module")
def protocol(root):
    """Return what the default run's simulated scanner states."""
    text = (root / "config/config.yaml").read_text()
    return yaml.safe_load(text)["studies"]["dementia"]["simulation"]["pet_protocol"]


def converted(folder: Path, scans: dict[str, tuple], **of_pet) -> list[Path]:
    """Convert scans (`mri` and `pet`: source and key) as their rules do; return the images."""
    made = []
    for kind, (source, key) in scans.items():
        ending = "anat/sub-01_ses-bl_T1w" if kind == "mri" else "pet/sub-01_ses-bl_trc-18FFDG_pet"
        image = folder / f"sub-01/ses-bl/{ending}.nii.gz"
        image.parent.mkdir(parents=True)
        given = source, key, kind.upper(), image
        run_stage(
            f"convert_{kind}",
            partial(to_bids, *given, **(of_pet if kind == "pet" else {})),
            sidecar=folder / f"sub-01/ses-bl/{ending}.json",
            outputs=[image],
            sources=[],
            raw=[source],
        )
        made.append(image)
    return made


def dataset(folder: Path, scans: dict[str, tuple], **of_pet) -> Path:
    """Convert scans that are whole to a BIDS folder, and write all its tables."""
    for image in converted(folder, scans, **of_pet):
        assert image.stat().st_size, list(image.parent.iterdir())
    return with_tables(folder)


def with_tables(folder: Path) -> Path:
    """Write the tables that the rule `participants` writes."""
    row = {"subject": "01", "visit": "bl", "group": "CN", "age": 70.0, "sex": "F"}
    write_tsv(folder / "participants.tsv", participants(pd.DataFrame([row])))
    write_json(folder / "participants.json", PARTICIPANTS_SIDECAR)
    write_json(folder / "dataset_description.json", dataset_description())
    (folder / "README").write_text(README)
    return folder


@pytest.mark.parametrize("frames", [1, 3])
def test_the_default_studys_dicom_becomes_valid_bids(tmp_path, template, protocol, frames):
    (tmp_path / "raw").mkdir()
    simulate_visit(
        template, PERSON, 0, COARSE | {"pet_frames": frames}, tmp_path / "raw", tmp_path / "truth"
    )
    scans = {"mri": (tmp_path / "raw", VISIT.mri_image), "pet": (tmp_path / "raw", VISIT.pet_image)}
    made = dataset(tmp_path / "bids", scans, protocol=protocol)
    assert errors_of(made, tmp_path) == set()
    told = json.loads(next(made.rglob("*_pet.json")).read_text())
    assert (told["TimeZero"], told["ScanStart"], told["InjectionStart"]) == ("00:00:00", 0, -1800)
    assert told["FrameTimesStart"] == [0] and len(told["FrameDuration"]) == 1
    assert PERSON.ptid not in str(told) and str(VISIT.pet_image) not in str(told)
    silent = dataset(tmp_path / "silent", scans)
    filters = {"ReconFilterType", "ReconFilterSize"}  # the header has no ConvolutionKernel
    assert missing_of(silent, tmp_path) == NOT_IN_HEADERS | filters


@pytest.mark.parametrize("frames", [1, 4])
def test_a_bids_study_static_or_dynamic_becomes_valid_bids(tmp_path, template, frames):
    raw = {kind: tmp_path / f"raw/{kind}.nii.gz" for kind in ("t1w", "pet")}
    raw["t1w"].parent.mkdir()
    simulate_bids_visit(
        template, PERSON, VISIT, COARSE | {"pet_frames": frames}, raw, tmp_path / "truth"
    )
    scans = {"mri": (raw["t1w"], None), "pet": (raw["pet"], None)}
    made = dataset(tmp_path / "bids", scans, window=(30.0, None))
    assert errors_of(made, tmp_path) == set()
    told = json.loads(next(made.rglob("*_pet.json")).read_text())
    assert told["TimeZero"] == "00:00:00" != merged_sidecar(raw["pet"])["TimeZero"]
    assert told["AcquisitionMode"] == ("static" if frames == 1 else "dynamic")


def test_the_epilepsy_study_is_valid_as_raw_data_and_as_it_comes_out(tmp_path, template):
    settings = {"paired": 4, "mri_only": 0, "patients": 1}
    members = plan_members(settings | {"lesion": {"depth": [0.2, 0.3], "ml": [4, 8]}}, 1)
    member = members[-1]
    raw = tmp_path / "raw"
    outputs = {kind: raw / path for kind, path in files(member).items()}
    for path in outputs.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    simulate_member(template, member, COARSE, outputs, tmp_path / "truth", 0.3)
    write_tables([member], raw)
    (raw / "README").write_text(README)
    assert errors_of(raw, tmp_path) == set()
    masks = json.loads((raw / "derivatives/lesions/dataset_description.json").read_text())
    assert masks["DatasetType"] == "derivative" and masks["SourceDatasets"]
    scans = {"mri": (outputs["t1w"], None), "pet": (outputs["pet"], None)}
    assert errors_of(dataset(tmp_path / "bids", scans), tmp_path) == set()


def full_header(folder, **changes):
    """Write a PET whose header says all that a header can, with `changes`; None takes a tag out."""
    told = {
        "ManufacturerModelName": "Biograph40",
        "ReconstructionMethod": "OSEM3D 4i16s",
        "ConvolutionKernel": "XYZ Gauss5.00",
        "AttenuationCorrectionMethod": "measured",
        "DecayCorrection": "START",
        "SeriesTime": "100000",
        "AcquisitionTime": "100000",
        "ActualFrameDuration": "1200000",
        "RadiopharmaceuticalStartTime": "092500",
        "RadionuclideTotalDose": "185000000",
        "RadionuclideHalfLife": "6586.2",
    } | changes
    for path in write_stack(folder / "I1", straight(9), modality="PT"):
        header, agent = pydicom.dcmread(path), Dataset()
        agent.Radiopharmaceutical = "FDG"
        for key, value in told.items():
            place = agent if key.startswith("Radi") else header
            if value is not None:
                setattr(place, key, value)
            elif key in place:
                delattr(place, key)
        header.RadiopharmaceuticalInformationSequence = [agent]
        header.save_as(path)
    return {"pet": (folder, 1)}


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({}, set()),
        ({"ConvolutionKernel": "All-pass"}, set()),
        ({"ConvolutionKernel": "Hann"}, {"ReconFilterSize"}),
        ({"ReconstructionMethod": "PSF+TOF 3i21s"}, set()),
        (
            {"ReconstructionMethod": "3D-RP"},
            {f"ReconMethodParameter{name}" for name in ("Labels", "Units", "Values")},
        ),
        ({"RadiopharmaceuticalStartTime": None}, {"InjectionStart"}),
        ({"RadiopharmaceuticalStartTime": "000000"}, {"InjectionStart"}),
        (
            {"RadionuclideTotalDose": None},
            {"InjectedRadioactivity", "InjectedRadioactivityUnits"},
        ),
    ],
)
def test_without_a_protocol_only_what_the_header_lacks_is_missing(tmp_path, changes, missing):
    scans = full_header(tmp_path / "raw", **changes)
    assert missing_of(dataset(tmp_path / "bids", scans), tmp_path) == NOT_IN_HEADERS | missing
    stated = dataset(tmp_path / "stated", scans, protocol=FULL)
    assert missing_of(stated, tmp_path) == missing


@pytest.mark.parametrize("frames", [1, 3])
def test_ecat_lacks_what_its_header_does_not_say(tmp_path, frames):
    data = np.random.default_rng(0).integers(1, 900, (60, 50, 40)).astype(np.int16)
    told = [{"duration": 300_000, "start": 300_000 * count} for count in range(frames)]
    scans = {"pet": (write_ecat(tmp_path / "scan.v", [data] * frames, told), None)}
    made = missing_of(dataset(tmp_path / "bids", scans, window=(0.0, None)), tmp_path)
    assert made == NOT_IN_HEADERS | NOT_IN_ECAT
    rest = {"Manufacturer": "CTI", "ManufacturersModelName": "HR+", "ImageDecayCorrectionTime": 0}
    rest |= {"ReconMethodName": "OSEM", "ReconMethodParameterLabels": ["iterations"]}
    rest |= {"ReconMethodParameterUnits": ["none"], "ReconMethodParameterValues": [4]}
    stated = dataset(tmp_path / "stated", scans, protocol=FULL | rest)
    assert missing_of(stated, tmp_path) == set()


@pytest.mark.parametrize("kind", ["mri", "pet"])
def test_a_scan_that_could_not_be_converted_is_no_error_of_the_dataset(tmp_path, template, kind):
    (tmp_path / "raw").mkdir()
    simulate_visit(template, PERSON, 0, COARSE, tmp_path / "raw", tmp_path / "truth")
    keys = {"mri": VISIT.mri_image, "pet": VISIT.pet_image} | {kind: 999999}
    scans = {name: (tmp_path / "raw", key) for name, key in keys.items()}
    converted(tmp_path / "bids", scans, protocol=FULL)
    made = with_tables(tmp_path / "bids")
    assert "EMPTY_FILE" in {code for code, _ in errors_of(made, tmp_path)}
    lines = ignored_files([{"subject": "01", "visit": "bl", "stage": f"convert_{kind}"}])
    (made / ".bidsignore").write_text("\n".join(lines))
    assert errors_of(made, tmp_path) == set()
