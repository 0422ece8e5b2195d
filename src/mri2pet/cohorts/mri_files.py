"""The reader of a folder of MRIs without any order: each file, or folder of DICOM, is a person.

For `apply` alone: there is no PET here to learn from. No image is opened but for its first bytes.
"""

import csv
import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mri2pet.cohorts.adni.locate import check_names
from mri2pet.cohorts.bids.bids_words import read_age, read_sex
from mri2pet.cohorts.contract import COLUMNS, EXCLUSION_COLUMNS
from mri2pet.cohorts.fetched import absent
from mri2pet.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

MRI_ALONE = True  # no study that is trained on is read by it
LOOKED_FOR = (
    "a folder of T1-weighted MRIs: NIfTI files (.nii, .nii.gz), or folders with the DICOM files of "
    "one series each"
)
VISIT = "1"
TABLE = "participants.tsv"  # beside the files, if age, sex or group are known
ENDINGS = (".nii", ".nii.gz")
DICOM_ENDINGS = (".dcm", ".ima", "")
MAGIC = slice(128, 132)  # of a DICOM file


def recognise(raw: Path) -> str | None:
    """Say by what a folder is recognised as one of MRIs; None if none is in it."""
    found = _scans(Path(raw))
    return f"{len(found)} MRIs, {min(found)} for one" if found else None


def list_inputs(raw: Path, study: Mapping[str, Any]) -> dict[str, list[str]]:
    """List the MRIs in a folder, from it, and the table beside them if there is one.

    Raises
    ------
    InputError
        A name has a brace in it.
    """
    raw = Path(raw)
    found = _scans(raw)
    check_names("raw", [raw, *found])
    tables = [str(raw / TABLE)] if (raw / TABLE).is_file() else []
    return {"tables": tables, "listing": found}


def read(
    raw: Path, study: Mapping[str, Any], listing: Iterable[str]
) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """Make the cohort table of a folder of MRIs and its exclusions.

    Parameters
    ----------
    raw
        The folder.
    study
        Its block of the configuration: `groups`, those that are known.
    listing
        As `list_inputs` gives it.

    Returns
    -------
    table : DataFrame
        Columns `contract.COLUMNS`, a row an MRI. A person is called by the letters and digits of
        the file's name, or of the whole path where two names are alike.
    exclusions : DataFrame
        Columns `contract.EXCLUSION_COLUMNS`: files whose content is not here.

    Raises
    ------
    InputError
        Two MRIs come out with one label, or a row of the table is wrong.
    """
    import pandas as pd

    raw, rows, out = Path(raw), [], []
    told = _people(raw / TABLE)
    named = _labels(raw, sorted(listing))
    for name, label in named.items():
        if reason := absent(raw / name):
            out.append((label, VISIT, None, "MRI", "cohort", f"{name}: {reason}"))
            continue
        person = next((told[key] for key in (label, _stem(name)) if key in told), {})
        group = person.get("group")
        row = dict.fromkeys(COLUMNS) | {"subject": label, "visit": VISIT, "kind": "mri_only"}
        row |= {"age": person.get("age"), "sex": person.get("sex")}
        row |= {"group": group if group in study.get("groups", ()) else None}
        rows.append(row | {"mri_file": (raw / name).as_posix()})
    unknown = sorted(set(told) - {*named.values(), *map(_stem, named)})
    if unknown:
        log.warning("%s: there is no MRI of %s", raw / TABLE, ", ".join(unknown[:5]))
    table = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
    exclusions = pd.DataFrame(out, columns=list(EXCLUSION_COLUMNS), dtype=object)
    return table.where(table.notna(), None).astype({"age": "Float64"}), exclusions


def _scans(raw: Path) -> list[str]:
    """List NIfTI files and folders with DICOM files below a folder, from it, sorted."""
    found: set[str] = set()
    for path in sorted(raw.rglob("*")):
        inside = path.relative_to(raw)
        if any(part.startswith(".") for part in inside.parts) or path.is_dir():
            continue
        if path.name.lower().endswith(ENDINGS):
            found.add(inside.as_posix())
        elif path.parent.relative_to(raw).as_posix() not in found and _is_dicom(path):
            found.add(path.parent.relative_to(raw).as_posix())
    return sorted(found)


def _is_dicom(path: Path) -> bool:
    if path.suffix.lower() not in DICOM_ENDINGS and not path.suffix[1:].isdigit():
        return False
    try:
        with open(path, "rb") as handle:
            return handle.read(132)[MAGIC] == b"DICM"
    except OSError:
        return False


def _stem(name: str) -> str:
    """Return a file's or folder's own name without its ending."""
    return re.sub(r"\.nii(\.gz)?$", "", Path(name).name, flags=re.I)


def _labels(raw: Path, names: list[str]) -> dict[str, str]:
    """Give each MRI the label of a person."""

    def plain(text: str) -> str:
        return re.sub(r"[^A-Za-z0-9]", "", text)

    own = {name: plain(_stem(name) if name != "." else raw.resolve().name) for name in names}
    counts = Counter(own.values())
    for name, label in own.items():
        if counts[label] > 1 or not label:
            own[name] = plain(re.sub(r"\.nii(\.gz)?$", "", name, flags=re.I))
    seen: dict[str, str] = {}
    for name, label in own.items():
        if not label or label in seen:
            other = f" and {seen[label]}" if label in seen else ""
            raise InputError(
                f"raw: {raw / name}{other}: no label of letters and digits tells whose MRI it is; "
                "rename it"
            )
        seen[label] = name
    return own


def _people(path: Path) -> dict[str, dict[str, Any]]:
    """Read age, sex and group by participant_id, with and without `sub-`."""
    if not path.is_file():
        return {}
    with open(path, newline="", encoding="utf-8-sig") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    if rows and "participant_id" not in rows[0]:
        raise InputError(f"{path}: has no column participant_id")
    people = {}
    for number, row in enumerate(rows, start=2):
        key = (row["participant_id"] or "").removeprefix("sub-")
        texts = {
            name: value
            for name in ("age", "sex", "group")
            if (value := (row.get(name) or "").strip()) not in ("", "n/a")
        }
        age = read_age(texts.get("age"), f"{path}, line {number}, age")
        sex = read_sex(texts.get("sex"), None)
        people[key] = {"age": age, "sex": sex, "group": texts.get("group")}
    return people
