"""What BIDS requires of a PET's sidecar and can be said without a guess.

dcm2niix leaves out part of it: some follows from what it does write, or from the header's times;
some is n/a of FDG by BIDS's own words; and what no header says, a study states (`pet_protocol`).
"""

import logging
import re
from collections.abc import Mapping
from typing import Any

from mri2pet.cohorts.tracers import FDG
from mri2pet.conversion.frames import TOLERANCE, moment

log = logging.getLogger(__name__)

# One that is not known stays out: the validator names it, and docs/data.md says where it is from.
REQUIRED = (
    *("Manufacturer", "ManufacturersModelName", "Units", "TracerName", "TracerRadionuclide"),
    *("InjectedRadioactivity", "InjectedRadioactivityUnits", "InjectedMass", "InjectedMassUnits"),
    *("SpecificRadioactivity", "SpecificRadioactivityUnits", "ModeOfAdministration", "TimeZero"),
    *("ScanStart", "InjectionStart", "FrameTimesStart", "FrameDuration", "AcquisitionMode"),
    *("ImageDecayCorrected", "ImageDecayCorrectionTime", "ReconMethodName"),
    *("ReconMethodParameterLabels", "ReconMethodParameterUnits", "ReconMethodParameterValues"),
    *("ReconFilterType", "ReconFilterSize", "AttenuationCorrection"),
)
START_OF_CLOCK = "00:00:00"  # TimeZero: the clock of the sidecar begins there, not that of the day
DAY = 24 * 3600
INJECTED = (-6 * 3600.0, 3600.0)  # s after the scan's start; six hours are three half-lives of F-18
_MASS = ("InjectedMass", "InjectedMassUnits")
_ACTIVITY = ("SpecificRadioactivity", "SpecificRadioactivityUnits")
_NO_UNIT = {"subsets", "iterations"}
_NO_FILTER = re.compile(r"all[\s_-]?pass|none|no filter", re.I)
_TOGETHER = {  # what one of these says is of a value of the other key
    **{f"ReconMethodParameter{name}": "ReconMethodParameterLabels" for name in ("Units", "Values")},
    "ReconFilterSize": "ReconFilterType",
    "InjectedRadioactivityUnits": "InjectedRadioactivity",
}
_LISTED = ("FrameDuration", "FrameTimesStart", "DecayCorrectionFactor")
_TIMES = ("InjectionStart", "ScanStart", "ImageDecayCorrectionTime")
_CLOCK = re.compile(r"(\d\d):?(\d\d):?(\d\d(?:\.\d+)?)")


def required_keys(
    told: Mapping[str, Any],
    tracer: str | None = None,
    protocol: Mapping[str, Any] | None = None,
    frames: int = 1,
) -> dict[str, Any]:
    """Return a PET's sidecar with what BIDS requires, as far as it is known.

    Parameters
    ----------
    told
        The sidecar of the one volume that is written, in BIDS's words; times in seconds.
    tracer
        BIDS label; None for FDG.
    protocol
        What the study states of all its PET; of use for keys that `told` does not have.
    frames
        Of the source. A PET of one frame begins with its scan.

    Returns
    -------
    dict
        `told`, lists where BIDS wants lists, and the added keys. Times count from the injection or
        the scan's start, and `TimeZero` is 00:00:00 where one of these is known: never the time of
        day.
    """
    made = {key: _as_list(key, value) for key, value in told.items()}
    timed = "TimeZero" in made
    made = _one_clock({key: value for key, value in made.items() if key != "TimeZero"})
    if frames == 1 and "FrameTimesStart" not in made and "ScanStart" in made:
        made["FrameTimesStart"] = [made["ScanStart"]]
    if timed or 0 in (made.get("ScanStart"), made.get("InjectionStart")):
        made["TimeZero"] = START_OF_CLOCK
    if not all(made.get("DecayCorrectionFactor", [])):  # dcm2niix writes 0 where none is told
        del made["DecayCorrectionFactor"]
    made |= _reconstruction(made)
    if tracer in (None, FDG):  # BIDS: of FDG these are not available, and n/a
        for pair in (_MASS, _ACTIVITY):
            if not made.keys() & set(pair):
                made |= dict.fromkeys(pair, "n/a")
    stated = protocol or {}
    for key, value in stated.items():
        first = _TOGETHER.get(key, key)
        alike = first not in stated or made.get(first, stated[first]) == stated[first]
        if key not in made and alike:
            made[key] = value
    if unknown := [key for key in REQUIRED if key not in made | _not_needed(made)]:
        log.info("BIDS requires %s of a PET: not told by the source", ", ".join(unknown))
    return made


