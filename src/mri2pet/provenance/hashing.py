"""Hashes of files and folders, and what tells cheaply that they are still the same.

A file is described by its sha256, size and time stamp; a folder by all its files, and by the sha256
of their list as `sha256sum` prints it, sorted by path.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mri2pet.files import sha256

LARGE = 4 << 20  # bytes from which on a source's hash is worth keeping
_NOT_DATA = {".snakemake_timestamp"}  # put into folders by others

Entry = dict[str, Any]  # sha256, size, mtime_ns; of a folder sha256, size, files


def describe(path: str | Path) -> Entry:
    """Hash a file, or every file below a folder.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `path`.
    """
    if Path(path).is_dir():
        return folder_entry({name: describe(Path(path, name)) for name in files_below(path)})
    before = Path(path).stat()
    return {"sha256": sha256(path), "size": before.st_size, "mtime_ns": before.st_mtime_ns}


def files_below(folder: str | Path) -> list[str]:
    """List the files below a folder, sorted, by their paths from it."""
    found = []
    for parent, _, names in os.walk(folder):
        here = os.path.relpath(parent, folder)
        found += [os.path.normpath(f"{here}/{name}") for name in names if name not in _NOT_DATA]
    return sorted(found)


def folder_entry(files: Mapping[str, Entry]) -> Entry:
    """Sum up a folder from its files, by path."""
    listed = "".join(f"{entry['sha256']}  {name}\n" for name, entry in sorted(files.items()))
    return {
        "sha256": hashlib.sha256(listed.encode()).hexdigest(),
        "size": sum(entry["size"] for entry in files.values()),
        "files": dict(files),
    }


def unchanged(path: str | Path, entry: Entry, until_ns: int = 0) -> bool:
    """Tell by size and time stamp whether a path is still as described; nothing is read.

    Parameters
    ----------
    path, entry
        File or folder, and its description.
    until_ns
        Newest time stamp that a file may have besides the described one. Snakemake touches the
        outputs of a job that has just ended.
    """
    if "files" in entry:
        names = entry["files"]
        return files_below(path) == sorted(names) and all(
            unchanged(Path(path, name), described) for name, described in names.items()
        )
    now = Path(path).stat()
    same_time = entry["mtime_ns"] <= now.st_mtime_ns <= max(entry["mtime_ns"], until_ns)
    return now.st_size == entry["size"] and same_time


def describe_source(path: str | Path, cache: str | Path) -> Entry:
    """Describe a file that no job made; the hash of a large one is computed once, for all jobs.

    Jobs that ask at the same time wait for the first. `cache` is a folder of small JSON files.
    """
    status = Path(path).stat()
    if status.st_size < LARGE:
        return describe(path)
    kept = Path(f"{cache}{Path(path).absolute()}.json")
    kept.parent.mkdir(parents=True, exist_ok=True)
    with open(kept, "a+") as handle:
        with suppress(OSError):  # a file system without locks: readers hash side by side
            fcntl.flock(handle, fcntl.LOCK_EX)  # let go when the file is closed, or the job killed
        handle.seek(0)
        try:
            entry = json.load(handle)
            if unchanged(path, entry):
                return entry
        except (ValueError, KeyError):  # new, or its writer was killed
            pass
        entry = describe(path)
        handle.truncate(0)
        json.dump(entry, handle)
    return entry


def pick(entry: Entry, names: Iterable[str]) -> Entry:
    """Describe some files of a described folder."""
    return folder_entry({name: entry["files"][name] for name in names})
