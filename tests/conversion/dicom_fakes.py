"""Small DICOM series as a scanner writes them, with a planted name, birth date and institution."""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
)

PLANTED = ("Zaphod", "19420607", "Magrathea")  # name, birth date, institution
SIZE = (16, 16, 12)  # rows, columns, slices
SPACING = (6.0, 6.0, 8.0)  # mm


def write_series(
    folder: Path,
    image_id: int = 1,
    modality: str = "MR",
    frames: int = 1,
    series: str = "1",
    volume: np.ndarray | None = None,
    seed: int = 0,
) -> list[Path]:
    """Write one axial series into `folder`, file names as ADNI's; return the files by number."""
    folder.mkdir(parents=True, exist_ok=True)
    if volume is None:
        rng = np.random.default_rng(seed)
        volume = rng.integers(1, 1000, (*SIZE, frames))
    volume = volume.reshape(*SIZE, frames).astype(np.uint16)
    files = []
    for frame in range(frames):
        for index in range(SIZE[2]):
            number = frame * SIZE[2] + index + 1
            path = folder / f"ADNI_x_{number}_S{series}_I{image_id}.dcm"
            header = _header(modality, f"1.2.3.{series}", number)
            header.ImagePositionPatient = [-48.0, -48.0, index * SPACING[2] - 40]
            header.SeriesNumber = series
            header.NumberOfSlices = SIZE[2] if modality == "PT" else None
            header.AcquisitionTime = f"1200{frame:02d}"
            if modality == "PT":
                _pet(header, frame, frames)
            header.PixelData = np.ascontiguousarray(volume[:, :, index, frame]).tobytes()
            header.save_as(path, enforce_file_format=True)
            files.append(path)
    return files


def write_enhanced(folder: Path, leave_out: int | None = None) -> Path:
    """Write a series as one enhanced multi-frame file, without slice number `leave_out`."""
    folder.mkdir(parents=True, exist_ok=True)
    header = _header("MR", "1.2.3.1", 1)
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = EnhancedMRImageStorage
    plane = Dataset()
    plane.ImageOrientationPatient = header.ImageOrientationPatient
    del header.ImageOrientationPatient
    shared = Dataset()
    shared.PlaneOrientationSequence = [plane]
    header.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for index in (index for index in range(SIZE[2]) if index + 1 != leave_out):
        place, frame = Dataset(), Dataset()
        place.ImagePositionPatient = [-48.0, -48.0, index * SPACING[2] - 40]
        frame.PlanePositionSequence = [place]
        frames.append(frame)
    header.PerFrameFunctionalGroupsSequence = frames
    header.NumberOfFrames = len(frames)
    header.PixelData = np.ones((len(frames), *SIZE[:2]), np.uint16).tobytes()
    path = folder / "ADNI_x_S1_I1.dcm"
    header.save_as(path, enforce_file_format=True)
    return path


def _header(modality: str, series: str, number: int) -> Dataset:
    kind = MRImageStorage if modality == "MR" else PositronEmissionTomographyImageStorage
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = kind
    uid = f"{series}.{number}"
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID = uid
    header.StudyInstanceUID, header.SeriesInstanceUID = "1.2.3", series
    header.Modality, header.Manufacturer = modality, "SIEMENS"
    header.PatientName, header.PatientBirthDate, header.InstitutionName = PLANTED
    header.PatientID = header.SeriesDescription = header.ProtocolName = PLANTED[0]
    header.ImageComments = header.StudyDescription = PLANTED[2]
    header.StudyDate = header.AcquisitionDate = header.SeriesDate = "20060330"
    header.InstanceNumber = number
    header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    header.PixelSpacing, header.SliceThickness = list(SPACING[:2]), SPACING[2]
    header.Rows, header.Columns = SIZE[:2]
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, 16, 15
    header.PixelRepresentation = 0
    header.EchoTime, header.RepetitionTime, header.MagneticFieldStrength = 3, 2300, 3
    return header


def _pet(header: Dataset, frame: int, frames: int) -> None:
    header.SeriesType = ["DYNAMIC" if frames > 1 else "STATIC", "IMAGE"]
    header.Units, header.RescaleSlope, header.RescaleIntercept = "BQML", 2.0, 0.0
    header.FrameReferenceTime = 1000.0 * (1 + 300 * frame)
    header.ActualFrameDuration = 300000
    header.NumberOfTimeSlices = frames
    header.TemporalPositionIdentifier = frame + 1
