import tarfile

import numpy as np
import pytest
from dicom_fakes import SIZE, write_enhanced, write_series
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mri2pet.cohorts.adni.locate import find_image
from mri2pet.conversion.dcm2niix import convert_series
from mri2pet.conversion.dicom_series import check_series
from mri2pet.errors import ScanError


def test_a_whole_series_passes(tmp_path):
    files = write_series(tmp_path / "I1")
    assert check_series(files, "MRI") == sorted(files)


@pytest.mark.parametrize("number", [2, 7, 11])
def test_a_missing_slice_is_named(tmp_path, number):
    files = write_series(tmp_path / "I1")
    files[number - 1].unlink()
    with pytest.raises(ScanError, match=rf"slice {number} of 12 is missing in .*I1"):
        check_series(sorted((tmp_path / "I1").iterdir()), "MRI")


def test_a_missing_first_slice_is_told_by_the_numbers(tmp_path):
    files = write_series(tmp_path / "I1")
    with pytest.raises(ScanError, match="slice 1 of 12 is missing"):
        check_series(files[1:], "MRI")


def test_a_missing_last_pet_slice_is_told_by_the_declared_count(tmp_path):
    files = write_series(tmp_path / "I1", modality="PT")
    with pytest.raises(ScanError, match="slice 12 of 12 is missing"):
        check_series(files[:-1], "PET")


def test_several_missing_slices_are_listed(tmp_path):
    files = write_series(tmp_path / "I1")
    with pytest.raises(ScanError, match="slices 4, 8 of 12 are missing"):
        check_series([f for i, f in enumerate(files, 1) if i not in (4, 8)], "MRI")


def test_mixed_series_are_refused(tmp_path):
    files = write_series(tmp_path, series="1") + write_series(tmp_path, series="2")
    with pytest.raises(ScanError, match=r"2 series are mixed.*series 1 \(MR\): 12 slices"):
        check_series(files, "MRI")


def test_exact_copies_are_passed_over(tmp_path):
    files = write_series(tmp_path)
    copy = tmp_path / "copy.dcm"
    copy.write_bytes(files[3].read_bytes())
    assert len(check_series([*files, copy], "MRI")) == SIZE[2]


def test_a_slice_there_twice_is_refused(tmp_path):
    files = write_series(tmp_path, frames=2)
    with pytest.raises(ScanError, match="slice 1 of 12 is there 2 times"):
        check_series(files, "MRI")


def test_a_frame_without_a_slice_is_refused(tmp_path):
    files = write_series(tmp_path, modality="PT", frames=3)
    with pytest.raises(ScanError, match="slice 5 of 12 has 2 of 3 time frames"):
        check_series([*files[:16], *files[17:]], "PET")


@pytest.mark.parametrize("keep", [0, 100, 700, -1])
def test_a_truncated_file_is_named(tmp_path, keep):
    files = write_series(tmp_path)
    files[5].write_bytes(files[5].read_bytes()[:keep])
    with pytest.raises(ScanError, match=files[5].name):
        check_series(files, "MRI")


def test_files_that_are_not_dicom_are_passed_over(tmp_path):
    files = write_series(tmp_path)
    (tmp_path / "notes").write_text("nothing to see")
    assert len(check_series([*files, tmp_path / "notes"], "MRI")) == SIZE[2]
    with pytest.raises(ScanError, match="no DICOM file"):
        check_series([tmp_path / "notes"], "MRI")


@pytest.mark.parametrize("missing", [None, 5])
def test_an_enhanced_multi_frame_file_is_checked_frame_by_frame(tmp_path, missing):
    path = write_enhanced(tmp_path / "I1", leave_out=missing)
    if missing is None:
        assert check_series([path], "MRI") == [path]
    else:
        with pytest.raises(ScanError, match="slice 5 of 12 is missing"):
            check_series([path], "MRI")


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(st.integers(128, 1400), st.integers(0, 255), min_size=1, max_size=4))
def test_a_damaged_file_leads_to_a_series_or_a_plain_reason(tmp_path, flips):
    files = write_series(tmp_path / "I1")
    content = bytearray(files[3].read_bytes())
    for place, value in flips.items():
        if place < len(content):
            content[place] = value
    files[3].write_bytes(content)
    try:
        assert check_series(files, "MRI") == sorted(files)
    except ScanError as error:
        assert "I1" in str(error)


def test_conversion_keeps_values_and_places(tmp_path):
    import nibabel as nib

    volume = np.arange(np.prod(SIZE)).reshape(SIZE)
    files = write_series(tmp_path / "I1", volume=volume)
    out = tmp_path / "out"
    out.mkdir()
    image, sidecar = convert_series(check_series(files, "MRI"), out)
    image = nib.as_closest_canonical(nib.load(image))
    # DICOM rows run from front to back, NIfTI's second axis from back to front; x is mirrored
    expected = volume.transpose(1, 0, 2)[::-1, ::-1]
    np.testing.assert_array_equal(np.asarray(image.dataobj), expected)
    np.testing.assert_allclose(nib.affines.voxel_sizes(image.affine), (6, 6, 8))
    np.testing.assert_allclose(image.affine[:3, 3], (48 - 15 * 6, 48 - 15 * 6, -40))
    assert sidecar.is_file()


def test_find_image(tmp_path):
    files = write_series(tmp_path / "MP-RAGE/2006-03-30_12_00_00.0/I11", image_id=11)
    write_series(tmp_path / "MP-RAGE/2006-03-30_12_00_00.0/S2", image_id=12)
    write_series(tmp_path / "MP-RAGE/2006-03-30_12_00_00.0/S2", image_id=13)
    plain = tmp_path / "Localizer/2006/I14/0001.dcm"
    plain.parent.mkdir(parents=True)
    plain.touch()
    assert find_image(tmp_path, "I11") == sorted(files)
    assert {path.name.rpartition("_")[2] for path in find_image(tmp_path, 13)} == {"I13.dcm"}
    assert find_image(tmp_path, "14") == [plain]
    with pytest.raises(ScanError, match=r"no folder I1 and no file \.\.\._I1\.dcm"):
        find_image(tmp_path, 1)
    (plain.parent / "ADNI_x_I15.img").touch()
    with pytest.raises(ScanError, match=r"image I15: under .* only as \.img; download it as DICOM"):
        find_image(tmp_path, 15)
    with pytest.raises(ScanError, match="there is no folder"):
        find_image(tmp_path / "nobody", 1)
    write_series(tmp_path / "again/I11", image_id=11)
    with pytest.raises(ScanError, match="found in 2 folders"):
        find_image(tmp_path, 11)


def test_a_real_mixed_folder_with_a_missing_slice(real, tmp_path):
    archive = real / "dicom_mixed/adi_brain.tar.gz"
    if not archive.is_file():
        pytest.skip(f"{archive} is absent")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    files = sorted(path for path in (tmp_path / "adi_brain").iterdir() if path.is_file())
    with pytest.raises(ScanError, match=r"4 series are mixed.*series 5 \(MR\): 175 slices"):
        check_series(files, "MRI")
    import pydicom

    def number(path):
        try:
            return pydicom.dcmread(path, specific_tags=["SeriesNumber"]).SeriesNumber
        except pydicom.errors.InvalidDicomError:
            return None

    t1 = [path for path in files if number(path) == 5]
    with pytest.raises(ScanError, match=r"slice \d+ of 176 is missing"):
        check_series(t1, "MRI")
