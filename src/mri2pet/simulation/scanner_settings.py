"""How the scanners of the simulated dementia study are set, in the words and units of BIDS.

The DICOM headers and the BIDS sidecars are both written from here.
"""

from datetime import timedelta
from typing import Any

FRAME_SECONDS = 300
STATIC_FRAMES = 6  # that one averaged volume stands for
BQML_PER_STORED = 0.75  # slope of the PET's stored values
UPTAKE_TIME = timedelta(minutes=30)  # from the injection to the scan
SUBSETS, ITERATIONS = 16, 4  # of the reconstruction

T1W = {
    "Modality": "MR",
    "MagneticFieldStrength": 3,
    "Manufacturer": "Siemens",
    "ManufacturersModelName": "TrioTim",
    "MRAcquisitionType": "3D",
    "ScanningSequence": "GR\\IR",
    "SequenceVariant": "SP\\MP",
    "ScanOptions": "IR",
    "SequenceName": "*tfl3d1_ns",
    "RepetitionTime": 2.3,
    "EchoTime": 0.00298,
    "InversionTime": 0.9,
    "FlipAngle": 9,
    "PixelBandwidth": 240,
}
# What a simulated scanner cannot know is n/a, which BIDS asks for.
FDG = {
    "Modality": "PT",
    "Manufacturer": "Siemens",
    "ManufacturersModelName": "HR+",
    "Units": "Bq/mL",
    "TracerName": "FDG",
    "TracerRadionuclide": "F18",
    "InjectedRadioactivity": 185,
    "InjectedRadioactivityUnits": "MBq",
    "InjectedMass": "n/a",
    "InjectedMassUnits": "n/a",
    "SpecificRadioactivity": "n/a",
    "SpecificRadioactivityUnits": "n/a",
    "ModeOfAdministration": "bolus",
    "RadionuclideHalfLife": 6586.2,
    "RadionuclidePositronFraction": 0.967,
    "ScanStart": 0,
    "InjectionStart": -int(UPTAKE_TIME.total_seconds()),
    "ImageDecayCorrected": True,
    "ImageDecayCorrectionTime": 0,
    "ReconMethodName": "Ordered Subset Expectation Maximization",
    "ReconMethodParameterLabels": ["subsets", "iterations"],
    "ReconMethodParameterUnits": ["none", "none"],
    "ReconMethodParameterValues": [SUBSETS, ITERATIONS],
    "ReconFilterType": "none",
    "AttenuationCorrection": "measured",
}


def frame_times(frames: int) -> dict[str, Any]:
    """Return the keys of a PET's sidecar that hang on the number of its frames.

    Parameters
    ----------
    frames
        Number of frames; one is the average of a whole scan.

    Returns
    -------
    dict
        `AcquisitionMode`; `FrameTimesStart` and `FrameDuration`, in seconds after the scan's start.
    """
    seconds = FRAME_SECONDS * (STATIC_FRAMES if frames == 1 else 1)
    return {
        "AcquisitionMode": "static" if frames == 1 else "dynamic",
        "FrameTimesStart": [seconds * frame for frame in range(frames)],
        "FrameDuration": [seconds] * frames,
    }
