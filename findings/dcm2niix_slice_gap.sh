#!/usr/bin/env bash
# dcm2niix 1.0.20260724: the distance of the first two slices is taken for all.
# Behaviour: where slice positions are rounded, which DICOM allows, the voxel size is the first gap, not the mean
#   gap. Nothing is said about it, and the sidecar does not tell.
# Seen (2026-11-29): 120 slices 1.25 mm apart, with positions rounded to .1 mm (0, 1.2, 2.5, 3.8, ...): the voxels
#   are 1.2 mm high and the last slice lies at 142.8 mm, not 148.8 mm. With exact positions it lies at 148.75 mm.
# Why it matters: the head is 4% too short and every voxel size in the file is wrong in the same way, so volumes and
#   thicknesses are too small. Compare the affine with the positions of the first and the last slice.
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


def convert(name, heights):
    """Write an axial MRI series with slices at `heights` (mm); return volume and output."""
    Path(name).mkdir()
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    for number, height in enumerate(heights, start=1):
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
        header.Modality, header.Manufacturer, header.ProtocolName = "MR", "SIEMENS", "T1"
        header.PatientPosition, header.ReferringPhysicianName = "HFS", ""
        header.ImageType = ["ORIGINAL", "PRIMARY"]
        header.ScanningSequence, header.SequenceVariant, header.ScanOptions = "GR", "NONE", ""
        header.MRAcquisitionType, header.RepetitionTime, header.EchoTime = "3D", 2000, 3
        header.EchoTrainLength, header.MagneticFieldStrength = 1, 3
        header.SeriesNumber, header.AcquisitionNumber, header.InstanceNumber = 1, 1, number
        header.SliceThickness, header.PixelSpacing = 1.25, [2, 2]
        header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        header.ImagePositionPatient = [-16, -16, round(float(height), 3)]
        header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
        header.Rows = header.Columns = header.BitsAllocated = header.BitsStored = 16
        header.HighBit, header.PixelRepresentation = 15, 0
        header.PixelData = np.full((16, 16), 1000 + number, np.uint16).tobytes()
        header.save_as(f"{name}/{number:03d}.dcm", enforce_file_format=True)
    call = ["venv/bin/dcm2niix", "-z", "n", "-f", name, "-o", ".", name]
    said = subprocess.run(call, capture_output=True, text=True, check=True).stdout
    return nib.load(f"{name}.nii"), said


exact = 1.25 * np.arange(120)
as_described = True
for name, heights, gap in (("exact", exact, 1.25), ("rounded", np.round(exact, 1), 1.2)):
    image, said = convert(name, heights)
    first, last = (image.affine @ [0, 0, k, 1] for k in (0, 119))
    found, length = float(image.header.get_zooms()[2]), last[2] - first[2]
    about = [line for line in said.splitlines() if "slice" in line.lower()]
    print(f"{name}: voxels {found:.3f} mm high, first to last slice {length:.2f} mm (positions say")
    print(f"  {heights[-1] - heights[0]:.2f} mm); said about slices: {about or 'nothing'}")
    as_described &= abs(found - gap) < 1e-4 and not about
sys.exit(None if as_described else "no longer as described")
END
