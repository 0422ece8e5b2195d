"""Readers of raw studies: each fills one table (`contract`) from what a download looks like."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mri2pet.cohorts.tracers import FDG
from mri2pet.errors import InputError

if TYPE_CHECKING:
    from mri2pet.cohorts.contract import Reader

# Name to module. Where nothing names a reader, the first that recognises the folder reads it.
READERS = {
    "adni": "adni.reader",
    "ixi": "ixi.reader",
    "bids": "bids.reader",
    "mri_files": "mri_files",
}


def reader_module(name: str) -> "Reader":
    """Return the module of a reader.

    Raises
    ------
    InputError
        There is no such reader.
    """
    if name not in READERS:
        raise InputError(f"reader: there is no '{name}'; known are auto, {', '.join(READERS)}")
    return importlib.import_module(f"{__package__}.{READERS[name]}")


def reader_symbols(name: str) -> list[str]:
    """Return what a job that reads a study reaches by the reader's name alone (`module:name`)."""
    reader_module(name)
    return [f"{__package__}.{READERS[name]}:read"]


def pet_told(name: str, study: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tracer of a study's PET as BIDS labels it, and the window of a dynamic one.

    Parameters
    ----------
    name
        Of its reader; one without `pet_settings` reads FDG-PET, and all frames count.
    study
        Its block of the configuration, with its `name`.

    Returns
    -------
    dict
        `tracer`: label. `window`: minutes after injection from and to, or None for all frames.
    """
    settings = getattr(reader_module(name), "pet_settings", None)
    return settings(study) if settings else {"tracer": FDG, "window": None}


def find_reader(raw: str | Path, study: Mapping[str, Any]) -> tuple[str, str]:
    """Tell by what lies in a folder who reads it.

    Parameters
    ----------
    raw
        The folder.
    study
        Its block of the configuration, with its `name`.

    Returns
    -------
    name, why
        A name of `READERS`, and by what the folder was recognised.

    Raises
    ------
    InputError
        There is no such folder, it may not be read, or nobody recognises it.
    """
    setting = "raw" if study.get("mri_alone") else f"studies.{study['name']}.raw"
    raw = Path(raw)
    if not raw.is_dir():
        raise InputError(f"{setting}: there is no folder {raw}; give one, or 'simulated'")
    try:
        next(raw.iterdir(), None)
    except PermissionError as error:
        raise InputError(f"{setting}: {raw} may not be read: see to its permissions") from error
    readers = [
        name
        for name in READERS
        if study.get("mri_alone") or not getattr(reader_module(name), "MRI_ALONE", False)
    ]
    for name in readers:
        if why := reader_module(name).recognise(raw):
            return name, why
    wanted = "".join(f"\n  - {reader_module(name).LOOKED_FOR}" for name in readers)
    there = ", ".join(sorted(entry.name for entry in raw.iterdir())[:8]) or "nothing"
    hint = ""
    if any(reader_module(name).recognise(raw) for name in READERS if name not in readers):
        hint = (
            " Of MRIs alone nothing can be learnt; to make PET of them, name a bundle: "
            "apply --config bundle=DIR raw=DIR (docs/bundles.md)."
        )
    raise InputError(f"{setting}: {raw} is none of these:{wanted}\nIt holds {there}.{hint}")