def injection_start(injected: object, scanned: object) -> float | None:
    """Return when a tracer was injected, in seconds after the scan's start.

    Parameters
    ----------
    injected, scanned
        Times of day as DICOM or dcm2niix write them: `114427.000000`, `11:44:27`. A date and time
        is read as the time of its day.

    Returns
    -------
    float or None
        None where a time is not told (midnight to the second is what is left when times are taken
        out of a header), or where so much time lies between the two that one of them is wrong.
    """
    injection, scan = _seconds(injected), _seconds(scanned)
    if not injection or not scan:
        return None
    return plausible_injection((injection - scan + DAY / 2) % DAY - DAY / 2)  # across midnight too


def plausible_injection(between: float) -> float | None:
    """Return a time of injection, in seconds after the scan's start; None if it cannot be."""
    if not INJECTED[0] <= between <= INJECTED[1]:
        log.warning("injected %.0f min before the scan: left out, one time is wrong", -between / 60)
        return None
    return _whole(between)


def _seconds(clock: object) -> float | None:
    """Read a time of day, in seconds after midnight."""
    text = str(clock or "").strip()
    found = _CLOCK.match(text[8:] if re.match(r"\d{14}", text) else text)
    return found and 3600 * int(found[1]) + 60 * int(found[2]) + float(found[3])


def _as_list(key: str, value: Any) -> Any:
    return [value] if key in _LISTED and moment(value) is not None else value


def _one_clock(made: dict[str, Any]) -> dict[str, Any]:
    """Count all times from the injection or the scan's start, in seconds.

    Where they count from neither, they are seconds of a day, and BIDS wants TimeZero to be one of
    the two.
    """
    times = {key: moment(made.get(key)) for key in _TIMES}
    injection, scan = times["InjectionStart"], times["ScanStart"]
    zero = injection if injection is not None else scan
    if zero is None or 0 in (injection, scan):
        zero = 0
    shifted = {key: value for key, value in made.items() if key not in _TIMES}
    shifted |= {key: time - zero for key, time in times.items() if time is not None}
    if abs(shifted.get("ImageDecayCorrectionTime", 0)) > DAY / 2:
        del shifted["ImageDecayCorrectionTime"]  # on another clock than the rest
    starts = made.get("FrameTimesStart")
    if isinstance(starts, list) and starts and all(moment(time) is not None for time in starts):
        early = scan is not None and starts[0] < scan - TOLERANCE  # counted from the scan's start
        lag = scan - starts[0] if early and scan is not None else 0
        shifted["FrameTimesStart"] = [_whole(time + lag - zero) for time in starts]
    return shifted | {key: _whole(shifted[key]) for key in _TIMES if key in shifted}


def _reconstruction(made: Mapping[str, Any]) -> dict[str, Any]:
    """Return keys of the reconstruction that follow from others in dcm2niix's words."""
    found: dict[str, Any] = {}
    if "ReconMethodName" not in made and made.get("ReconstructionMethod"):
        found["ReconMethodName"] = made["ReconstructionMethod"]
    labels = made.get("ReconMethodParameterLabels")
    units_follow = isinstance(labels, list) and set(map(str, labels)) <= _NO_UNIT
    if "ReconMethodParameterUnits" not in made and labels and units_follow:
        found["ReconMethodParameterUnits"] = ["none"] * len(labels)
    kernel = made.get("ConvolutionKernel")
    if "ReconFilterType" not in made and isinstance(kernel, str) and kernel.strip():
        found["ReconFilterType"] = "none" if _NO_FILTER.fullmatch(kernel.strip()) else kernel
    return found


def _not_needed(made: Mapping[str, Any]) -> dict[str, None]:
    """Return keys that BIDS requires only of a filter, and of parameters, that there are."""
    return {key: None for key, first in _TOGETHER.items() if made.get(first) in ("none", ["none"])}


def _whole(time: float) -> float | int:
    rounded = round(time, 3)
    return int(rounded) if float(rounded).is_integer() else rounded
