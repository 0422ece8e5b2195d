#!/usr/bin/env bash
# dcm2niix 1.0.20260724: rescale slopes that differ by less than about 1e-7 are taken for equal, whatever their size.
# Behaviour: where the slopes of the slices differ, values are stored as floats, each slice with its own slope. The
#   comparison of slopes has an absolute limit, so small slopes are not seen to differ: all get the first one.
# Seen (2026-11-29): slopes rising by 60% from the first slice to the last. From .01 to .016: every value is
#   right. From 1e-8 to 1.6e-8: values of the last slice are 37.5% too low, exit code 0, no line about slopes.
# Why it matters: a PET in a large unit, or a parametric map, has such slopes. The error grows from one end of the
#   body to the other, as an uptake could. Compare one slice at each end with pydicom's value times slope.
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
from pydicom.uid import ExplicitVRLittleEndian, PositronEmissionTomographyImageStorage, generate_uid

STORED = 1000  # of every voxel


def convert(name, slopes):
    """Write a PET of one slice a slope, all of one value; return slice means and lines."""
    Path(name).mkdir()
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    for number, slope in enumerate(slopes, start=1):
        header = Dataset()
        header.file_meta = FileMetaDataset()
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        kind = PositronEmissionTomographyImageStorage
        header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = kind
        header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        header.StudyInstanceUID, header.SeriesInstanceUID = study, series
        header.FrameOfReferenceUID, header.PositionReferenceIndicator = frame, ""
        header.PatientName = header.PatientID = "phantom"
        header.PatientBirthDate = header.PatientSex = header.AccessionNumber = header.StudyID = ""
        header.StudyDate = header.SeriesDate = header.AcquisitionDate = "20200101"
        header.StudyTime = header.SeriesTime = header.AcquisitionTime = "100000"
        header.Modality, header.Manufacturer, header.ProtocolName = "PT", "SIEMENS", "PET"
        header.PatientPosition, header.ReferringPhysicianName = "HFS", ""
        header.ImageType = ["ORIGINAL", "PRIMARY"]
        header.SeriesType, header.Units = ["STATIC", "IMAGE"], "BQML"
        header.CountsSource, header.CollimatorType = "EMISSION", "NONE"
        header.CorrectedImage, header.DecayCorrection = ["DECY", "ATTN"], "START"
        header.NumberOfSlices, header.ImageIndex = len(slopes), number
        header.FrameReferenceTime, header.ActualFrameDuration = 150000, 300000
        header.RescaleSlope, header.RescaleIntercept = f"{slope:.9g}", 0
        header.SeriesNumber, header.AcquisitionNumber, header.InstanceNumber = 1, 1, number
        header.SliceThickness, header.PixelSpacing = 3, [2, 2]
        header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        header.ImagePositionPatient = [-16, -16, 3 * number]
        header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
        header.Rows = header.Columns = header.BitsAllocated = header.BitsStored = 16
        header.HighBit, header.PixelRepresentation = 15, 0
        header.PixelData = np.full((16, 16), STORED, np.uint16).tobytes()
        header.save_as(f"{name}/{number:03d}.dcm", enforce_file_format=True)
    call = ["venv/bin/dcm2niix", "-z", "n", "-f", name, "-o", ".", name]
    said = subprocess.run(call, capture_output=True, text=True, check=True).stdout
    lines = [line for line in said.splitlines() if "slope" in line.lower()]
    return nib.load(f"{name}.nii").get_fdata().mean(axis=(0, 1)), lines


as_described = True
for name, first, wanted in (("usual", 1e-2, 0.0), ("small", 1e-8, -37.5)):
    slopes = first * np.linspace(1, 1.6, 9)
    found, lines = convert(name, slopes)
    error = 100 * (found / (STORED * slopes) - 1)
    print(f"{name} slopes, {slopes[0]:.3g} to {slopes[-1]:.3g}: error of each slice, percent:")
    print(f"  {error.round(1) + 0.0}; said about slopes: {lines or 'nothing'}")
    as_described &= abs(error[-1] - wanted) < 0.1 and abs(error[0]) < 0.1
    as_described &= bool(lines) == (name == "usual")
sys.exit(None if as_described else "no longer as described")
END
