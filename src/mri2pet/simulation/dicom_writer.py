"""Simulated scans as DICOM series, in the folders and with the names of an ADNI download."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    ExplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
)

from mri2pet.simulation.mri import Scan
from mri2pet.simulation.people import Person, Visit
from mri2pet.simulation.scanner_settings import (
    BQML_PER_STORED,
    FDG,
    FRAME_SECONDS,
    ITERATIONS,
    STATIC_FRAMES,
    SUBSETS,
    T1W,
    UPTAKE_TIME,
)

MRI_DESCRIPTION = "MP-RAGE"
PET_DESCRIPTION = "Co-registered, Averaged"
PET_RAW_DESCRIPTION = "ADNI Brain PET: Raw FDG"  # the cohort reads the tracer from it
# As each maker writes itself into DICOM headers; BIDS has the shorter name.
IN_DICOM = {
    "Siemens": "SIEMENS",
    "GE": "GE MEDICAL SYSTEMS",
    "Philips": "Philips Medical Systems",
}
LPS = np.array([-1.0, -1.0, 1.0])  # DICOM's world has x to the left and y to the back


@dataclass(frozen=True)
class Image:
    """What names an image of the collection: modality MR or PT, description, time, numbers."""

    modality: str
    description: str
    time: datetime
    image: int
    series: int


def mri_image(visit: Visit) -> Image:
    """Return the identity of a visit's MRI."""
    when = datetime.fromisoformat(visit.mri_time)
    return Image("MR", MRI_DESCRIPTION, when, visit.mri_image, visit.mri_series)


def pet_image(visit: Visit, frames: int) -> Image | None:
    """Return the identity of a visit's PET, or None if there is none."""
    if visit.pet_time is None or visit.pet_image is None or visit.pet_series is None:
        return None
    when = datetime.fromisoformat(visit.pet_time)
    description = PET_DESCRIPTION if frames == 1 else PET_RAW_DESCRIPTION
    return Image("PT", description, when, visit.pet_image, visit.pet_series)


def series_folder(image: Image) -> Path:
    """Folder of an image below its subject's: description, date and time, image number."""
    folder = image.description.translate(str.maketrans(" ;:", "___"))
    return Path(folder) / image.time.strftime("%Y-%m-%d_%H_%M_%S.0") / f"I{image.image}"


def write_series(
    folder: Path,
    person: Person,
    visit: Visit,
    image: Image,
    scan: Scan,
    machine: Mapping[str, str] | None = None,
) -> Path:
    """Write one image as a DICOM file a slice (and frame).

    Parameters
    ----------
    folder
        The subject's raw folder.
    scan
        int16 data (i, j, k) or (i, j, k, frame): i runs along the rows of a slice, j down its
        columns, k over slices.
    machine
        As `scanners.machine` gives it; None: that of a study without scanners.

    Returns
    -------
    Path
        The folder of the series.
    """
    target = folder / series_folder(image)
    target.mkdir(parents=True)
    data = scan.data if scan.data.ndim == 4 else scan.data[..., None]
    header = _header(person, visit, image, scan)
    told = (T1W if image.modality == "MR" else FDG) | dict(machine or {})
    header.Manufacturer = IN_DICOM[told["Manufacturer"]]
    header.ManufacturerModelName = told["ManufacturersModelName"]
    (_mr if image.modality == "MR" else _pt)(header, image, data.shape)
    parts = image.description.translate(str.maketrans(" ;:,", "____"))
    stamp = image.time.strftime("%Y%m%d%H%M%S")
    stem = f"ADNI_{person.ptid}_{image.modality}_{parts}_br_raw_{stamp}"
    step = scan.affine[:3, 2] * LPS
    normal = step / np.linalg.norm(step)
    positions = slice_positions(scan)
    for frame in range(data.shape[3]):
        for k in range(data.shape[2]):
            number = frame * data.shape[2] + k + 1
            header.InstanceNumber = number
            header.SOPInstanceUID = _uid(person, visit, image.modality, number)
            header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
            header.ImagePositionPatient = position_text(positions[k])
            header.SliceLocation = f"{positions[k] @ normal:.5f}"
            header.PixelData = np.ascontiguousarray(data[:, :, k, frame].T).tobytes()
            if image.modality == "PT":
                _frame(header, image, frame, number)
            name = f"{stem}_{number}_S{image.series}_I{image.image}.dcm"
            header.save_as(target / name, enforce_file_format=True)
    return target


def slice_positions(scan: Scan) -> np.ndarray:
    """Return where the first voxel of each slice lies: (slices, 3), mm in DICOM's world."""
    step, first = scan.affine[:3, 2] * LPS, scan.affine[:3, 3] * LPS
    return first + np.arange(scan.data.shape[2])[:, None] * step


def position_text(position: np.ndarray) -> list[str]:
    """Write a position, (3,) mm, as ImagePositionPatient has it."""
    return [f"{value:.5f}" for value in position]


def voxel_text(scan: Scan) -> list[str]:
    """Write the voxel sizes in mm along i, j and k as PixelSpacing and SliceThickness have them."""
    return [f"{value:.6f}" for value in np.linalg.norm(scan.affine[:3, :3], axis=0)]


def _uid(person: Person, visit: Visit, modality: str, what: str | int) -> str:
    """Make a DICOM identifier from what it identifies: the same one in every run."""
    parts = person.seed, person.ptid, visit.code, modality, what
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()
    return f"2.25.{int(digest[:30], 16)}"


