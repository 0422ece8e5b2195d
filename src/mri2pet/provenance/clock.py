"""Results dated in the future, which would hide that they are outdated.

Snakemake compares time stamps. Where a clock was ahead and was then set right, results lie in the
future, and what is made anew before them is older than they are for as long. The records of the
jobs know by hashes what a result was made of.
"""

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

from mri2pet.files import read_json
from mri2pet.provenance.hashing import describe, folder_entry
from mri2pet.provenance.record import SOURCES, recorded_output, sidecar_of

SLACK_NS = 10 * 10**9  # clocks of file servers and of this machine may differ so much
LONG_AGO_NS = 946684800 * 10**9  # the first of January 2000: older than any input
_STAMP = ".snakemake_timestamp"  # stands for the folder that it is in


def settle_future(folders: Iterable[str | Path]) -> tuple[list[str], list[str]]:
    """Date results of the future now, and long ago those that were made of other inputs.

    Parameters
    ----------
    folders
        Of records (`provenance.record`); only what these know is looked at.

    Returns
    -------
    tuple of list of str
        Results that were dated in the future, and those among them that are to be made again.
    """
    now = time.time_ns()
    future = {
        output: sidecar
        for output, sidecar in _outputs(folders)
        if _date_of(output) > now + SLACK_NS
    }
    same = cache(_hash)
    outdated = [path for path, sidecar in future.items() if not _is_current(sidecar, same)]
    for output in future:
        date = LONG_AGO_NS if output in outdated else now
        for path in (output, f"{output}/{_STAMP}"):
            with suppress(OSError):  # no folder, or not ours to date
                os.utime(path, ns=(date, date))
    return sorted(future), sorted(outdated)


def _outputs(folders: Iterable[str | Path]) -> Iterable[tuple[str, Path]]:
    """Yield what has a record, with its sidecar."""
    for folder in map(Path, folders):
        for parent, _, names in os.walk(folder):
            inside = Path(parent).relative_to(folder)
            if inside.parts[:1] != (SOURCES,):
                for name in names:
                    output = str(folder.parent / inside / name.removesuffix(".json"))
                    yield output, Path(parent, name)


def _date_of(output: str) -> int:
    """Return the date by which Snakemake judges a file or folder; 0 if it is not there."""
    for path in (f"{output}/{_STAMP}", output):
        with suppress(OSError):
            return os.lstat(path).st_mtime_ns
    return 0


def _is_current(sidecar: Path, hash_of: Callable[[str, tuple[str, ...]], str | None]) -> bool:
    """Tell whether the inputs that a job recorded are still what they were."""
    inputs = read_json(sidecar).get("inputs", {})
    return all(
        hash_of(path, tuple(entry.get("files", ()))) in (entry["sha256"], None)
        for path, entry in inputs.items()
    )


def _hash(path: str, names: tuple[str, ...]) -> str | None:
    """Return the hash of an input as it is now, None if it is gone: that Snakemake sees itself.

    Of a folder of which a job read some files, it is that of these.
    """
    if not Path(path).exists():
        return None
    if names:
        there = [name for name in names if Path(path, name).is_file()]
        return folder_entry({name: describe(Path(path, name)) for name in there})["sha256"]
    entry = recorded_output(path, sidecar_of(path)) or describe(path)
    return entry["sha256"]
