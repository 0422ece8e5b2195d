"""Trouble in DICOM series: what a folder holds, and what headers say."""

import shutil

import nibabel as nib
import numpy as np
import pydicom
from cases import Case
from dicom_fakes import SIZE, write_enhanced, write_series
from pydicom.dataset import Dataset

from mri2pet.cohorts.adni.locate import image_stamp
from mri2pet.conversion.dicom_series import check_series
from mri2pet.conversion.scan_to_bids import convert_scan

SERIES = "MP-RAGE/2006-03-30_12_00_00.0/I1"


def checked(spoil, modality="MRI", count=SIZE[2], **options):
    """Write a series, spoil it, check the files that are there then."""

    def run(folder):
        files = write_series(folder / "I1", modality=modality[:2].replace("PE", "PT"), **options)
        spoil(files)
        there = sorted(path for path in (folder / "I1").iterdir() if path.is_file())
        assert len(check_series(there, modality)) == count

    return run


def converted(spoil, modality="MRI", **options):
    """Write a series, spoil it, convert it; return nothing."""

    def run(folder):
        files = write_series(folder / SERIES, modality=modality[:2].replace("PE", "PT"), **options)
        spoil(files)
        convert_scan(folder, "I1", modality, folder / "out/scan.nii.gz")

    return run


def change(numbers, **values):
    """Set header fields of some slices (None: of all)."""

    def spoil(files):
        for number, path in enumerate(files, start=1):
            if numbers is None or number in numbers:
                header = pydicom.dcmread(path)
                for name, value in values.items():
                    setattr(header, name, value)
                header.save_as(path)

    return spoil


def without(*numbers):
    return lambda files: [files[number - 1].unlink() for number in numbers]


def beside(name, content):
    return lambda files: (files[0].parent / name).write_bytes(content)


def copied(files):
    shutil.copy(files[3], files[3].with_name("ADNI_copy_I1.dcm"))


def doubled(files):
    """Write one slice again under a number of its own, as a second export does."""
    header = pydicom.dcmread(files[3])
    header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = "1.2.3.99"
    header.save_as(files[3].with_name("ADNI_again_I1.dcm"))


def another_series(files):
    write_series(files[0].parent, series="2")


def another_folder(files):
    write_series(files[0].parents[1] / "again" / "I1")


def fan(files):
    """Tilt each slice, as a localiser's are."""
    for number, path in enumerate(files):
        angle = 0.1 * number
        axes = [1, 0, 0, 0, float(np.cos(angle)), float(np.sin(angle))]
        change([1], ImageOrientationPatient=axes)([path])


def cut(files):
    files[5].write_bytes(files[5].read_bytes()[:-100])


def no_pixels(files):
    header = pydicom.dcmread(files[5])
    del header.PixelData
    header.save_as(files[5])


def contents_table(files):
    """Put a DICOMDIR beside the slices, as on a CD."""
    header = pydicom.dcmread(files[0])
    header.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    del header.PixelData, header.SeriesInstanceUID, header.SOPInstanceUID
    header.save_as(files[0].with_name("ADNI_DICOMDIR_I1"))


def dangling(files):
    """Leave a link to a file that was never fetched, as git-annex does."""
    files[5].unlink()
    files[5].symlink_to("../annex/never/fetched.dcm")
    image_stamp(files[5].parents[3], 1)


def circle(files):
    """Let links between folders run in circles; each level would double the folders."""
    for name in ("again", "and_again"):
        (files[0].parent / name).symlink_to(files[0].parents[1])
    image_stamp(files[0].parents[3], 1)


def agent(name):
    item = Dataset()
    item.Radiopharmaceutical = name
    return change(None, RadiopharmaceuticalInformationSequence=[item])


def enhanced(leave_out):
    def run(folder):
        path = write_enhanced(folder / "I1", leave_out=leave_out)
        assert check_series([path], "MRI") == [path]

    return run


def averaged(folder):
    volume = np.random.default_rng(1).integers(1, 1000, (*SIZE, 3))
    write_series(folder / SERIES, modality="PT", volume=volume, frames=3)
    told = convert_scan(folder, "I1", "PET", folder / "out/scan.nii.gz")
    data = nib.as_closest_canonical(nib.load(folder / "out/scan.nii.gz")).get_fdata()
    expected = 2.0 * volume.mean(axis=3).transpose(1, 0, 2)[::-1, ::-1]
    np.testing.assert_allclose(data, expected, rtol=1e-4)
    assert told["FramesAveraged"] == 3


