import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from dicom_fakes import PLANTED, SIZE, write_series
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mri2pet.conversion.scan_to_bids import convert_scan
from mri2pet.conversion.sidecars import ALLOWED, dataset_description, participants
from mri2pet.errors import InputError, ScanError

FOLDER = "MP-RAGE/2006-03-30_12_00_00.0/I1"


def write_nifti(folder, data, name="ADNI_x_S1_I1.nii", affine=None, **header):
    path = folder / FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(data, np.diag([5, 5, 6, 1]) if affine is None else affine)
    for key, value in header.items():
        image.header[key] = value
    nib.save(image, path)
    return path


def test_dicom_mri_is_converted_without_a_trace_of_the_person(tmp_path):
    write_series(tmp_path / FOLDER)
    image = tmp_path / "out/sub-1_T1w.nii.gz"
    sidecar = convert_scan(tmp_path, "I1", "MRI", image)
    loaded = nib.load(image)
    assert loaded.shape == SIZE
    assert loaded.get_data_dtype() == np.int16
    assert sidecar["EchoTime"] == 0.003
    assert sidecar["SourceFormat"] == "DICOM"
    content = (
        json.dumps(sidecar) + str(loaded.header) + str(bytes(nib.load(image).header.binaryblock))
    )
    for planted in (*PLANTED, "2006"):
        assert planted not in content
    assert list(image.parent.iterdir()) == [image]  # nothing of the work is left


def test_conversion_repeats_itself_bit_by_bit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # relative paths, as Snakemake gives them
    tmp_path = Path()
    write_series(tmp_path / FOLDER)
    images = [tmp_path / f"{run}/sub-1_T1w.nii.gz" for run in "ab"]
    sidecars = [convert_scan(tmp_path, "1", "MRI", image) for image in images]
    assert images[0].read_bytes() == images[1].read_bytes()
    assert sidecars[0] == sidecars[1]


def test_pet_frames_are_averaged(tmp_path):
    volume = np.random.default_rng(1).integers(1, 1000, (*SIZE, 3))
    write_series(tmp_path / FOLDER, modality="PT", volume=volume, frames=3)
    image = tmp_path / "pet.nii.gz"
    sidecar = convert_scan(tmp_path, 1, "PET", image)
    data = nib.as_closest_canonical(nib.load(image)).get_fdata()
    expected = 2.0 * volume.mean(axis=3).transpose(1, 0, 2)[::-1, ::-1]
    np.testing.assert_allclose(data, expected, rtol=1e-4)
    assert sidecar["FramesAveraged"] == 3
    assert sidecar["TracerName"] == "FDG"
    assert sidecar["TracerRadionuclide"] == "F18"


def test_pet_frames_are_weighted_by_their_durations(tmp_path):
    data = np.random.default_rng(1).random((8, 9, 10, 2), dtype=np.float32)
    path = write_nifti(tmp_path, data)
    path.with_suffix(".json").write_text(json.dumps({"FrameDuration": [300, 100]}))
    convert_scan(tmp_path, 1, "PET", tmp_path / "pet.nii.gz")
    averaged = nib.load(tmp_path / "pet.nii.gz").get_fdata()
    np.testing.assert_allclose(averaged, 0.75 * data[..., 0] + 0.25 * data[..., 1], rtol=1e-5)


def test_nifti_is_copied_with_a_clean_header(tmp_path):
    data = np.random.default_rng(0).normal(2, 1, size=(8, 9, 10))
    affine = np.array([[-5, 0, 0, 1], [0, 0, 5, 2], [0, 6, 0, 3], [0, 0, 0, 1.0]])
    path = write_nifti(
        tmp_path, data, affine=affine, descrip=PLANTED[0], aux_file=PLANTED[2], db_name=PLANTED[1]
    )
    path.with_suffix(".json").write_text(
        json.dumps({"EchoTime": 0.003, "PatientName": PLANTED[0], "SequenceName": "x" * 500})
    )
    sidecar = convert_scan(tmp_path, 1, "MRI", tmp_path / "t1.nii.gz")
    image = nib.load(tmp_path / "t1.nii.gz")
    np.testing.assert_array_equal(np.asarray(image.dataobj), data.astype(np.float32))
    np.testing.assert_allclose(image.affine, affine)
    np.testing.assert_allclose(image.get_qform(), affine, atol=1e-5)
    assert not any(name.encode() in image.header.binaryblock for name in PLANTED)
    assert sidecar == {"EchoTime": 0.003, "SourceFormat": "NIfTI"}


def test_units_of_the_header_are_obeyed(tmp_path):
    image = nib.Nifti1Image(np.arange(720, dtype=np.int16).reshape(8, 9, 10), np.eye(4) * 0.005)
    image.header.set_xyzt_units("meter")
    (tmp_path / FOLDER).mkdir(parents=True)
    nib.save(image, tmp_path / FOLDER / "a_I1.nii")
    convert_scan(tmp_path, 1, "MRI", tmp_path / "t1.nii.gz")
    assert nib.load(tmp_path / "t1.nii.gz").header.get_zooms() == (5, 5, 5)


