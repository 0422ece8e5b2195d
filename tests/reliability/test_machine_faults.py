"""A disk that fails while a scan is read: the job ends, the scan is not excluded for good."""

import errno
import json

import nibabel as nib
import pytest
from cases import Case, judge
from dicom_fakes import write_series
from heads import take, write

from mri2pet.cohorts import archives
from mri2pet.conversion import series_slices
from mri2pet.conversion.dicom_series import check_series
from mri2pet.errors import InputError, ScanError
from mri2pet.exclusion import run_stage
from mri2pet.imaging.volume import load_scan
from mri2pet.machine_faults import check_machine

FAULTS = [errno.EIO, errno.EACCES, errno.ESTALE, errno.ENOSPC, errno.EMFILE]


def failing(number):
    def fail(*_, **__):
        raise OSError(number, "a disk's fault")

    return fail


@pytest.mark.parametrize("number", FAULTS, ids=lambda number: errno.errorcode[number])
def test_a_fault_of_the_disk_stops_the_job_and_excludes_nothing(tmp_path, monkeypatch, number):
    path = write(tmp_path / "scan.nii")
    files = write_series(tmp_path / "I1")
    archive = tmp_path / "scans.tar"
    archive.write_bytes(b"")
    monkeypatch.setattr(nib, "load", failing(number))
    monkeypatch.setattr(archives.tarfile, "open", failing(number))
    monkeypatch.setattr(series_slices, "_check_length", failing(number))
    readers = {
        path.name: lambda folder: run_stage(
            "convert_mri", lambda: take(path), tmp_path / "s.json", [tmp_path / "s.nii"], [path]
        ),
        "scan.nii: ": lambda folder: load_scan(path),
        "scans.tar": lambda folder: archives.nifti_members(archive),
        ".dcm": lambda folder: check_series(files, "MRI"),
    }
    for name, read in readers.items():
        told = judge(Case(name, "stops", read, f"{name}.*a disk's fault.* start again"), tmp_path)
        assert "what is finished stays" in told
    assert not (tmp_path / "s.json").exists()  # no exclusion is recorded
    assert not (tmp_path / "s.nii").exists()


@pytest.mark.parametrize(
    "error", [OSError("Expected 8 bytes"), OSError(errno.EINVAL, "seek"), EOFError(), ValueError()]
)
def test_damage_of_a_file_is_the_files(error):
    check_machine(error, "scan.nii")


def test_an_exclusion_is_recorded_where_the_file_is_at_fault(tmp_path):
    path = tmp_path / "scan.nii"
    path.write_bytes(b"damaged")
    with pytest.raises(ScanError):
        take(path)
    run_stage("convert_mri", lambda: take(path), tmp_path / "s.json", [tmp_path / "s.nii"], [path])
    assert "scan.nii" in json.loads((tmp_path / "s.json").read_text())["Excluded"]["reason"]
    with pytest.raises(InputError, match="disk, the quota or the permissions"):
        check_machine(PermissionError(errno.EACCES, "Permission denied"), path)
