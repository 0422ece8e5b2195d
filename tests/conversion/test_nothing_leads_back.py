"""Nothing in a sidecar leads back to a person: planted IDs, places and times do not come out."""

import json
import tarfile

import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from series_fakes import straight, write_stack

from mri2pet.conversion.nifti import to_bids
from mri2pet.exclusion import run_stage

PERSON, IMAGE = "941_S_7777", "I8086421"
STEM = f"ADNI_{PERSON}_PT_Averaged_S31415_{IMAGE}"
PLANTED = (PERSON, IMAGE[1:], "31415", "magrathea", "2006-04-05", "1017", "10:17", "0947", "09:47")
DATA = np.random.default_rng(0).integers(1, 900, (20, 22, 24)).astype(np.int16)
BESIDE = {"TracerName": "FDG", "TimeZero": "10:17:00", "ScanStart": 0, "InjectionStart": -1800}


def dicom(folder, modality):
    files = write_stack(folder / PERSON / IMAGE, straight(9), modality=modality)
    for path in files if modality == "PT" else ():
        header, agent = pydicom.dcmread(path), Dataset()
        header.SeriesTime = header.AcquisitionTime = "101700"
        agent.Radiopharmaceutical, agent.RadiopharmaceuticalStartTime = "FDG", "094700"
        header.RadiopharmaceuticalInformationSequence = [agent]
        header.save_as(path)
    for number, path in enumerate(files):
        path.rename(path.with_name(f"ADNI_{PERSON}_{number}_S31415_{IMAGE}.dcm"))
    return folder / PERSON, IMAGE


def nifti(folder, beside=None):
    path = folder / PERSON / f"PET/2006-04-05_10_17_00.0/{IMAGE}/{STEM}.nii"
    path.parent.mkdir(parents=True)
    nib.save(nib.Nifti1Image(DATA, np.diag([4.0, 4, 4, 1])), path)
    if beside:
        path.with_suffix(".json").write_text(json.dumps(beside))
    return path


def download(folder, modality):
    nifti(folder, BESIDE if modality == "PT" else None)
    return folder / PERSON, IMAGE


def own_file(folder, modality):
    return nifti(folder, BESIDE if modality == "PT" else None), None


def archive(folder, modality):
    path = nifti(folder)
    with tarfile.open(folder / f"{PERSON}.tar", "w") as packed:
        packed.add(path, f"{STEM}.nii")
    return folder / f"{PERSON}.tar", f"{STEM}.nii"


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("modality", ["MR", "PT"])
@pytest.mark.parametrize("form", [dicom, download, own_file, archive])
def test_a_sidecar_names_no_source_image_place_or_time(
    tmp_path, monkeypatch, form, modality, relative
):
    monkeypatch.chdir(tmp_path)
    source, key = form(tmp_path / "magrathea", modality)
    source = source.relative_to(tmp_path) if relative else source
    sidecar, image = tmp_path / "results/bids/a.json", tmp_path / "results/bids/a.nii.gz"

    def convert():
        return to_bids(source, key, {"MR": "MRI", "PT": "PET"}[modality], image)

    run_stage("convert", convert, sidecar, [image], [], raw=[source])
    assert image.stat().st_size, sidecar.read_text()
    text = sidecar.read_text()
    assert json.loads(text)["SourceFormat"] in ("DICOM", "NIfTI")
    assert not [word for word in (*PLANTED, str(tmp_path)) if word in text]
