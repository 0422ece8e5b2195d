"""DICOM files in every transfer syntax, with and without preamble: converted or refused by name."""

from io import BytesIO

import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.filereader import read_file_meta_info
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)
from series_fakes import stored, straight, write_stack

from mri2pet.conversion.dicom_series import check_series
from mri2pet.conversion.scan_to_bids import convert_scan
from mri2pet.errors import ScanError

COUNT = 8


def converted(folder, spoil, modality="MR"):
    """Write, spoil and convert a series; its voxels must be the stored ones."""
    files = write_stack(folder / "I1", straight(COUNT), modality=modality)
    spoil(files)
    convert_scan(folder, 1, {"MR": "MRI", "PT": "PET"}[modality], folder / "out.nii.gz")
    image = nib.as_closest_canonical(nib.load(folder / "out.nii.gz"))
    data = np.asarray(image.dataobj)[::-1, ::-1].transpose(2, 1, 0)
    np.testing.assert_array_equal(data, stored(COUNT))


def syntax(uid):
    def spoil(files):
        for path in files:
            header = pydicom.dcmread(path)
            if uid.is_compressed and not uid.is_deflated:
                header.compress(uid)
            elif uid == ExplicitVRBigEndian:
                header.PixelData = np.frombuffer(header.PixelData, "<u2").astype(">u2").tobytes()
            header.file_meta.TransferSyntaxUID = uid
            pydicom.dcmwrite(
                path,
                header,
                implicit_vr=uid == ImplicitVRLittleEndian,
                little_endian=uid != ExplicitVRBigEndian,
                enforce_file_format=uid != ExplicitVRBigEndian,
                force_encoding=uid == ExplicitVRBigEndian,
            )

    return spoil


def bare(meta, implicit=False):
    """Leave out the preamble, and the file meta information too unless `meta`."""

    def spoil(files):
        for path in files:
            header = pydicom.dcmread(path)
            if meta:
                path.write_bytes(path.read_bytes()[132:])
                continue
            del header.file_meta
            header.save_as(path, implicit_vr=implicit, little_endian=True)
            content = path.read_bytes()
            path.write_bytes(content[132:] if content[128:132] == b"DICM" else content)
            assert path.read_bytes()[:2] == b"\x08\x00"

    return spoil


def named(ending):
    """Take the ending of the files' names away, or give another."""

    def spoil(files):
        bare(False, True)(files)
        for path in files:
            path.rename(path.with_suffix(ending))

    return spoil


@pytest.mark.parametrize("modality", ["MR", "PT"])
@pytest.mark.parametrize(
    "spoil",
    [
        syntax(ImplicitVRLittleEndian),
        syntax(ExplicitVRBigEndian),
        syntax(RLELossless),
        syntax(DeflatedExplicitVRLittleEndian),
        bare(True),
        bare(False),
        bare(False, implicit=True),
        named(""),
        named(".ima"),
    ],
    ids=["implicit", "big", "RLE", "deflated", "meta", "bare", "bare implicit", "no ending", "ima"],
)
def test_syntaxes_that_are_read(tmp_path, spoil, modality):
    converted(tmp_path, spoil, modality)


@pytest.mark.parametrize("broken", [False, True])
@pytest.mark.parametrize(
    ("uid", "name"),
    [
        ("1.2.840.113619.5.2", r"private 1\.2\.840\.113619\.5\.2\)"),
        ("1.3.46.670589.33.1.4.1", "private 1.3.46.670589"),
        ("1.2.826.0.1.3680043.9", "private 1.2.826"),
        ("1.2.840.10008.1.2.4.102", "MPEG-4.* 1.2.840.10008.1.2.4.102"),
        ("1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000.* 1.2.840"),
    ],
)
def test_a_syntax_that_is_not_read_is_named(tmp_path, uid, name, broken):
    files = write_stack(tmp_path / "I1", straight(COUNT))
    for path in files:
        with_syntax(path, uid)
        if broken:
            path.write_bytes(path.read_bytes()[:400] + b"\xff" * 400)
    with pytest.raises(
        ScanError, match=rf"I1.*transfer syntax \({name}.*save the scan as Explicit"
    ):
        check_series(files, "MRI")


def with_syntax(path, new):
    """Put another transfer syntax into the file meta information, whatever follows."""
    meta = read_file_meta_info(path)
    rest = path.read_bytes()[144 + meta.FileMetaInformationGroupLength :]
    meta.TransferSyntaxUID = UID(new)
    made = BytesIO(b"\0" * 128 + b"DICM")
    made.seek(132)
    write_file_meta_info(made, meta)
    path.write_bytes(made.getvalue() + rest)


@pytest.mark.parametrize("cut", [300, 400, -30])
def test_a_deflated_file_cut_short_is_refused(tmp_path, cut):
    def spoil(files):
        syntax(DeflatedExplicitVRLittleEndian)(files)
        files[3].write_bytes(files[3].read_bytes()[:cut])

    with pytest.raises(ScanError, match=r"4_S1_I1\.dcm"):
        converted(tmp_path, spoil)


@pytest.mark.parametrize("start", [b"\x08\x00", b"\x02\x00", b"\x08\x00\x05\x00\x55\x53\xff\xff"])
def test_bytes_that_only_begin_like_a_data_set_are_no_dicom(tmp_path, start):
    files = write_stack(tmp_path / "I1", straight(COUNT))
    other = tmp_path / "I1/notes_I1"
    other.write_bytes(start + b"nothing of the kind" * 40)
    assert len(check_series([*files, other], "MRI")) == COUNT
    other.rename(other.with_suffix(".dcm"))
    with pytest.raises(ScanError, match=r"notes_I1\.dcm: not a DICOM file"):
        check_series([*files, other.with_suffix(".dcm")], "MRI")
