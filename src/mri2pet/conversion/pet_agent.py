"""What a PET's header or sidecar says of its tracer and of the activity that was injected.

dcm2niix makes TracerName of a free text, in which some sites write what the tracer is dissolved in,
and divides RadionuclideTotalDose by a million whatever its unit. The coded entry and the plausible
unit decide here.
"""

import logging
import re
from pathlib import Path
from typing import Any

from mri2pet.cohorts.adni.scans import OTHER_TRACER
from mri2pet.conversion.pet_required import injection_start
from mri2pet.conversion.transfer_syntax import damage_told, read_dicom
from mri2pet.errors import ScanError

log = logging.getLogger(__name__)

FDG_CODES = frozenset({"C-B1031", "35321007", "C0046056"})  # SNOMED RT, SNOMED CT, UMLS
_FDG_NAME = re.compile(  # in any order of its parts, and as other languages spell it
    r"fdg(?!al)|deoxy-?\s*glucose|(?=.*flu)(?=.*d.?s?o(?:x|ss))(?=.*gl[uy][ck]o)", re.I
)
_NO_NAME = re.compile(r"|n\W?a\W?|none|null|unknown|unspecified|not \w+|other|anon\w*|[\W_]+", re.I)
_NUCLIDE = re.compile(r"\W*(?:([a-z]+)\W*(\d+)|(\d+)\W*([a-z]+))\W*", re.I)
BQ = (1e6, 1e10)  # doses of people
MBQ = (50.0, 1500.0)  # a number like these is MBq in place of Bq; a smaller one may be mCi


def is_fdg(name: str) -> bool:
    """Tell whether a text is one of the usual names of FDG."""
    return bool(_FDG_NAME.search(name)) and not OTHER_TRACER.search(name)


def check_tracer(told: dict[str, Any], label: str) -> None:
    """Refuse a PET whose sidecar names another tracer or another radionuclide.

    A name that names nothing (n/a, unknown) is passed over. `TracerCoded`, what the DICOM header's
    code means, decides over a free text, unless that names another tracer outright.

    Raises
    ------
    ScanError
        Its message begins with `label`.
    """
    coded = str(told.get("TracerCoded") or "")
    if coded and not is_fdg(coded):
        raise ScanError(f"{label}: tracer: {coded[:32]!r} is not FDG")
    for key in ("TracerName", "Radiopharmaceutical"):
        name = str(told.get(key) or "").strip()
        known = coded or key == "Radiopharmaceutical" or _NO_NAME.fullmatch(name)
        if OTHER_TRACER.search(name) or not (known or is_fdg(name)):
            raise ScanError(f"{label}: tracer: {name[:32]!r} is not FDG")
    nuclide = _NUCLIDE.fullmatch(str(told.get("TracerRadionuclide") or ""))
    if nuclide:
        element = (nuclide[1] or nuclide[4]).lower()
        mass = int(nuclide[2] or nuclide[3])
        if mass != 18 or element not in ("f", "fluor", "fluorine"):
            raise ScanError(f"{label}: tracer: its radionuclide {nuclide[0][:16]!r} is not F18")


def agent_of_header(path: Path, scanned: object = None) -> dict[str, Any]:
    """Read what a PET's DICOM header says of the tracer in codes, and mend its dose.

    Parameters
    ----------
    path
        One file of the series.
    scanned
        Time of day at which its first frame began, as dcm2niix writes it.

    Returns
    -------
    dict
        `TracerCoded` and `TracerRadionuclide` where these are coded. `InjectedRadioactivity` and
        its units only where dcm2niix gets it wrong: MBq, or None if the unit cannot be told.
        `InjectionStart` in seconds after the scan's start, where both times are told.

    Raises
    ------
    ScanError
        The header is damaged.
    """
    with damage_told(path):
        header = read_dicom(path, stop_before_pixels=True)
        agents = header.get("RadiopharmaceuticalInformationSequence") or []
        return _agent(agents[0], path, scanned) if agents else {}


def _agent(agent: Any, path: Path, scanned: object) -> dict[str, Any]:
    told: dict[str, Any] = {}
    when = [agent.get(f"RadiopharmaceuticalStart{kind}") for kind in ("DateTime", "Time")]
    start = injection_start(when[0] or when[1], scanned)
    if start is not None:
        told["InjectionStart"] = start
    code = _code(agent, "RadiopharmaceuticalCodeSequence")
    if code is not None:
        meaning = str(code.get("CodeMeaning") or "").strip()
        value = str(code.get("CodeValue") or code.get("LongCodeValue") or "").strip()
        if value in FDG_CODES and not is_fdg(meaning):
            meaning = "FDG"
        if not _NO_NAME.fullmatch(meaning):
            told["TracerCoded"] = meaning
    nuclide = _code(agent, "RadionuclideCodeSequence")
    if nuclide is not None and nuclide.get("CodeMeaning"):
        told["TracerRadionuclide"] = str(nuclide.CodeMeaning)
    dose = agent.get("RadionuclideTotalDose")
    if dose is not None and not BQ[0] <= float(dose) <= BQ[1]:
        dose = plausible_dose(float(dose), str(path))
        told |= {"InjectedRadioactivity": dose}
        told |= {"InjectedRadioactivityUnits": None if dose is None else "MBq"}
    return told


def _code(agent: Any, name: str) -> Any:
    entries = agent.get(name) or []
    return entries[0] if entries else None


def plausible_dose(dose: float, label: str) -> float | None:
    """Return a dose in MBq, told in Bq or MBq; None where it can be neither for a person.

    Parameters
    ----------
    dose
        As a header has it.
    label
        What the log calls the scan.
    """
    if BQ[0] <= dose <= BQ[1]:
        return dose / 1e6
    if MBQ[0] <= dose <= MBQ[1]:
        log.warning("%s: a dose of %g Bq is none for a person: taken as MBq", label, dose)
        return dose
    log.warning("%s: the unit of its dose, %g, cannot be told: left out", label, dose)
    return None
