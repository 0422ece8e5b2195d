"""Loading of scans: what is refused, with the file's name, and what stays exact."""

import gzip

import nibabel as nib
import numpy as np
import pytest

from mri2pet.errors import InputError, ScanError
from mri2pet.imaging.volume import (
    Volume,
    array,
    centre_of_mass,
    crop_to_object,
    load_scan,
    load_transform,
    load_volume,
    save_intensities,
    save_transform,
    save_volume,
)

AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])


def block() -> np.ndarray:
    data = np.zeros((40, 44, 42), np.float32)
    data[5:12, 20:30, 30:35] = 100  # left, in the middle, up
    return data


def write(path, data, affine=AFFINE):
    nib.save(nib.Nifti1Image(data, affine), path)
    return path


def test_truncated_file_is_a_scan_error(tmp_path):
    rng = np.random.default_rng(0)
    path = write(tmp_path / "cut.nii.gz", rng.normal(size=(40, 44, 42)).astype(np.float32))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ScanError, match=r"cut\.nii\.gz.*read to its end"):
        load_scan(path)


def test_truncated_header_is_a_scan_error(tmp_path):
    path = tmp_path / "head.nii"
    path.write_bytes(b"\0" * 100)
    with pytest.raises(ScanError, match=r"head\.nii"):
        load_scan(path)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (np.zeros((40, 44, 42), np.float32), "every voxel is zero"),
        (np.full((40, 44, 42), 7, np.int16), "every voxel has the value 7"),
        (np.where(block() > 0, np.nan, 1).astype(np.float32), "350 of 73920 voxels"),
        (np.where(block() > 0, np.inf, 1).astype(np.float32), "not finite"),
        (np.stack([block()] * 2, axis=-1), "expected one 3D volume"),
        (block()[..., 20], "expected one 3D volume"),
    ],
)
def test_unusable_data_is_a_scan_error(tmp_path, data, reason):
    path = write(tmp_path / "scan.nii.gz", data)
    with pytest.raises(ScanError, match=f"scan.nii.gz: .*{reason}"):
        load_scan(path)


@pytest.mark.parametrize(("voxel", "reason"), [(0.1, "voxel size"), (1.0, "extent")])
def test_impossible_geometry_is_a_scan_error(tmp_path, voxel, reason):
    path = write(tmp_path / "scan.nii", block(), np.diag([voxel, voxel, voxel, 1]))
    with pytest.raises(ScanError, match=reason):
        load_scan(path)


@pytest.mark.parametrize("codes", ["RAS", "LAS", "LPS", "PSR", "ASL", "IRP"])
def test_every_orientation_loads_with_left_where_it_was(tmp_path, codes):
    source = nib.Nifti1Image(block(), AFFINE)
    turn = nib.orientations.ornt_transform(
        nib.io_orientation(AFFINE), nib.orientations.axcodes2ornt(codes)
    )
    path = tmp_path / "scan.nii.gz"
    nib.save(source.as_reoriented(turn), path)
    image = load_scan(path)
    np.testing.assert_array_equal(array(image), block())
    np.testing.assert_allclose(image.affine, AFFINE)


def test_same_voxels_give_the_same_bytes(tmp_path):
    image = nib.Nifti1Image(block(), AFFINE)
    for name in ("a", "b"):
        save_volume(tmp_path / name / "scan.nii.gz", image)
    assert (tmp_path / "a/scan.nii.gz").read_bytes() == (tmp_path / "b/scan.nii.gz").read_bytes()


@pytest.mark.parametrize("top", [1.0, 255.0, 1089.63, 4e6])
def test_intensities_keep_their_digits_and_their_zeros(tmp_path, top):
    data = np.random.default_rng(0).random((9, 8, 7), np.float32) * np.float32(top)
    data[:4] = 0
    data[5, 5, 5] = top
    image = Volume(data, np.diag([1.2, 0.9, 0.87, 1.0]))
    save_intensities(tmp_path / "a.nii.gz", image)
    assert nib.load(tmp_path / "a.nii.gz").get_data_dtype() == np.int16
    found = load_volume(tmp_path / "a.nii.gz")
    np.testing.assert_allclose(array(found), data, rtol=0, atol=top / 65000)
    assert not array(found)[:4].any()
    np.testing.assert_allclose(found.affine, image.affine, atol=1e-6)


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR"])
def test_intensities_of_any_orientation(tmp_path, codes):
    data = np.arange(1.0, 4 * 5 * 6 + 1, dtype=np.float32).reshape(4, 5, 6)
    turned = nib.orientations.axcodes2ornt(codes)
    image = Volume(data, np.eye(4)).as_reoriented(turned)
    save_intensities(tmp_path / "a.nii.gz", image)
    np.testing.assert_allclose(array(load_volume(tmp_path / "a.nii.gz")), data, atol=0.002)


def test_no_intensity_at_all(tmp_path):
    save_intensities(tmp_path / "a.nii", Volume(np.zeros((3, 3, 3), np.float32), np.eye(4)))
    assert not array(load_volume(tmp_path / "a.nii")).any()


def test_transform_is_written_exactly(tmp_path):
    matrix = np.random.default_rng(1).normal(size=(4, 4))
    save_transform(tmp_path / "xfm.txt", matrix)
    np.testing.assert_array_equal(load_transform(tmp_path / "xfm.txt"), matrix)
    (tmp_path / "bad.txt").write_text("1 2\n3 4\n")
    with pytest.raises(InputError, match=r"bad\.txt"):
        load_transform(tmp_path / "bad.txt")


def test_centre_and_crop_keep_the_world():
    image = nib.Nifti1Image(block(), AFFINE)
    np.testing.assert_allclose(centre_of_mass(image), [8 * 3, 24.5 * 3, 32 * 3])
    small = crop_to_object(image, 6.0)
    assert small.shape == (11, 14, 9)
    np.testing.assert_allclose(centre_of_mass(small), centre_of_mass(image))
    nothing = nib.Nifti1Image(np.zeros(image.shape, np.float32), AFFINE)
    assert crop_to_object(nothing, 6.0).shape == image.shape


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float32])
@pytest.mark.parametrize("ending", [".nii.gz", ".nii"])
def test_voxels_come_back_and_the_file_tells_no_time(tmp_path, kind, ending):
    """Of a mask, a scan and a map, noise and zeros in each."""
    rng = np.random.default_rng(4)
    data = (200 * rng.random((20, 30, 25)) * (rng.random((20, 30, 25)) > 0.5)).astype(kind)
    path = tmp_path / f"volume{ending}"
    save_volume(path, Volume(data, AFFINE))
    read = nib.load(path)
    assert read.get_data_dtype() == kind
    np.testing.assert_array_equal(np.asanyarray(read.dataobj), data)
    np.testing.assert_array_equal(array(load_volume(path)), data.astype(np.float32))
    if ending == ".nii.gz":
        assert path.read_bytes()[:8] == bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0])
        assert len(path.read_bytes()) < len(gzip.compress(data.tobytes(), 1)) * 1.1
