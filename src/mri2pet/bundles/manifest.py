"""The list of a bundle's contents, `bundle.json`: written last, and checked before anything else.

It holds what the model needs, what it was trained on and how well it did, and of every other file
of the bundle its size and hash. docs/bundles.md names its keys.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mri2pet.config.applied import DETECTOR, GENERATOR
from mri2pet.errors import InputError
from mri2pet.files import atomic, read_json, sha256

MANIFEST = "bundle.json"
FORMAT = "mri2pet bundle"
VERSION = 1  # raised when an older mri2pet could no longer read what is written
CARD = "README.md"  # as Hugging Face's hub names a model card
WEIGHTS = "fold-{fold}.safetensors"
GRID = "grid.safetensors"  # brain mask and atlas on the grid of the networks
REGIONS, CONTROLS, SCORES = "regions.tsv", "controls.tsv", "scores.tsv"
# What a manifest must have before anything of it is used, and of which type it is.
COMMON = {
    "system": str,
    "model": str,
    "label": str,
    "space": dict,
    "preproc": dict,
    "folds": list,
    "trained_on": dict,
    "study": dict,
    "files": dict,
}
NEEDED = {
    GENERATOR: COMMON | {"entry": dict, "source": str, "target": str, "maps": list, "crop": int},
    DETECTOR: COMMON
    | {"network": dict, "svm": dict, "scores": dict, "clusters": dict, "direction": str},
}


def write_manifest(folder: str | Path, content: Mapping[str, Any]) -> None:
    """Write the manifest of a folder in which all other files of a bundle lie.

    Parameters
    ----------
    folder
        Of the bundle.
    content
        `kind` (by default `GENERATOR`), its keys of `NEEDED` but `files`, and what else a reader
        should know.
    """
    folder = Path(folder)
    files = {
        path.name: {"sha256": sha256(path), "size": path.stat().st_size}
        for path in sorted(folder.iterdir())
        if path.name != MANIFEST
    }
    about = {"format": FORMAT, "format_version": VERSION, **content, "files": files}
    # Keys keep their order: that of a local regression's features is the order of its coefficients.
    text = json.dumps(about, indent=2, ensure_ascii=False)
    with atomic(folder / MANIFEST) as partial:
        partial.write_text(f"{text}\n", encoding="utf-8")


def read_manifest(folder: str | Path, whole: bool = True) -> dict[str, Any]:
    """Read a bundle's manifest and check the bundle against it.

    Parameters
    ----------
    folder
        Of the bundle.
    whole
        Whether every file is hashed; else their sizes alone are compared.

    Returns
    -------
    dict
        The keys that `NEEDED` has for its kind, and more.

    Raises
    ------
    InputError
        There is no bundle, it is of another kind or of a newer mri2pet, or one of its files is not
        what it was when the bundle was made.
    """
    folder = Path(folder)
    path = folder / MANIFEST
    if not folder.is_dir():
        raise InputError(
            f"bundle: there is no folder {folder}; a run leaves its bundles at "
            "results/SYSTEM/bundles/MODEL"
        )
    if not path.is_file():
        there = ", ".join(sorted(entry.name for entry in folder.iterdir())[:6]) or "nothing"
        raise InputError(f"bundle: {folder} holds no {MANIFEST}, but {there}; it is no bundle")
    content = read_json(path)
    if content.get("format") != FORMAT:
        raise InputError(f"{path}: is not a bundle of mri2pet, by its key `format`")
    version = content.get("format_version")
    if not isinstance(version, int) or version > VERSION:
        raise InputError(
            f"{path}: is written in version {version} of the format, and this mri2pet reads "
            f"{VERSION} at most; install a newer mri2pet"
        )
    wanted = NEEDED.get(str(content.setdefault("kind", GENERATOR)))
    if wanted is None:
        raise InputError(f"{path}: is a bundle of an unknown kind; install a newer mri2pet")
    for key, kind in wanted.items():
        if not isinstance(content.get(key), kind):
            raise InputError(f"{path}: has no usable `{key}`; get the bundle again")
    for name, told in content["files"].items():
        _check_file(folder, name, told, whole)
    return content


def identity(manifest: Mapping[str, Any]) -> str:
    """Return the hash by which a bundle is known: of its manifest, and so of all its files."""
    return hashlib.sha256(json.dumps(manifest, separators=(",", ":")).encode()).hexdigest()


def _check_file(folder: Path, name: str, told: Any, whole: bool) -> None:
    """Refuse a file that lies elsewhere, is gone, or is not the one that was written."""
    path = folder / name
    if Path(name).name != name:
        raise InputError(f"{folder / MANIFEST}: names {name!r}, which is not a file of the bundle")
    if not path.is_file():
        raise InputError(f"bundle: {path} is missing; get the bundle again")
    told = told if isinstance(told, Mapping) else {}
    if path.stat().st_size != told.get("size") or (whole and sha256(path) != told.get("sha256")):
        raise InputError(
            f"bundle: {path} is not the file that the bundle was made with (its hash differs); get "
            "the bundle again"
        )
