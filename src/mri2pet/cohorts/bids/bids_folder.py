"""What lies in a BIDS folder: whether it is one, its images, and the tables beside them."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from mri2pet.cohorts.bids.bids_names import MASK_SUFFIXES, T1_SUFFIXES, natural
from mri2pet.cohorts.fetched import absent
from mri2pet.errors import InputError
from mri2pet.files import read_json

LOOKED_FOR = (
    "a BIDS folder: sub-<label>/ with anat/ or pet/ in it, or in sub-<label>/ses-<label>/, and "
    "participants.tsv beside them"
)
NOT_FETCHED = " <- not fetched"  # what is added to a listed image without content
_PLACES = ("anat", "pet")


def recognise(raw: Path) -> str | None:
    """Return what in a folder says that it is BIDS; None if it is not."""
    for place in _scan_folders(raw):
        return f"the folder {place.relative_to(raw).as_posix()}"
    description = raw / "dataset_description.json"
    if description.is_file() and "BIDSVersion" in _read_description(raw):
        return description.name
    return None


def check_folder(raw: Path, key: str) -> None:
    """Check that a folder is the top of a raw BIDS dataset.

    Parameters
    ----------
    raw
        The folder.
    key
        The configuration's, `studies.<name>.raw`.

    Raises
    ------
    InputError
        It is none: with a hint where the dataset is, if that can be told.
    """
    if not raw.is_dir():
        raise InputError(f"{key}: {raw} is no folder; give a BIDS folder")
    kind = str(_read_description(raw).get("DatasetType", "")).lower()
    place = raw.resolve().parts
    inside = "derivatives" in place
    if kind == "derivative" or (inside and kind != "raw"):
        above = Path(*place[: place.index("derivatives")]) if inside else None
        instead = str(above) if above and recognise(above) else "the raw dataset it was made from"
        raise InputError(f"{key}: {raw} is a folder of derivatives; give {instead} instead")
    if recognise(raw) is None:
        inner = (each for each in sorted(raw.iterdir()) if each.is_dir())
        hint = next((f"; {each} is one" for each in inner if recognise(each)), "")
        raise InputError(f"{key}: {raw} is not {LOOKED_FOR}{hint}")


def list_images(raw: Path, lesions: str | None = None) -> list[str]:
    """List the MRI, PET and masks that may be of use, and the JSON files of PET.

    Parameters
    ----------
    raw
        The top of the dataset.
    lesions
        Pattern of lesion masks, below `raw`; None for masks in raw and derivative folders whose
        place or name says `lesion`.

    Returns
    -------
    list of str
        Below `raw`, sorted; images without content end in `NOT_FETCHED`.
    """
    found = [name for place in _scan_folders(raw) for name in _wanted(place, raw)]
    people = [raw, *_children(raw, "sub-")]
    levels = [*people, *(each for one in people[1:] for each in _children(one, "ses-"))]
    found += [
        path.relative_to(raw).as_posix() for each in levels for path in each.glob("*pet.json")
    ]
    if lesions is None:
        tops = [path for path in (raw / "derivatives").glob("*") if path.is_dir()]
        inside = [place for top in tops for place in _scan_folders(top)]
        names = [path.relative_to(raw).as_posix() for each in inside for path in each.iterdir()]
        found += [name for name in names if is_lesion(name, None)]
    else:
        found += [path.relative_to(raw).as_posix() for path in raw.glob(lesions)]
    return sorted(name + _mark(raw / name) for name in set(found))


def is_lesion(name: str, pattern: str | None) -> bool:
    """Tell whether a path below the dataset is that of a lesion mask."""
    if pattern is not None:
        return any(fnmatchcase(name, each) for each in (pattern, pattern.replace("**/", "*")))
    ends = re.search(rf"_(?:{'|'.join(MASK_SUFFIXES)})\.nii(?:\.gz)?$", name)
    return bool(ends) and "lesion" in name.lower()


def list_tables(raw: Path) -> list[str]:
    """List the tables and JSON files that the cohort is made of, as far as they are there."""
    patterns = (
        *("participants.tsv", "participants.json", "sub-*/*_sessions.tsv", "sub-*/*_scans.tsv"),
        *("sub-*/ses-*/*_scans.tsv", "*pet.json", "sub-*/*_pet.json", "sub-*/ses-*/*_pet.json"),
        *("sub-*/pet/*_pet.json", "sub-*/ses-*/pet/*_pet.json"),
    )
    return sorted(str(path) for pattern in patterns for path in raw.glob(pattern) if path.is_file())


def _mark(path: Path) -> str:
    return NOT_FETCHED if path.suffix != ".json" and absent(path) else ""


def _read_description(raw: Path) -> dict[str, object]:
    try:
        return read_json(raw / "dataset_description.json")
    except InputError:  # none, or not readable: the folders tell
        return {}


def _children(folder: Path, prefix: str) -> list[Path]:
    there = [path for path in folder.glob(f"{prefix}*") if path.is_dir()]
    return sorted(there, key=lambda path: natural(path.name))


def _scan_folders(raw: Path) -> Iterator[Path]:
    """Yield the folders of people with MRI or PET in them."""
    for person in _children(raw, "sub-") if raw.is_dir() else ():
        for level in (person, *_children(person, "ses-")):
            yield from (level / name for name in _PLACES if (level / name).is_dir())


def _wanted(place: Path, raw: Path) -> Iterator[str]:
    """Yield the files of a folder that the reader looks at."""
    for path in place.iterdir():
        if path.name.startswith("."):
            continue
        image = re.search(r"\.nii(?:\.gz)?$", path.name)
        of_pet = place.name == "pet" and (image or path.name.endswith(("_pet.json", "_pet.v")))
        suffixes = (*T1_SUFFIXES, *MASK_SUFFIXES, "MPRAGE", "T1")
        of_mri = place.name == "anat" and image and any(part in path.name for part in suffixes)
        if of_pet or of_mri:
            yield path.relative_to(raw).as_posix()
