"""What stands beside the images of the BIDS dataset: sidecar keys and participants."""

from collections.abc import Mapping
from typing import Any

from mri2pet.bids_output import BIDS_VERSION, GENERATED_BY
from mri2pet.cohorts.tracers import name_tracer
from mri2pet.conversion.pet_required import required_keys

# What may stand in a sidecar: machine and sequence. Names, dates, numbers that lead to a person or
# a place, and free text in which they may hide (descriptions, comments) are not in it.
_MRI_KEYS = """
    Modality MagneticFieldStrength ImagingFrequency Manufacturer ManufacturersModelName
    SoftwareVersions MRAcquisitionType ScanningSequence SequenceVariant ScanOptions SequenceName
    ImageType EchoTime RepetitionTime InversionTime FlipAngle SliceThickness SpacingBetweenSlices
    PixelBandwidth DwellTime NonlinearGradientCorrection PercentPhaseFOV PercentSampling
    AcquisitionMatrixPE ReconMatrixPE ParallelReductionFactorInPlane PartialFourier
    PhaseEncodingSteps InPlanePhaseEncodingDirectionDICOM ImageOrientationPatientDICOM
    ConversionSoftware ConversionSoftwareVersion CorrectedToSource
"""
_PET_KEYS = """
    Modality Manufacturer ManufacturersModelName SoftwareVersions ImageType Units
    AttenuationCorrection AttenuationCorrectionMethod ScatterCorrectionMethod
    RandomsCorrectionMethod ScatterFraction DecayCorrection DecayCorrected DecayFactor
    DecayCorrectionFactor DoseCalibrationFactor
    ReconMethodName ReconstructionMethod ReconFilterType ReconFilterSize ConvolutionKernel
    ReconMatrixSize IterativeReconMethod FrameDuration FrameTimesStart SliceThickness
    RadionuclideHalfLife RadionuclidePositronFraction RadionuclideTotalDose
    InjectedRadioactivity InjectedRadioactivityUnits ImageDecayCorrected ImageDecayCorrectionTime
    InjectedVolume InjectedMass InjectedMassUnits SpecificRadioactivity SpecificRadioactivityUnits
    ModeOfAdministration AcquisitionMode TimeZero ScanStart InjectionStart
    ReconMethodParameterLabels ReconMethodParameterUnits ReconMethodParameterValues
    ImageOrientationPatientDICOM ConversionSoftware ConversionSoftwareVersion CorrectedToSource
"""
ALLOWED = {"MRI": frozenset(_MRI_KEYS.split()), "PET": frozenset(_PET_KEYS.split())}
FDG = {"TracerName": "FDG", "TracerRadionuclide": "F18"}


def clean_sidecar(
    source: dict[str, Any],
    modality: str,
    tracer: str | None = None,
    protocol: Mapping[str, Any] | None = None,
    frames: int = 1,
) -> dict[str, Any]:
    """Keep what `ALLOWED` lets through, and add to a PET its tracer and what BIDS requires.

    A text is kept if it is short and printable: a longer one was not written by the scanner. The
    tracer is FDG; of another BIDS label that of the source, and what the label says where the
    source names none. `protocol` and `frames` are as for `required_keys`.
    """
    kept = {key: value for key, value in source.items() if key in ALLOWED[modality]}
    kept = {key: value for key, value in kept.items() if _is_plain(value)}
    if modality == "PET":
        kept |= FDG if tracer is None else name_tracer(tracer, source)
        kept = required_keys(kept, tracer, protocol, frames)
    return kept


def _is_plain(value: Any) -> bool:
    """Tell whether a value is a number, a short text, or a list of such."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, str):
        return len(value) <= 64 and value.isprintable()
    return isinstance(value, bool | int | float)


def dataset_description() -> dict[str, Any]:
    """Return BIDS's `dataset_description.json`."""
    return {
        "Name": "Cohort converted by mri2pet",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": GENERATED_BY,
    }


README = """\
# Brain MRI and FDG-PET of one cohort

T1-weighted MRI and FDG-PET, one folder a participant and visit, converted from the scanner's or
the archive's files by the workflow mri2pet. Names, birth dates, dates and places are left out;
faces are not removed: keep to the terms under which the scans were given. Participants are
described in participants.tsv (age and group at the first visit).
"""


def participants(cohort: Any) -> Any:
    """Make BIDS's participants table from the cohort table (DataFrames): one row a subject.

    Group and age are those of the earliest MRI; by the visit's name where dates are not known.
    """
    order = [name for name in ("subject", "mri_date", "visit") if name in cohort]
    first = cohort.sort_values(order).drop_duplicates("subject")
    table = first[["subject", "sex", "group", "age"]].rename(columns={"subject": "participant_id"})
    table["participant_id"] = "sub-" + table["participant_id"].astype(str)
    return table


PARTICIPANTS_SIDECAR = {
    "sex": {"Description": "Sex as listed by the archive", "Levels": {"M": "male", "F": "female"}},
    "group": {
        "Description": "Diagnostic group at the first visit",
        "Levels": {
            "HC": "healthy control",
            "CN": "cognitively normal",
            "SMC": "significant memory concern",
            "EMCI": "early mild cognitive impairment",
            "MCI": "mild cognitive impairment",
            "LMCI": "late mild cognitive impairment",
            "AD": "dementia due to Alzheimer's disease",
            "control": "healthy control of the epilepsy study",
            "patient": "epilepsy",
        },
    },
    "age": {"Description": "Age at the first visit", "Units": "year"},
}
