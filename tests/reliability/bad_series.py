"""Trouble in DICOM series that converts without a word: places, values, tracer, syntax."""

import numpy as np
import pydicom
from bad_dicom import SERIES, change, converted
from cases import Case
from dicom_fakes import write_series
from pydicom.dataset import Dataset
from pydicom.uid import UID

from mri2pet.conversion.scan_to_bids import convert_scan


def kept(spoil, key, value, modality="PET", **options):
    """Write a series, spoil it, convert it; the sidecar must say `value`."""

    def run(folder):
        files = write_series(folder / SERIES, modality=modality[:2].replace("PE", "PT"), **options)
        spoil(files)
        told = convert_scan(folder, "I1", modality, folder / "out/scan.nii.gz")
        assert told.get(key) == value, told

    return run


def placed(move):
    """Move the slices: from number (0 on) to what is added to the place, mm."""

    def spoil(files):
        for number, path in enumerate(files):
            header = pydicom.dcmread(path)
            place = np.array(header.ImagePositionPatient, float) + move(number)
            header.ImagePositionPatient = [round(float(value), 4) for value in place]
            header.save_as(path)

    return spoil


def small_slopes(files):
    """Give every slice its own slope, far below 1e-7."""
    for number, path in enumerate(files):
        change([1], RescaleSlope=f"{(1 + number) * 1e-9:.9g}")([path])


def shuffled(files):
    """Number the slices in another order than they lie."""
    for number, path in zip((3, 7, 1, 12, 5, 9, 2, 11, 4, 8, 6, 10), files, strict=True):
        change([1], InstanceNumber=number)([path])


def agent(name, code=None, **fields):
    """Name the tracer in every header, and code it as FDG."""
    item = Dataset()
    item.Radiopharmaceutical = name
    if code:
        entry = Dataset()
        entry.CodeValue, entry.CodingSchemeDesignator, entry.CodeMeaning = code, "SRT", "FDG"
        item.RadiopharmaceuticalCodeSequence = [entry]
    for key, value in fields.items():
        setattr(item, key, value)
    return change(None, RadiopharmaceuticalInformationSequence=[item])


def carbon():
    """Return the coded entry of another radionuclide."""
    entry = Dataset()
    entry.CodeValue, entry.CodingSchemeDesignator = "C-105A1", "SRT"
    entry.CodeMeaning = "^11^Carbon"
    return entry


def rewritten(uid=None):
    """Save every file in another transfer syntax; without one, without preamble and meta."""

    def spoil(files):
        for path in files:
            header = pydicom.dcmread(path)
            if uid:
                header.file_meta.TransferSyntaxUID = UID(uid)
                header.save_as(path, implicit_vr=False, little_endian=True)
                continue
            del header.file_meta
            header.save_as(path, implicit_vr=True, little_endian=True)
            content = path.read_bytes()
            path.write_bytes(content[132:] if content[128:132] == b"DICM" else content)

    return spoil


CASES = [
    Case(
        "gaps that differ by less than .1 mm: the mean gap",
        "right",
        kept(placed(lambda k: (0, 0, -0.09 * (k % 2))), "CorrectedToSource", ["affine"], "MRI"),
    ),
    Case(
        "slices that slide sideways (a slanted stack)",
        "excluded",
        converted(placed(lambda k: (0.3 * k, 0, 0))),
        "slices are slanted in .*I1: from the first to the last they slide 3.30 mm sideways",
    ),
    Case(
        "one slice .4 mm out of the row",
        "excluded",
        converted(placed(lambda k: (0, 0.4 * (k == 6), 0))),
        "7_S1_I1.dcm is 0.40 mm from where most of the others put it",
    ),
    Case(
        "slices not numbered in the order in which they lie",
        "right",
        kept(shuffled, "CorrectedToSource", None, "MRI"),
    ),
    Case(
        "slopes by slice, all far below 1e-7",
        "right",
        kept(small_slopes, "CorrectedToSource", ["values"]),
    ),
    Case(
        "Philips PET in counts without its factors",
        "excluded",
        converted(change(None, Manufacturer="Philips", Units="CNTS"), "PET"),
        r"a PET in counts without Philips' factors to activity \(7053,1009\)",
    ),
    Case(
        "dose in MBq where Bq are meant",
        "right",
        kept(agent("FDG", RadionuclideTotalDose=370), "InjectedRadioactivity", 370),
    ),
    Case(
        "tracer called Solution, coded as FDG",
        "right",
        kept(agent("Solution", "C-B1031"), "TracerName", "FDG"),
    ),
    Case(
        "tracer called FDG, of carbon-11",
        "excluded",
        converted(agent("FDG", RadionuclideCodeSequence=[carbon()]), "PET"),
        "its radionuclide '.11.Carbon' is not F18",
    ),
    Case(
        "mean of frames: the sidecar tells of one",
        "right",
        kept(lambda _: None, "FrameDuration", [900], frames=3),
    ),
    Case("deflated transfer syntax", "right", converted(rewritten("1.2.840.10008.1.2.1.99"))),
    Case("data sets without preamble", "right", converted(rewritten())),
    Case(
        "private transfer syntax",
        "excluded",
        converted(rewritten("1.2.840.113619.5.2")),
        r"transfer syntax \(private 1.2.840.113619.5.2\) is not read; save the scan as",
    ),
]
