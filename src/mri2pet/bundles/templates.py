"""The template that a bundle's MRIs were registered to, wherever mri2pet is used from."""

import os
from collections.abc import Mapping
from pathlib import Path

from mri2pet.errors import InputError
from mri2pet.files import sha256

FILES = {"t1": "mni152_t1.nii.gz", "brain_mask": "mni152_brain_mask.nii.gz"}
SOURCES = Path(__file__).parents[3] / "resources"  # of an installation from the project's folder


def template_files(wanted: Mapping[str, str], folder: str | Path | None = None) -> list[Path]:
    """Return the template's T1 and its brain mask, made where they are not there yet.

    Parameters
    ----------
    wanted
        sha256 of each of `FILES`, as the manifest has it.
    folder
        Where they lie, or are made; by default `resources/atlases` of the run at hand, else a
        folder in the user's cache.

    Raises
    ------
    InputError
        They cannot be made, or are others than those of the bundle.
    """
    usual = Path("resources/atlases"), SOURCES / "atlases", _cache()
    places = [Path(folder)] if folder else list(usual)
    for place in places:
        if all((place / name).is_file() for name in FILES.values()):
            break
    else:
        place = places[-1]
        _make(place)
    for key, name in FILES.items():
        if sha256(place / name) != wanted.get(key):
            raise InputError(
                f"{place / name}: is another template than the one that the bundle was trained "
                "with; use the version of mri2pet that its card names"
            )
    return [place / name for name in FILES.values()]


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mri2pet/atlases"


def _make(folder: Path) -> None:
    """Make the atlases out of the pinned packages that the project's folder names."""
    from mri2pet.downloads.atlases import TABLE, fetch_atlases

    table = SOURCES / TABLE
    if not table.is_file():
        raise InputError(
            f"{table} is not there, so the template cannot be made: install mri2pet from its "
            "folder (make install), or work in the folder of a run"
        )
    fetch_atlases(table, folder)
