"""DICOM series of any geometry and scaling: each slice's own place, slope and stored values."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
)

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SHAPE = (20, 24)  # rows, columns


def straight(count: int, gap: float = 6.0, first=(-60.0, -50.0, -30.0), axes=AXIAL) -> np.ndarray:
    """Return positions (count, 3) of slices at equal gaps along their normal, mm."""
    normal = np.cross(axes[:3], axes[3:])
    return np.asarray(first) + gap * np.arange(count)[:, None] * normal


def stored(count: int, seed: int = 0, top: int = 1000, shape=SHAPE) -> np.ndarray:
    """Return stored values (count, rows, columns) in which every slice differs from the others."""
    return np.random.default_rng(seed).integers(1, top, (count, *shape)).astype(np.uint16)


def write_stack(
    folder: Path,
    places: np.ndarray,
    values: np.ndarray | None = None,
    axes: Sequence[float] | np.ndarray = AXIAL,
    spacing: Sequence[float] = (5.0, 6.0),
    modality: str = "MR",
    slopes: Sequence[float] | None = None,
    intercepts: Sequence[float] | None = None,
    numbers: Sequence[int] | None = None,
    frames: int = 1,
    **fields: Any,
) -> list[Path]:
    """Write one file a slice; `axes` (6) of all or (n, 6) of each; `fields` go into every header.

    `places` (n, 3) are ImagePositionPatient; with frames, slices of the first frame come first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    values = stored(len(places)) if values is None else values
    axes = np.broadcast_to(np.asarray(axes, float), (len(places), 6))
    files = []
    for k, place in enumerate(places):
        number = k + 1 if numbers is None else numbers[k]
        header = _header(modality, number)
        header.ImagePositionPatient = [round(float(value), 6) for value in place]
        header.ImageOrientationPatient = [round(float(value), 8) for value in axes[k]]
        header.PixelSpacing = [float(value) for value in spacing]
        header.Rows, header.Columns = values.shape[1:]
        header.RescaleSlope = f"{1.0 if slopes is None else slopes[k]:.9g}"
        header.RescaleIntercept = f"{0.0 if intercepts is None else intercepts[k]:.9g}"
        if modality == "PT":
            _pet(header, k * frames // len(places), frames, len(places) // frames)
        for name, value in fields.items():
            setattr(header, name, value)
        header.PixelData = np.ascontiguousarray(values[k]).tobytes()
        path = folder / f"ADNI_x_{number}_S1_I1.dcm"
        header.save_as(path, enforce_file_format=True)
        files.append(path)
    return files


def write_enhanced_stack(
    folder: Path, places: np.ndarray, values: np.ndarray, slopes: Sequence[float], **fields: Any
) -> Path:
    """Write one enhanced MR file of all slices, each with a place and a slope of its own."""
    (path,) = write_stack(folder, places[:1], values[:1], **fields)
    header = dcmread(path)
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = EnhancedMRImageStorage
    shared = Dataset()
    shared.PlaneOrientationSequence = [
        _item(ImageOrientationPatient=header.ImageOrientationPatient)
    ]
    shared.PixelMeasuresSequence = [_item(PixelSpacing=header.PixelSpacing, SliceThickness=3)]
    header.SharedFunctionalGroupsSequence = [shared]
    header.PerFrameFunctionalGroupsSequence = [
        _item(
            PlanePositionSequence=[_item(ImagePositionPatient=list(map(float, place)))],
            PixelValueTransformationSequence=[
                _item(RescaleIntercept=0, RescaleSlope=f"{slope:.9g}", RescaleType="US")
            ],
            FrameContentSequence=[_item(StackID="1", InStackPositionNumber=number)],
        )
        for number, (place, slope) in enumerate(zip(places, slopes, strict=True), start=1)
    ]
    for name in (
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        "RescaleSlope",
        "RescaleIntercept",
    ):
        delattr(header, name)
    header.NumberOfFrames = len(places)
    header.PixelData = values.tobytes()
    header.save_as(path, enforce_file_format=True)
    return path


def _item(**fields: Any) -> Dataset:
    item = Dataset()
    for name, value in fields.items():
        setattr(item, name, value)
    return item


def _header(modality: str, number: int) -> Dataset:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    kind = MRImageStorage if modality == "MR" else PositronEmissionTomographyImageStorage
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = kind
    uid = UID(f"1.2.3.1.{number}")
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID = uid
    header.StudyInstanceUID, header.SeriesInstanceUID, header.SeriesNumber = "1.2.3", "1.2.3.1", 1
    header.Modality, header.Manufacturer, header.PatientPosition = modality, "SIEMENS", "HFS"
    header.PatientID = "X"
    header.StudyDate = header.SeriesDate = header.AcquisitionDate = "20060330"
    header.SeriesTime = header.AcquisitionTime = "120000"
    header.InstanceNumber, header.AcquisitionNumber = number, 1
    header.SliceThickness = 1.2
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated = header.BitsStored = 16
    header.HighBit, header.PixelRepresentation = 15, 0
    return header


def _pet(header: Dataset, frame: int, frames: int, slices: int) -> None:
    header.SeriesType = ["DYNAMIC" if frames > 1 else "STATIC", "IMAGE"]
    header.Units, header.DecayCorrection = "BQML", "START"
    header.NumberOfSlices, header.NumberOfTimeSlices = slices, frames
    header.AcquisitionTime = f"12{5 * frame:02d}00"
    header.FrameReferenceTime = 1000.0 * (150 + 300 * frame)
    header.ActualFrameDuration = 300000
    header.TemporalPositionIdentifier = frame + 1