def _header(person: Person, visit: Visit, image: Image, scan: Scan) -> FileDataset:
    """Everything that the slices of both modalities share."""
    meta = FileMetaDataset()
    mr = image.modality == "MR"
    meta.MediaStorageSOPClassUID = MRImageStorage if mr else PositronEmissionTomographyImageStorage
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    header.SOPClassUID = meta.MediaStorageSOPClassUID
    header.Modality = image.modality
    header.SpecificCharacterSet = "ISO_IR 100"
    day, clock = image.time.strftime("%Y%m%d"), image.time.strftime("%H%M%S")
    header.StudyDate = header.SeriesDate = header.AcquisitionDate = header.ContentDate = day
    header.StudyTime = header.SeriesTime = header.AcquisitionTime = header.ContentTime = clock
    # What must not pass into the BIDS folder; no such person lives.
    header.PatientName = f"Simulated^Person{person.number:04d}"
    header.PatientID = person.ptid
    header.PatientBirthDate = (image.time - timedelta(days=365.25 * person.age_at(visit))).strftime(
        "%Y%m%d"
    )
    header.PatientSex = person.sex
    header.PatientAge = f"{int(person.age_at(visit)):03d}Y"
    header.PatientWeight = "72"
    header.InstitutionName = f"Simulated Site {person.ptid[:3]}"
    header.StudyInstanceUID = _uid(person, visit, image.modality, "study")
    header.SeriesInstanceUID = _uid(person, visit, image.modality, "series")
    header.FrameOfReferenceUID = _uid(person, visit, image.modality, "frame of reference")
    header.StudyID = "1"
    header.AccessionNumber = ""
    header.ReferringPhysicianName = ""
    header.SeriesNumber = 3 if mr else 1
    header.SeriesDescription = image.description
    header.ProtocolName = image.description
    header.PatientPosition = "HFS"
    axes = scan.affine[:3, :3] * LPS[:, None]
    sizes = np.linalg.norm(axes, axis=0)
    cosines = (axes / sizes)[:, :2].T.ravel()
    header.ImageOrientationPatient = [f"{value:.6f}" for value in cosines]
    across, down, thick = voxel_text(scan)
    header.PixelSpacing = [down, across]
    header.SliceThickness = header.SpacingBetweenSlices = thick
    header.Columns, header.Rows = scan.data.shape[:2]
    header.SamplesPerPixel = 1
    header.PhotometricInterpretation = "MONOCHROME2"
    header.BitsAllocated = header.BitsStored = 16
    header.HighBit = 15
    header.PixelRepresentation = 1
    return header


def _mr(header: Dataset, image: Image, shape: tuple[int, ...]) -> None:
    """Tags of an MPRAGE."""
    header.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    header.ScanningSequence = T1W["ScanningSequence"].split("\\")
    header.SequenceVariant = T1W["SequenceVariant"].split("\\")
    header.SequenceName = T1W["SequenceName"]
    header.ScanOptions = T1W["ScanOptions"]
    header.MRAcquisitionType = T1W["MRAcquisitionType"]
    header.MagneticFieldStrength = f"{T1W['MagneticFieldStrength']}"
    header.RepetitionTime = f"{1000 * T1W['RepetitionTime']:g}"
    header.EchoTime = f"{1000 * T1W['EchoTime']:g}"
    header.InversionTime = f"{1000 * T1W['InversionTime']:g}"
    header.FlipAngle = f"{T1W['FlipAngle']}"
    header.EchoTrainLength = 1
    header.NumberOfAverages = "1"
    header.PixelBandwidth = f"{T1W['PixelBandwidth']}"
    header.RescaleIntercept = "0"
    header.RescaleSlope = "1"


def _pt(header: Dataset, image: Image, shape: tuple[int, ...]) -> None:
    """Tags of an FDG-PET, 30 minutes after injection."""
    header.ImageType = ["ORIGINAL", "PRIMARY"]
    header.SeriesType = ["DYNAMIC" if shape[3] > 1 else "STATIC", "IMAGE"]
    header.Units = "BQML"
    header.CountsSource = "EMISSION"
    header.DecayCorrection = "START"
    header.CorrectedImage = ["DECY", "ATTN", "SCAT", "DTIM", "RAN", "NORM"]
    header.ReconstructionMethod = f"OSEM3D {ITERATIONS}i{SUBSETS}s"
    header.AttenuationCorrectionMethod = FDG["AttenuationCorrection"]
    header.NumberOfSlices = shape[2]
    if shape[3] > 1:
        header.NumberOfTimeSlices = shape[3]
    header.RescaleIntercept = "0"
    header.RescaleSlope = f"{BQML_PER_STORED}"
    header.RescaleType = "BQML"
    tracer = Dataset()
    tracer.Radiopharmaceutical = "Fluorodeoxyglucose"
    tracer.RadiopharmaceuticalStartTime = (image.time - UPTAKE_TIME).strftime("%H%M%S")
    tracer.RadionuclideTotalDose = f"{FDG['InjectedRadioactivity']}000000"
    tracer.RadionuclideHalfLife = f"{FDG['RadionuclideHalfLife']}"
    tracer.RadionuclidePositronFraction = f"{FDG['RadionuclidePositronFraction']}"
    header.RadiopharmaceuticalInformationSequence = Sequence([tracer])


def _frame(header: Dataset, image: Image, frame: int, number: int) -> None:
    """Tags of one frame of a PET."""
    start = image.time + timedelta(seconds=frame * FRAME_SECONDS)
    whole = 1 if header.SeriesType[0] == "DYNAMIC" else STATIC_FRAMES
    header.AcquisitionTime = start.strftime("%H%M%S")
    header.ActualFrameDuration = f"{FRAME_SECONDS * 1000 * whole}"
    header.FrameReferenceTime = f"{1000 * (FRAME_SECONDS * (frame + whole / 2)):.0f}"
    header.ImageIndex = number
