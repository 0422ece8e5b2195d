#!/usr/bin/env bash
# dcm2niix 1.0.20260724: a Siemens MRI without RepetitionTime loses slices if they are not numbered by place.
# Behaviour: slices are sorted by InstanceNumber; the first stretch of rising places is kept as the whole volume, the
#   rest is dropped. Nothing is said about it, and the exit code is 0. With a RepetitionTime, or from GE, all are kept.
#   RepetitionTime is of type 2C in DICOM: it may be empty, and it may be absent from an echo-planar image.
# Seen (2026-11-29): 12 slices 3 mm apart, numbered in interleaved order (1, 7, 2, 8, ...): 6 slices 6 mm apart.
#   The head nearly keeps its length, so it looks whole. Numbered in their order: 12 slices 3 mm apart.
# Why it matters: DICOM does not tie InstanceNumber to the place, and derived images often lack a RepetitionTime.
#   Compare the number of slices of every converted volume with the number of files.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet dcm2niix==1.0.20260724 pydicom==3.0.2 nibabel==5.4.2 numpy==2.4.6
cd "$work"
venv/bin/python - <<'END'
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid


def convert(name, numbers, maker, repetition):
    """Write an axial MRI series, slice k numbered numbers[k]; return volume, lines, files."""
    Path(name).mkdir()
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    for place, number in enumerate(numbers):
        header = Dataset()
        header.file_meta = FileMetaDataset()
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = MRImageStorage
        header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        header.StudyInstanceUID, header.SeriesInstanceUID = study, series
        header.FrameOfReferenceUID, header.PositionReferenceIndicator = frame, ""
        header.PatientName = header.PatientID = "phantom"
        header.PatientBirthDate = header.PatientSex = header.AccessionNumber = header.StudyID = ""
        header.StudyDate = header.SeriesDate = header.AcquisitionDate = "20200101"
        header.StudyTime = header.SeriesTime = header.AcquisitionTime = "100000"
        header.Modality, header.Manufacturer, header.ProtocolName = "MR", maker, "T1"
        header.PatientPosition, header.ReferringPhysicianName = "HFS", ""
        header.ImageType = ["ORIGINAL", "PRIMARY"]
        header.ScanningSequence, header.SequenceVariant, header.ScanOptions = "GR", "NONE", ""
        header.MRAcquisitionType, header.RepetitionTime, header.EchoTime = "3D", repetition, 3
        header.EchoTrainLength, header.MagneticFieldStrength = 1, 3
        header.SeriesNumber, header.AcquisitionNumber, header.InstanceNumber = 1, 1, number
        header.SliceThickness, header.PixelSpacing = 3, [2, 2]
        header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        header.ImagePositionPatient = [-16, -16, 3 * place]
        header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
        header.Rows = header.Columns = header.BitsAllocated = header.BitsStored = 16
        header.HighBit, header.PixelRepresentation = 15, 0
        header.PixelData = np.full((16, 16), 1000 + place, np.uint16).tobytes()
        header.save_as(f"{name}/{place:03d}.dcm", enforce_file_format=True)
    call = ["venv/bin/dcm2niix", "-z", "n", "-f", name, "-o", ".", name]
    said = subprocess.run(call, capture_output=True, text=True, check=True).stdout
    lines = [line for line in said.splitlines() if line.startswith(("Warning", "Convert "))]
    return nib.load(f"{name}.nii"), lines, sorted(path.name for path in Path().glob(f"{name}.*"))


interleaved = [1, 7, 2, 8, 3, 9, 4, 10, 5, 11, 6, 12]
wanted = {
    "in-order": (12, 3),
    "interleaved": (6, 6),
    "interleaved-tr": (12, 3),
    "interleaved-ge": (12, 3),
}
as_described = True
for name, numbers, maker, repetition in (
    ("in-order", list(range(1, 13)), "SIEMENS", None),
    ("interleaved", interleaved, "SIEMENS", None),
    ("interleaved-tr", interleaved, "SIEMENS", 2000),
    ("interleaved-ge", interleaved, "GE MEDICAL SYSTEMS", None),
):
    image, lines, files = convert(name, numbers, maker, repetition)
    slices, gap = image.shape[2], float(image.header.get_zooms()[2])
    print(
        f"{name}: 12 slices in, {slices} out, {gap:.1f} mm apart, exit code 0; {', '.join(files)}"
    )
    print("  " + "\n  ".join(lines))
    as_described &= (slices, round(gap, 3)) == wanted[name]
    if name == "interleaved":
        as_described &= not any("Warning" in line for line in lines)
sys.exit(None if as_described else "no longer as described")
END
