"""The folders of an ADNI download: checking its top, finding one image in it."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from mri2pet.errors import InputError, ScanError

IMAGE_SUFFIXES = (".dcm", ".ima", ".nii", ".nii.gz", "")
PTID = re.compile(r"[0-9]{3}_S_[0-9]{4,5}")
_KEY = re.compile(r"_I(\d+)(?=\.|$)", re.I)


def check_raw_folder(raw: str | Path, tables: Sequence[str | Path]) -> None:
    """Raise `InputError` unless `raw` is the top of an ADNI download, with a hint where that is."""
    raw = Path(raw)
    wanted = (
        "expected a folder with one folder a participant (named as 011_S_0005) and, beside them, "
        "the collection's CSV and ADNIMERGE.csv"
    )
    if not raw.is_dir():
        raise InputError(f"raw: {raw} is not a folder; {wanted}")
    people = [entry for entry in raw.iterdir() if PTID.fullmatch(entry.name) and entry.is_dir()]
    if people and tables:
        return
    inner = next((raw / name for name in ("ADNI", "adni") if (raw / name).is_dir()), None)
    hint = ""
    if not people and inner and any(PTID.fullmatch(entry.name) for entry in inner.iterdir()):
        hint = f"; the participants are in {inner}: set raw to it and put the CSV files there"
    lacking = " and ".join(
        ["no participant's folder"] * (not people) + ["no CSV file"] * (not tables)
    )
    raise InputError(f"raw: {raw} holds {lacking}; {wanted}{hint}")


def find_image(folder: str | Path, image_id: str | int) -> list[Path]:
    """Find the files of one image.

    ADNI's layout is `<PTID>/<description>/<date>/<I or S number>/ADNI_..._S<series>_I<image>.dcm`.
    The last `_I<digits>` of a file's name is its key; files without one belong to the folder
    `I<digits>` in which they lie.

    Parameters
    ----------
    folder
        The participant's folder, `<raw>/<PTID>`.
    image_id
        Image Data ID, with or without `I`.

    Returns
    -------
    list of Path
        Files of the image, sorted by name; all in one folder.

    Raises
    ------
    ScanError
        No file of that image, or it lies in more than one folder.
    """
    folder = Path(folder)
    wanted = int(str(image_id).upper().removeprefix("I"))
    if not folder.is_dir():
        raise ScanError(f"image I{wanted}: there is no folder {folder}")
    found: dict[Path, list[Path]] = {}
    others: set[str] = set()
    for parent, folders, names in os.walk(folder):
        folders.sort()
        here = re.fullmatch(r"I(\d+)", Path(parent).name, re.I)
        for name in sorted(names):
            keys = _KEY.findall(name)
            key = int(keys[-1]) if keys else int(here[1]) if here else None
            if key != wanted or name.startswith("."):
                continue
            if _may_be_image(name):
                found.setdefault(Path(parent), []).append(Path(parent, name))
            else:
                others.add(Path(name).suffix.lower())
    if not found:
        if others - {".xml", ".json", ".txt", ".csv"}:
            raise ScanError(
                f"image I{wanted}: under {folder} only as {', '.join(sorted(others))}; download "
                "it as DICOM or NIfTI, unpacked"
            )
        raise ScanError(
            f"image I{wanted}: no folder I{wanted} and no file ..._I{wanted}.dcm or .nii under "
            f"{folder}"
        )
    if len(found) > 1:
        places = ", ".join(str(place.relative_to(folder)) for place in found)
        raise ScanError(f"image I{wanted}: found in {len(found)} folders of {folder}: {places}")
    return next(iter(found.values()))


def _may_be_image(name: str) -> bool:
    """Pass over what ADNI and file managers put beside images (XML, thumbnails, tables)."""
    lower = name.lower()
    suffix = ".nii.gz" if lower.endswith(".nii.gz") else Path(lower).suffix
    return suffix in IMAGE_SUFFIXES or suffix[1:].isdigit()  # UIDs as names end in .<digits>
