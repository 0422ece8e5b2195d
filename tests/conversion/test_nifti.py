"""NIfTI files, alone and inside archives: clean copies, and what is refused."""

import gzip
import io
import json
import tarfile
import zipfile

import nibabel as nib
import numpy as np
import pytest

from mri2pet.cohorts.archives import is_archive, nifti_members
from mri2pet.conversion.nifti import import_nifti, to_bids
from mri2pet.errors import ScanError
from mri2pet.exclusion import is_excluded, run_stage

AFFINE = np.array([[-3, 0, 0, 40], [0, 0, 4, -50], [0, 3, 0, -60], [0, 0, 0, 1.0]])
DATA = np.random.default_rng(0).integers(0, 900, (30, 34, 28)).astype(np.int16)
NAME = "IXI002-Guys-0828-T2.nii.gz"


def nifti_bytes(data=DATA, affine=AFFINE):
    image = nib.Nifti1Image(data, affine)
    image.header["descrip"] = "Doe^Jane 1950-01-01"
    image.header["aux_file"] = "Doe_Jane"
    image.header["db_name"] = "DoeJ"
    image.header["intent_name"] = "Jane"
    return gzip.compress(image.to_bytes(), 1)


def tar(path, members, mode="w"):
    with tarfile.open(path, mode) as archive:
        for entry, content in members:
            info = entry if isinstance(entry, tarfile.TarInfo) else tarfile.TarInfo(entry)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def packed(tmp_path, kind):
    if kind == "plain":
        (tmp_path / NAME).write_bytes(nifti_bytes())
        return tmp_path / NAME, "n/a"
    if kind == "zip":
        with zipfile.ZipFile(tmp_path / "scans.zip", "w") as archive:
            archive.writestr(f"T2/{NAME}", nifti_bytes())
        return tmp_path / "scans.zip", f"T2/{NAME}"
    ending, mode = {"tar": (".tar", "w"), "tgz": (".tar.gz", "w:gz")}[kind]
    return tar(tmp_path / f"IXI-T2{ending}", [(NAME, nifti_bytes())], mode), NAME


@pytest.mark.parametrize("kind", ["plain", "tar", "tgz", "zip"])
def test_the_copy_has_the_voxels_and_no_word_of_the_person(tmp_path, kind):
    source, member = packed(tmp_path, kind)
    image = tmp_path / "bids/sub-IXI002_T2w.nii.gz"
    content = import_nifti(source, member, image, tmp_path / "bids/sub-IXI002_T2w.json")
    loaded = nib.load(image)
    np.testing.assert_array_equal(np.asanyarray(loaded.dataobj), DATA)
    np.testing.assert_allclose(loaded.affine, AFFINE)
    header = bytes(loaded.header.binaryblock)
    assert not any(word in header for word in (b"Doe", b"Jane", b"1950"))
    assert json.loads((tmp_path / "bids/sub-IXI002_T2w.json").read_text()) == content
    assert content["SourceFormat"] == "NIfTI"
    assert sorted(p.name for p in image.parent.iterdir()) == [
        "sub-IXI002_T2w.json",
        "sub-IXI002_T2w.nii.gz",
    ]  # nothing of the work is left


def test_of_a_sidecar_beside_the_source_only_machine_and_sequence_are_kept(tmp_path):
    source, _ = packed(tmp_path, "plain")
    beside = {"EchoTime": 0.1, "PatientName": "Doe^Jane", "AcquisitionDateTime": "2006-01-01"}
    (tmp_path / NAME.replace(".nii.gz", ".json")).write_text(json.dumps(beside))
    content = import_nifti(source, None, tmp_path / "out.nii.gz")
    assert content["EchoTime"] == 0.1
    assert "Jane" not in json.dumps(content)
    assert "2006" not in json.dumps(content)