CASES = [
    Case(
        "two series in one folder",
        "excluded",
        checked(another_series),
        r"2 series are mixed in .*I1: series 1 \(MR\): 12 slices, series 2",
    ),
    Case(
        "slices of two patients under one series",
        "excluded",
        checked(change([4, 5], PatientID="Trillian")),
        r"slices of 2 patients are mixed in \S*I1$",
    ),
    Case("exact copy of a slice", "right", checked(copied)),
    Case("a slice exported twice", "excluded", checked(doubled), "slice 4 of 12 is there 2 times"),
    Case("one slice missing", "excluded", checked(without(6)), "slice 6 of 12 is missing in .*I1"),
    Case("first slice missing", "excluded", checked(without(1)), "slice 1 of 12 is missing"),
    Case(
        "last slice missing, count declared",
        "excluded",
        checked(without(12), "PET"),
        "slice 12 of 12 is missing",
    ),
    Case("only two slices", "excluded", checked(without(*range(3, 13))), "only 2 slice positions"),
    Case(
        "uneven spacing",
        "excluded",
        checked(change([7], ImagePositionPatient=[-48, -48, 5.0])),
        "not equally spaced",
    ),
    Case(
        "slices that are not parallel (localiser)",
        "excluded",
        checked(fan),
        "not parallel in .*: a localiser",
    ),
    Case(
        "no slice position",
        "excluded",
        checked(change([3], ImagePositionPatient=None)),
        "no slice position or orientation",
    ),
    Case(
        "orientation of zeros",
        "excluded",
        checked(change(None, ImageOrientationPatient=[0] * 6)),
        "position or orientation .* is none",
    ),
    Case(
        "axes at no right angle",
        "excluded",
        checked(change(None, ImageOrientationPatient=[1, 0, 0, 1, 0, 0])),
        "position or orientation .* is none",
    ),
    Case(
        "position NaN",
        "excluded",
        checked(change([3], ImagePositionPatient=[0, 0, float("nan")])),
        "I1.dcm: ",
    ),
    Case("file cut short", "excluded", checked(cut), r"truncated: 412 of 512 bytes of pixel data"),
    Case("no pixel data", "excluded", checked(no_pixels), "truncated: it has no pixel data"),
    Case(
        "text called .dcm",
        "excluded",
        checked(beside("ADNI_notes_I1.dcm", b"hello")),
        "notes_I1.dcm: not a DICOM file",
    ),
    Case(
        "empty file called .dcm",
        "excluded",
        checked(beside("ADNI_none_I1.dcm", b"")),
        "none_I1.dcm: not a DICOM file",
    ),
    Case("text file beside the slices", "right", checked(beside("ADNI_notes_I1", b"hello"))),
    Case("DICOMDIR beside the slices", "right", checked(contents_table)),
    Case(
        "the image in two folders",
        "excluded",
        converted(another_folder),
        "image I1: found in 2 folders",
    ),
    Case(
        "a link to a file that was not fetched",
        "excluded",
        converted(dangling),
        "6_S1_I1.dcm: damaged DICOM file .No such file",
    ),
    Case("links between folders that run in circles", "right", converted(circle)),
    Case("enhanced multi-frame file", "right", enhanced(None)),
    Case(
        "enhanced multi-frame file lacks a frame",
        "excluded",
        enhanced(5),
        "slice 5 of 12 is missing",
    ),
    Case(
        "slices of two sizes",
        "excluded",
        converted(lambda files: change([4], Rows=8, PixelData=bytes(256))(files)),
        "I1",
    ),
    Case(
        "all zero",
        "excluded",
        converted(lambda _: None, volume=np.zeros(SIZE)),
        "every voxel is zero",
    ),
    Case(
        "CT where an MRI is meant",
        "excluded",
        converted(change(None, Modality="CT")),
        "is of modality 'CT', not MR",
    ),
    Case("dynamic PET: time frames averaged", "right", averaged),
    Case(
        "a time frame lacks a slice",
        "excluded",
        checked(without(17), "PET", frames=3),
        "slice 5 of 12 has 2 of 3 time frames",
    ),
    Case(
        "the header names florbetapir, the table FDG",
        "excluded",
        converted(agent("Florbetapir F-18"), "PET"),
        "tracer: 'Florbetapir F-18' is not FDG",
    ),
]
