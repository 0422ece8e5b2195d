"""Comparing what stands on the disk with what the jobs recorded.

Every file is hashed once. What the records cannot know, whether a parameter would be another one
today, is asked of the workflow by the caller.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from mri2pet.files import sha256
from mri2pet.provenance.hashing import Entry, files_below, folder_entry
from mri2pet.provenance.record import FOLDER, sidecar_of
from mri2pet.provenance.records import Records

KINDS = ("altered", "stale", "missing", "unrecorded")
COLUMNS = ("finding", "file", "reason", "record")


@dataclass(frozen=True)
class Finding:
    """One fault: of what kind, which file, why, and the sidecar that says so."""

    finding: str
    file: str
    reason: str
    record: str = "n/a"


@dataclass
class Audit:
    """What was found, and what it cost: files and bytes hashed, and the seconds of that."""

    findings: list[Finding] = field(default_factory=list)
    jobs: int = 0
    files: int = 0
    size: int = 0
    seconds: float = 0.0


def audit(
    records: Records,
    results: str | Path,
    fingerprint: Callable[[str, Sequence[str]], str | None],
    changed: Callable[[], Mapping[str, str]] = dict,
    threads: int = 1,
    apart: Iterable[str] = (),
) -> Audit:
    """Compare records and files.

    Parameters
    ----------
    records
        Of the run.
    results
        Folder in which every file must have a record.
    fingerprint
        Of a script and further symbols as they are now; None if the script is gone.
    changed
        Returns output to why the workflow would make it anew, seen from parameters and inputs;
        called while the files are hashed.
    threads
        That hash.
    apart
        Files in `results` that tell of the run and that no job makes.
    """
    done = Audit(jobs=len(records.jobs))
    start = time.perf_counter()
    with ThreadPoolExecutor(max(1, threads)) as pool:
        paths = sorted(_paths(records))
        hashes = pool.map(_hash, paths)
        why = changed()
        now = {path: found for path, found in zip(paths, hashes, strict=True) if found}
    done.files, done.size = len(now), sum(size for _, size, _ in now.values())
    done.seconds = max((end for _, _, end in now.values()), default=start) - start
    state = _State({path: digest for path, (digest, _, _) in now.items()})
    found = [
        *_outputs(records, state),
        *_sources(records, state),
        *_stale(records, state, cache(fingerprint), why),
        *_unrecorded(records, Path(results), frozenset(apart)),
    ]
    done.findings = sorted(
        dict.fromkeys(found), key=lambda item: (KINDS.index(item.finding), item.file)
    )
    return done


@dataclass
class _State:
    """The hashes of the files as they are now; a file that is not there is not in it."""

    hashes: dict[str, str]

    def differences(self, path: str, entry: Entry) -> Iterator[tuple[str, str]]:
        """Yield (file, `altered` or `missing`) for each file that is not as described.

        Of a folder that is described by one hash alone, nothing is told.
        """
        names = entry.get("files")
        if names is None and Path(path).is_dir():
            return
        wanted = (
            {path: entry["sha256"]}
            if names is None
            else {f"{path}/{name}": file["sha256"] for name, file in names.items()}
        )
        for file, digest in wanted.items():
            if file not in self.hashes:
                yield file, "missing"
            elif self.hashes[file] != digest:
                yield file, "altered"

    def folder(self, path: str) -> str:
        """Return the hash of a folder as it is now."""
        inside = f"{path}/"
        files = {
            file.removeprefix(inside): {"sha256": digest, "size": 0}
            for file, digest in self.hashes.items()
            if file.startswith(inside)
        }
        return folder_entry(files)["sha256"]


def _paths(records: Records) -> set[str]:
    """Return every file that is to be hashed."""
    described = {path: record.outputs[path] for path, record in records.made.items()}
    found: set[str] = set()
    for path, entry in {**records.sources(), **described}.items():
        names = set(entry.get("files", ()))
        if path in described and "files" in entry:
            names |= set(files_below(path))
        found |= {f"{path}/{name}" for name in names} if "files" in entry else {path}
    return found


def _hash(path: str) -> tuple[str, int, float] | None:
    """Hash a file and tell its size and when that was done; None if it is not there."""
    try:
        return sha256(path), Path(path).stat().st_size, time.perf_counter()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _outputs(records: Records, state: _State) -> Iterator[Finding]:
    """Find outputs that are not as their job left them, and sidecars that are gone or spoiled."""
    for path, record in records.made.items():
        entry = record.outputs[path]
        for file, kind in state.differences(path, entry):
            what = "not as" if kind == "altered" else "gone;"
            reason = f"{what} {record.name} left it"
            yield Finding(kind, file, reason, record.sidecar)
        for name in set(files_below(path)) - set(entry["files"]) if "files" in entry else ():
            reason = f"not there when {record.name} ended"
            yield Finding("unrecorded", f"{path}/{name}", reason, record.sidecar)
    for output in records.lost:
        reason = f"sidecar of {output}, known from {records.made[output].sidecar}"
        yield Finding("missing", str(sidecar_of(output)), reason, records.made[output].sidecar)
    for sidecar, reason in records.faults.items():
        yield Finding("altered", sidecar, f"the sidecar {reason}")


def _sources(records: Records, state: _State) -> Iterator[Finding]:
    """Find scans and other sources that are not what was last read."""
    for path, entry in records.sources().items():
        if "record" in entry and not Path(entry["record"]).is_file():
            yield Finding("missing", entry["record"], f"sidecar of {path}, known from its readers")
        for file, kind in state.differences(path, entry):
            reason = "not what was read" if kind == "altered" else "read, and now gone"
            yield Finding(kind, file, reason)


def _stale(
    records: Records,
    state: _State,
    fingerprint: Callable[[str, tuple[str, ...]], str | None],
    changed: Mapping[str, str],
) -> Iterator[Finding]:
    """Find outputs whose inputs, code or parameters are others than when they were made."""
    for record in records.jobs:
        reasons = [
            f"{what} {kind} since"
            for path, entry in record.inputs.items()
            for what, kind in _input_changes(records, state, path, entry)
        ]
        if len(reasons) > 3:
            reasons = [*reasons[:3], f"and {len(reasons) - 3} more inputs"]
        content = record.content
        code = fingerprint(content["script"], tuple(content.get("symbols", ())))
        if code is None:
            reasons.append(f"script {content['script']} is gone")
        elif code != content["code"]:
            reasons.append(f"code of {content['script']}, or what it uses, changed since")
        for path in record.outputs:
            told = [changed[path]] if path in changed and code == content["code"] else []
            if records.made.get(path) is record and (reasons or told):
                yield Finding("stale", path, "; ".join([*reasons, *told]), record.sidecar)


def _input_changes(
    records: Records, state: _State, path: str, entry: Entry
) -> Iterator[tuple[str, str]]:
    """Yield what of an input is not as it was when a job read it."""
    made = records.made.get(path)
    if "files" not in entry and made is not None and "files" in made.outputs[path]:
        if state.folder(path) != entry["sha256"]:
            yield f"input {path}", "changed"
        return
    for file, kind in state.differences(path, entry):
        yield f"input {file}", "changed" if kind == "altered" else "gone"


def _unrecorded(records: Records, results: Path, apart: frozenset[str]) -> Iterator[Finding]:
    """Find files that no record knows, and sidecars that readers of their outputs knew."""
    folders = tuple(
        f"{path}/" for path, record in records.made.items() if "files" in record.outputs[path]
    )
    for name in _walk(results):
        file = f"{results}/{name}"
        if file not in records.made and file not in apart and not file.startswith(folders):
            yield Finding("unrecorded", file, f"no record of it ({sidecar_of(file)})")


def _walk(results: Path) -> Iterable[str]:
    """List the files below a folder, but for its records."""
    inside = FOLDER + os.sep
    return (name for name in files_below(results) if not name.startswith(inside))