def test_a_truncated_nifti_is_refused(tmp_path):
    for name in ("a_I1.nii", "a_I1.nii.gz"):
        data = np.random.default_rng(0).random((20, 20, 20))
        path = write_nifti(tmp_path, data, name=name)
        path.write_bytes(path.read_bytes()[:20000])
        with pytest.raises(ScanError, match=f"{name}: cannot be read to its end"):
            convert_scan(tmp_path, 1, "MRI", tmp_path / "t1.nii.gz")
        assert not (tmp_path / "t1.nii.gz").exists()
        path.unlink()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.zeros((8, 8, 8), np.int16), "every voxel is zero"),
        (np.full((8, 8, 8), 7, np.int16), "every voxel has the value 7"),
        (np.full((8, 8, 8), np.nan), "512 of 512 voxels are not finite"),
        (np.ones((8, 8, 8, 2)), r"expected one 3D volume, found shape \(8, 8, 8, 2\)"),
        (np.ones((8, 8)), "expected one 3D volume"),
        (np.ones((8, 8, 8), np.complex64), "not real numbers"),
    ],
)
def test_content_that_is_no_volume_is_refused(tmp_path, data, message):
    write_nifti(tmp_path, data)
    with pytest.raises(ScanError, match=message):
        convert_scan(tmp_path, 1, "MRI", tmp_path / "t1.nii.gz")


def test_an_all_zero_dicom_series_is_refused(tmp_path):
    write_series(tmp_path / FOLDER, volume=np.zeros(SIZE))
    with pytest.raises(ScanError, match="every voxel is zero"):
        convert_scan(tmp_path, 1, "MRI", tmp_path / "t1.nii.gz")


def test_a_header_without_orientation_is_refused(tmp_path):
    path = tmp_path / FOLDER / "a_I1.nii"
    path.parent.mkdir(parents=True)
    image = nib.Nifti1Image(np.arange(512, dtype=np.int16).reshape(8, 8, 8), None)
    nib.save(image, path)
    with pytest.raises(ScanError, match="no orientation"):
        convert_scan(tmp_path, 1, "MRI", tmp_path / "t1.nii.gz")


def test_an_empty_file_and_two_volumes_are_refused(tmp_path):
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / FOLDER / "a_I1.nii").touch()
    with pytest.raises(ScanError, match="cannot be read to its end"):
        convert_scan(tmp_path, 1, "MRI", tmp_path / "t1.nii.gz")
    (tmp_path / FOLDER / "b_I1.nii").touch()
    with pytest.raises(ScanError, match="2 NIfTI files"):
        convert_scan(tmp_path, 1, "MRI", tmp_path / "t1.nii.gz")


def test_the_allow_list_names_no_person_place_or_date():
    forbidden = ("Patient", "Institution", "Date", "Name", "Station", "Serial", "UID", "Comment")
    harmless = {"SequenceName", "ManufacturersModelName", "ReconMethodName"}
    keys = (ALLOWED["MRI"] | ALLOWED["PET"]) - harmless - {"ImageOrientationPatientDICOM"}
    assert not [key for key in keys if any(word in key for word in forbidden)]


def test_participants_are_described_as_at_their_first_visit():
    rows = [("011S0005", "m12", "AD", 71.2, "F", "2007-04-01")]
    rows += [("011S0005", "bl", "CN", 70.0, "F", "2006-03-30")]
    rows += [("002S0001", "bl", "CN", 80.0, "M", "2006-03-30")]
    columns = ["subject", "visit", "group", "age", "sex", "mri_date"]
    table = participants(pd.DataFrame(rows, columns=columns))
    assert table.to_dict("list") == {
        "participant_id": ["sub-002S0001", "sub-011S0005"],
        "sex": ["M", "F"],
        "group": ["CN", "CN"],
        "age": [80.0, 70.0],
    }
    assert dataset_description()["BIDSVersion"]


def test_a_broken_sidecar_is_the_scans_fault(tmp_path):
    path = write_nifti(tmp_path, np.random.default_rng(0).random((8, 8, 8)))
    path.with_suffix(".json").write_text("{")
    with pytest.raises(ScanError, match="not a readable JSON") as caught:
        convert_scan(tmp_path, 1, "MRI", tmp_path / "t1.nii.gz")
    assert isinstance(caught.value.__cause__, InputError)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(st.integers(0, 351), st.integers(0, 255), min_size=1, max_size=4),
    st.integers(0, 2000),
)
def test_a_damaged_header_leads_to_a_volume_or_a_plain_reason(tmp_path, flips, cut):
    path = write_nifti(tmp_path, np.arange(720, dtype=np.int16).reshape(8, 9, 10))
    content = bytearray(path.read_bytes())
    for place, value in flips.items():
        content[place] = value
    path.write_bytes(content[: len(content) - (cut if cut > 1000 else 0)])
    image = tmp_path / "t1.nii.gz"
    image.unlink(missing_ok=True)
    try:
        convert_scan(tmp_path, 1, "MRI", image)
    except ScanError as error:
        assert "ADNI_x_S1_I1.nii" in str(error)
        assert not image.exists()
    else:
        assert np.isfinite(nib.load(image).get_fdata()).all()


def test_an_affine_that_cannot_be_inverted_is_refused(tmp_path):
    data = np.random.default_rng(0).random((8, 8, 8))
    path = write_nifti(tmp_path, data)
    image = nib.load(path)
    image.header["srow_x"] = 0
    content = bytearray(path.read_bytes())
    content[: len(image.header.binaryblock)] = image.header.binaryblock
    path.write_bytes(content)
    with pytest.raises(ScanError, match="affine cannot be inverted"):
        convert_scan(tmp_path, 1, "MRI", tmp_path / "t1.nii.gz")
