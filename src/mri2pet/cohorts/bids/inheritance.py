"""The JSON sidecars of a BIDS image: all that apply to it, from the dataset's down to its own."""

import re
from pathlib import Path
from typing import Any

from mri2pet.cohorts.fetched import absent
from mri2pet.errors import InputError, ScanError
from mri2pet.files import read_json


def merged_sidecar(image: str | Path) -> dict[str, Any]:
    """Read the sidecars that BIDS's inheritance principle gives an image; the nearest wins.

    Those of the dataset, the subject, the session and the folder of the image apply if they have
    its suffix and no entity that it has not; of one folder, that with more entities wins. An image
    that lies in no `sub-` folder has the one beside it alone.

    Parameters
    ----------
    image
        Path of a NIfTI or ECAT file, which itself is not read.

    Raises
    ------
    ScanError
        A sidecar cannot be read, or is a link whose content was not fetched.
    """
    merged: dict[str, Any] = {}
    for path in sidecar_paths(image):
        if reason := absent(path):
            raise ScanError(f"{path}: {reason}")
        try:
            merged |= read_json(path)
        except InputError as error:
            raise ScanError(str(error)) from error
    return merged


def sidecar_paths(image: str | Path) -> list[Path]:
    """List the sidecars that apply to an image, the nearest last."""
    image = Path(image)
    stem = re.sub(r"\.(nii(\.gz)?|v)$", "", image.name, flags=re.I)
    found: list[Path] = []
    for folder in _levels(image.parent):
        if not folder.is_dir():
            continue
        own = [(name, _applies(name, stem)) for name in _sidecars(folder)]
        here = sorted((count, name) for name, count in own if count is not None)
        found += [folder / name for _, name in here]
    return found


def _levels(folder: Path) -> list[Path]:
    """Return the dataset's folder and those below it, down to the image's."""
    levels = [folder]
    for place in folder.parents:
        if levels[-1].name.startswith("sub-"):
            return [place, *reversed(levels)]
        levels.append(place)
    return [folder]


def _sidecars(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.suffix == ".json"]


def _applies(sidecar: str, stem: str) -> int | None:
    """Count a sidecar's entities; None if it does not apply to the image of that stem."""
    name = sidecar.removesuffix(".json")
    if name == stem:
        return len(stem)  # its own goes last
    *entities, suffix = name.split("_")
    *having, wanted = stem.split("_")
    fits = suffix == wanted and all("-" in part for part in entities) and {*entities} <= {*having}
    return len(entities) if fits else None
