"""The folders of an ADNI download: checking its top, finding one image in it."""

import errno
import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from mri2pet.errors import InputError, ScanError
from mri2pet.files import MISSING

IMAGE_SUFFIXES = (".dcm", ".ima", ".nii", ".nii.gz", ".v", "")
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
    if not os.access(raw, os.R_OK | os.X_OK):
        raise InputError(f"raw: {raw} may not be read: see to its permissions")
    check_names("raw", [raw, *tables])
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


def check_names(setting: str, paths: Iterable[str | Path]) -> None:
    """Raise `InputError` if a path of the user's cannot be the input of a rule."""
    if braced := [str(path) for path in paths if re.search(r"[{}]", str(path))]:
        raise InputError(
            f"{setting}: {braced[0]} has a brace in its name, which Snakemake takes for a "
            "wildcard: rename it"
        )


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
        Image Data ID, with or without `I`; `n/a` for a folder of one DICOM series.

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
    if image_id == MISSING:
        return _series(folder)
    wanted = int(str(image_id).upper().removeprefix("I"))
    if not folder.is_dir():
        raise ScanError(f"image I{wanted}: there is no folder {folder}")
    found: dict[Path, list[Path]] = {}
    others: set[str] = set()
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if _key_of(parent, name) != wanted or name.startswith("."):
                continue
            if _may_be_image(name):
                found.setdefault(Path(parent), []).append(Path(parent, name))
            else:
                others.add(Path(name).suffix.lower())
    if not found:
        if others - {".xml", ".json", ".txt", ".csv"}:
            raise ScanError(
                f"image I{wanted}: under {folder} only as {', '.join(sorted(others))}; download "
                "it as DICOM, NIfTI or ECAT 7 (.v), unpacked"
            )
        raise ScanError(
            f"image I{wanted}: no folder I{wanted} and no file ..._I{wanted}.dcm, .nii or .v under "
            f"{folder}"
        )
    if len(found) > 1:
        places = ", ".join(str(place.relative_to(folder)) for place in found)
        raise ScanError(f"image I{wanted}: found in {len(found)} folders of {folder}: {places}")
    return next(iter(found.values()))


def image_files(folder: str | Path, image_id: str | int) -> list[Path]:
    """Return the files of one image as `find_image` does; none where it finds no such image."""
    try:
        return find_image(folder, image_id)
    except ScanError:
        return []


def image_stamp(folder: str | Path, image_id: str | int) -> str:
    """Return a short mark of an image's files: their names, sizes and time stamps, not contents.

    A folder is listed once for all its images, and again if it was made anew.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    """
    if not Path(folder).is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
    about = Path(folder).stat()
    if image_id == MISSING:
        files = [(path.name, path.stat()) for path in image_files(folder, image_id)]
        lines = [f"{name} {now.st_size} {now.st_mtime_ns}" for name, now in files]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
    stamps = _stamps(str(folder), (about.st_ino, about.st_mtime_ns))
    listed = stamps.get(int(str(image_id).upper().removeprefix("I")), [])
    return hashlib.sha256("\n".join(sorted(listed)).encode()).hexdigest()[:16]


@cache
def _stamps(folder: str, _version: tuple[int, int]) -> dict[int, list[str]]:
    """List the files of every image below a folder, with their sizes and time stamps."""
    found: dict[int, list[str]] = {}
    waiting = [folder]
    while waiting:
        parent = waiting.pop()
        with os.scandir(parent) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):  # as os.walk: links may run in circles
                    waiting.append(entry.path)
                elif (key := _key_of(parent, entry.name)) is not None:
                    try:
                        now = entry.stat()
                    except OSError:  # a link to a file that is not there (yet)
                        now = entry.stat(follow_symlinks=False)
                    line = f"{entry.path[len(folder) :]} {now.st_size} {now.st_mtime_ns}"
                    found.setdefault(key, []).append(line)
    return found


def _series(folder: Path) -> list[Path]:
    """Return the files of a folder that holds one DICOM series and perhaps NIfTI files beside it.

    Raises
    ------
    ScanError
        There is none.
    """
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and path.name[0] != "."]
    found = [path for path in files if _may_be_image(path.name)]
    found = [path for path in found if not path.name.lower().endswith((".nii", ".nii.gz"))]
    if not found:
        raise ScanError(f"{folder}: holds no DICOM file")
    return found


def _key_of(parent: str, name: str) -> int | None:
    """Return the image ID that a file is of: its name's last `_I<digits>`, else its folder's."""
    keys = _KEY.findall(name)
    here = None if keys else re.fullmatch(r"I(\d+)", parent.rpartition(os.sep)[2], re.I)
    return int(keys[-1]) if keys else int(here[1]) if here else None


def _may_be_image(name: str) -> bool:
    """Pass over what ADNI and file managers put beside images (XML, thumbnails, tables)."""
    lower = name.lower()
    suffix = ".nii.gz" if lower.endswith(".nii.gz") else Path(lower).suffix
    return suffix in IMAGE_SUFFIXES or suffix[1:].isdigit()  # UIDs as names end in .<digits>
