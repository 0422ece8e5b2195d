"""The record that a job leaves of itself: a sidecar for each of its outputs.

The sidecar of `results/a/b.tsv` is `results/provenance/a/b.tsv.json`. All outputs of a job have
the same record; their sidecars are hard links to one file where the file system has these.
Nothing here decides about a result: a change of this module runs no job again
(`fingerprint.NOT_RESULTS`).
"""

import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from mri2pet.files import atomic, write_json
from mri2pet.logs import log_to
from mri2pet.provenance.circumstances import circumstances
from mri2pet.provenance.hashing import (
    Entry,
    describe,
    describe_source,
    folder_entry,
    pick,
    unchanged,
)

SCHEMA = 1
FOLDER = "provenance"  # in the first folder of an output's path
SOURCES = "sources"  # in that: hashes of large files that no job made
TOUCHED_NS = 10 * 10**9  # so long after a job's end its outputs may have been touched


class Job(Protocol):
    """What a record needs to know of a job; Snakemake's object in a script has it."""

    rule: str
    input: Any
    output: Any
    params: Any
    wildcards: Any
    log: Any
    threads: int
    scriptdir: str


class Recorder:
    """Collects what a job does, for its record."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.started = time.time_ns()
        self.read: dict[str, list[str]] = {}

    def reads(self, folder: str | Path, files: Iterable[str | Path]) -> None:
        """Say that of an input folder the job reads these files alone."""
        self.read[str(folder)] = sorted(os.path.relpath(path, folder) for path in files)

    def write(self) -> None:
        """Hash what was written and read, and write the sidecars."""
        ended = time.time_ns()
        job, outputs = self.job, list(dict.fromkeys(map(str, self.job.output)))
        if not outputs:
            return
        params = {name: value for name, value in job.params.items()}
        code, script, *symbols = str(params.pop("code", "") or "n/a n/a").split()
        content = {
            "schema": SCHEMA,
            "rule": job.rule,
            "wildcards": {name: str(value) for name, value in job.wildcards.items()},
            "script": script,
            "symbols": symbols,
            "code": code,
            "params": params,
            "seed": params.get("seed"),
            "threads": job.threads,
            "inputs": {path: self._input(path) for path in dict.fromkeys(map(str, job.input))},
            "outputs": {path: describe(path) for path in outputs},
            **circumstances(Path(job.scriptdir).resolve().parents[1]),
            "started": _time(self.started),
            "ended": _time(ended),
            "seconds": round((ended - self.started) / 1e9, 3),
            "recorded_ns": time.time_ns(),
        }
        first, *others = map(sidecar_of, outputs)
        write_json(first, content)
        for sidecar in others:
            with atomic(sidecar) as partial:
                try:
                    os.link(first, partial)
                except OSError:  # no hard links here
                    shutil.copyfile(first, partial)

    def _input(self, path: str) -> Entry:
        """Describe an input, by the record of the job that made it if there is one.

        A folder that no job made keeps the list of its files, so that each scan can be named.
        """
        sidecar = sidecar_of(path)
        entry = recorded_output(path, sidecar)
        if path in self.read:
            entry = pick(entry, self.read[path]) if entry else self._files(path)
        elif entry is None and Path(path).is_dir():
            entry = describe(path)
        elif entry is None:
            entry = describe_source(path, sidecar_of(self.job.output[0], SOURCES))
        kept = {"sha256": entry["sha256"], "size": entry["size"]}
        if sidecar.is_file():
            kept["record"] = str(sidecar)
        if "files" in entry and (path in self.read or "record" not in kept):
            kept["files"] = {
                name: {"sha256": file["sha256"], "size": file["size"]}
                for name, file in entry["files"].items()
            }
        return kept

    def _files(self, folder: str) -> Entry:
        """Describe those files of a folder that the job reads."""
        return folder_entry({name: describe(Path(folder, name)) for name in self.read[folder]})


@contextmanager
def recorded(job: Job) -> Iterator[Recorder]:
    """Log a job as `log_to` does and, if its block ends well, write its record.

    Parameters
    ----------
    job
        What a script gets from Snakemake: `rule`, `input`, `output`, `params`, `wildcards`, `log`,
        `threads`, `scriptdir`.
    """
    recorder = Recorder(job)
    with log_to(job.log[0], job):
        yield recorder
        recorder.write()


def sidecar_of(output: str | Path, kept: str = "") -> Path:
    """Return the path of an output's sidecar, or of another part of the folder of records.

    Paths are relative to the working directory; those outside of it have their records beside them.
    """
    parts = Path(os.path.relpath(output)).parts
    if len(parts) < 2 or parts[0] == os.pardir:
        top, rest = Path(output).parent, Path(output).name
    else:
        top, rest = Path(parts[0]), Path(*parts[1:])
    return top / FOLDER / (kept or f"{rest}.json")


def recorded_output(path: str, sidecar: Path) -> Entry | None:
    """Return what a sidecar says of its output, if the output's size and time stamp agree."""
    try:
        record = json.loads(sidecar.read_text())
        entry = record["outputs"][path]
        same = unchanged(path, entry, record["recorded_ns"] + TOUCHED_NS)
    except (OSError, ValueError, KeyError):
        return None
    return entry if same else None


def _time(nanoseconds: int) -> str:
    """Return a point in time as ISO 8601, in UTC."""
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).isoformat(timespec="milliseconds")
