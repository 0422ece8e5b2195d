"""All records of a run: which job made which file, from what."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mri2pet.provenance.hashing import Entry
from mri2pet.provenance.record import SOURCES, sidecar_of

TRACE = "trace.json"  # stands among the sidecars and is none


@dataclass(frozen=True, eq=False)
class Record:
    """What one job left: `content` is its sidecar (docs/provenance.md says what is in it)."""

    sidecar: str
    content: dict[str, Any]

    @property
    def outputs(self) -> dict[str, Entry]:
        """Files and folders that the job made."""
        return self.content["outputs"]

    @property
    def inputs(self) -> dict[str, Entry]:
        """Files and folders that it read."""
        return self.content["inputs"]

    @property
    def rule(self) -> str:
        """Name of its rule."""
        return self.content["rule"]

    @property
    def name(self) -> str:
        """Name of the job: its rule and wildcards."""
        return " ".join([self.rule, *(f"{k}={v}" for k, v in self.content["wildcards"].items())])


@dataclass
class Records:
    """Records by what they are of.

    Attributes
    ----------
    made
        Output to the record of the job that made it last.
    lost
        Outputs whose own sidecar is gone, known from that of another output of the same job.
    faults
        Sidecar to why it cannot be used.
    """

    made: dict[str, Record] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def jobs(self) -> list[Record]:
        """Every job once, in the order in which they ended."""
        jobs = {id(record): record for record in self.made.values()}
        return sorted(jobs.values(), key=lambda record: record.content["recorded_ns"])

    def sources(self) -> dict[str, Entry]:
        """Return what jobs read and no job made, as the latest of its readers found it.

        A file inside a folder that a job made is not among them.
        """
        return {
            path: entry
            for record in self.jobs
            for path, entry in record.inputs.items()
            if path not in self.made
        }

    def of(self, files: Iterable[str]) -> "Records":
        """Return the records of the jobs on which some files depend, and no others."""
        jobs = {id(job) for job in self.chain(*files)}
        return Records({path: job for path, job in self.made.items() if id(job) in jobs})

    def chain(self, *files: str) -> Iterator[Record]:
        """Yield the jobs on which files depend, their own first, each once."""
        waiting, seen = list(files), set()
        while waiting:
            record = self.made.get(waiting.pop(0))
            if record is not None and id(record) not in seen:
                seen.add(id(record))
                waiting += record.inputs
                yield record


def read_records(folders: Iterable[str | Path]) -> Records:
    """Read every sidecar below some folders of records.

    Paths in sidecars are from the working directory, and so must be the folders.
    """
    records = Records()
    known: dict[tuple[int, int], Record | str] = {}
    same: dict[str, Record | str] = {}
    read: dict[str, Record] = {}
    for folder in map(Path, folders):
        for path in sorted(folder.rglob("*.json")):
            inside = path.relative_to(folder)
            if inside.parts[0] == SOURCES or inside == Path(TRACE):
                continue
            status = path.stat()
            key = status.st_dev, status.st_ino  # the sidecars of one job are links to one file
            if key not in known:
                known[key] = _read(path, same)
            found = known[key]
            if isinstance(found, str):
                records.faults[str(path)] = found
            else:
                read[str(path)] = found
    _sort(records, read)
    return records


def _sort(records: Records, read: dict[str, Record]) -> None:
    """Find whose outputs are whose: an output belongs to the job that its own sidecar names."""
    others: dict[str, Record] = {}
    for sidecar, record in read.items():
        own = [output for output in record.outputs if str(sidecar_of(output)) == sidecar]
        if not own:
            records.faults[sidecar] = "is not the sidecar of any output that it names"
        for output in own:
            records.made[output] = record
        if own:
            others.update(dict.fromkeys(record.outputs, record))
    for output, record in others.items():
        if output not in records.made and str(sidecar_of(output)) not in records.faults:
            records.made[output] = record
            records.lost.add(output)


def _read(path: Path, same: dict[str, Record | str]) -> Record | str:
    """Read one sidecar; what is wrong with it is returned as text.

    The links of a job become files of their own where a run was copied, or on file systems without
    links: `same` has what each text was found to be.
    """
    try:
        raw = path.read_bytes()
        mark = hashlib.sha256(raw).hexdigest()
        if mark not in same:
            content = json.loads(raw)
            wanted = ("rule", "wildcards", "inputs", "outputs", "script", "code", "recorded_ns")
            found = all(key in content for key in wanted)
            same[mark] = Record(str(path), content) if found else "is not a record of a job"
        return same[mark]
    except (OSError, ValueError, TypeError) as error:
        return f"cannot be read ({error})"