def test_a_members_name_leads_nowhere(tmp_path):
    inner = tmp_path / "deep/er"
    inner.mkdir(parents=True)
    names = [f"../../{NAME}", str(tmp_path / "escaped.nii.gz")]
    source = tar(inner / "bad.tar", [(name, nifti_bytes()) for name in names])
    for name in names:
        import_nifti(source, name, inner / "out/x.nii.gz")
    files = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert files == {"deep/er/bad.tar", "deep/er/out/x.nii.gz"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path, kind):
    secret = tmp_path / "secret.nii.gz"
    secret.write_bytes(nifti_bytes())
    link = tarfile.TarInfo("IXI9.nii.gz")
    link.type, link.linkname = kind, str(secret)
    source = tar(tmp_path / "links.tar", [(link, b"")])
    assert nifti_members(source) == []
    with pytest.raises(ScanError, match="not a plain file"):
        import_nifti(source, "IXI9.nii.gz", tmp_path / "out/x.nii.gz")
    assert not (tmp_path / "out/x.nii.gz").exists()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (np.zeros((30, 30, 30), np.int16), "every voxel is zero"),
        (np.stack([DATA, DATA], -1), "expected one 3D volume"),
        (np.full((30, 30, 30), np.nan, np.float32), "not finite"),
    ],
)
def test_what_is_no_scan_is_refused_by_its_name(tmp_path, data, reason):
    source = tar(tmp_path / "IXI-T2.tar", [(NAME, nifti_bytes(data))])
    with pytest.raises(ScanError, match=f"IXI-T2.tar: {NAME}.*{reason}"):
        import_nifti(source, NAME, tmp_path / "x.nii.gz")


def test_damaged_files_and_archives_are_scan_errors(tmp_path):
    content = nifti_bytes()
    cut = tar(tmp_path / "cut.tar", [(NAME, content[:-5000])])
    with pytest.raises(ScanError, match="read to its end"):
        import_nifti(cut, NAME, tmp_path / "x.nii.gz")
    (tmp_path / "half.tar").write_bytes(cut.read_bytes()[:2000])
    (tmp_path / "no.zip").write_bytes(b"no archive")
    empty = tmp_path / "empty.nii.gz"
    empty.touch()
    for source, member in [("half.tar", NAME), ("no.zip", NAME), ("empty.nii.gz", None)]:
        with pytest.raises(ScanError, match=source):
            import_nifti(tmp_path / source, member, tmp_path / "x.nii.gz")


@pytest.mark.parametrize(
    ("source", "member", "reason"),
    [
        ("away.nii.gz", None, "no such file"),
        ("away.tar", NAME, "no such file"),
        ("here.tar", "other.nii.gz", "holds no 'other.nii.gz'"),
        ("here.tar", "notes.txt", "does not end in"),
    ],
)
def test_what_is_not_there_is_a_scan_error(tmp_path, source, member, reason):
    tar(tmp_path / "here.tar", [(NAME, nifti_bytes()), ("notes.txt", b"hello")])
    with pytest.raises(ScanError, match=reason):
        import_nifti(tmp_path / source, member, tmp_path / "x.nii.gz")


def test_it_serves_as_the_work_of_a_stage(tmp_path):
    image, sidecar = tmp_path / "x.nii.gz", tmp_path / "x.json"
    away = tmp_path / "away.nii.gz"
    run_stage("convert_mri", lambda: import_nifti(away, None, image), sidecar, [image], [away])
    assert is_excluded(sidecar)["stage"] == "convert_mri"
    assert image.stat().st_size == 0


def test_frames_of_a_pet_are_averaged(tmp_path):
    frames = np.stack([DATA, DATA + 2], -1)
    (tmp_path / "pet.nii.gz").write_bytes(nifti_bytes(frames))
    content = import_nifti(tmp_path / "pet.nii.gz", None, tmp_path / "x.nii.gz", modality="PET")
    assert content["FramesAveraged"] == 2
    np.testing.assert_allclose(nib.load(tmp_path / "x.nii.gz").get_fdata(), DATA + 1.0)


def test_members_are_listed_without_opening_them(tmp_path):
    members = [(NAME, b"not opened"), ("notes.txt", b"x"), ("a/IXI1.nii", b"")]
    assert nifti_members(tar(tmp_path / "t.tar", members)) == [NAME, "a/IXI1.nii"]
    assert is_archive("IXI-T2.tar")
    assert not is_archive(NAME)


def test_a_folder_is_searched_by_image_id_and_a_file_is_taken_as_it_is(tmp_path):
    series = tmp_path / "ADNI/011_S_0005/MPRAGE/2006-01-01_00_00_00.0/I7"
    series.mkdir(parents=True)
    (series / "ADNI_011_S_0005_MR_MPRAGE_S1_I7.nii.gz").write_bytes(nifti_bytes())
    found = to_bids(tmp_path / "ADNI/011_S_0005", "7", "MRI", tmp_path / "found.nii.gz")
    taken = to_bids(*packed(tmp_path, "tar"), "MRI", tmp_path / "taken.nii.gz")
    assert not any("I7" in str(made) or NAME in str(made) for made in (found, taken))
    for name in ("found", "taken"):
        np.testing.assert_array_equal(nib.load(tmp_path / f"{name}.nii.gz").get_fdata(), DATA)
