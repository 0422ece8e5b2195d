"""The chain of a file: every job on which it depends, back to what no job made."""

import difflib
import json
from collections.abc import Iterator, Sized
from typing import Any

from mri2pet.errors import InputError
from mri2pet.provenance.records import Record, Records

LONGEST = 160  # characters of a job's parameters on its line; the JSON form has all of them


def chain(records: Records, file: str) -> dict[str, Any]:
    """Return everything on which a file depends, as what JSON can hold.

    Returns
    -------
    dict
        `file`; `jobs`, the file's own first, each once and as its sidecar has it; `sources`, what
        no job made, with its hash; `environments`, the commits, pins, machines and devices that
        jobs ran with; `packages`, the versions in use.

    Raises
    ------
    InputError
        If no job is known that made the file.
    """
    file = known(records, file)
    jobs = list(records.chain(file))
    read = {path: entry for job in jobs for path, entry in job.inputs.items()}
    return {
        "file": file,
        "jobs": [{"sidecar": job.sidecar, **job.content} for job in jobs],
        "sources": {path: read[path] for path in sorted(read) if path not in records.made},
        "environments": [json.loads(text) for text in environments(jobs)],
        "packages": packages(jobs),
    }


def known(records: Records, file: str) -> str:
    """Return the output that a file is, or the folder among the outputs in which it lies."""
    if file in records.made:
        return file
    for output, record in records.made.items():
        if "files" in record.outputs[output] and file.startswith(f"{output}/"):
            return output
    near = difflib.get_close_matches(file, records.made, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise InputError(f"{file}: no job recorded that it made this file{hint}")


def environments(jobs: list[Record]) -> list[str]:
    """List the different circumstances of some jobs, each as JSON on one line."""
    return list(dict.fromkeys(map(_circumstances, jobs)))


def packages(jobs: list[Record]) -> dict[str, str]:
    """Return the versions of all packages that some jobs used; several are given all."""
    found: dict[str, set[str]] = {}
    for job in jobs:
        for name, version in job.content["environment"]["packages"].items():
            found.setdefault(name, set()).add(version)
    return {name: ", ".join(sorted(versions)) for name, versions in sorted(found.items())}


def tree(records: Records, file: str) -> str:
    """Draw the chain as a tree; a job is shown where it first occurs.

    Raises
    ------
    InputError
        If no job is known that made the file.
    """
    file = known(records, file)
    jobs = list(records.chain(file))
    numbers = {text: number for number, text in enumerate(environments(jobs), 1)}
    lines = [f"{file}  {records.made[file].outputs[file]['sha256'][:12]}"]
    lines += _branches(records, records.made[file], numbers, set())
    lines += ["", "Environments:"]
    lines += [f"  {number}: {text}" for text, number in numbers.items()]
    used = ", ".join(f"{name} {version}" for name, version in packages(jobs).items())
    lines += [f"Packages: {used}"]
    return "\n".join(lines) + "\n"


def short(records: Records, file: str) -> str:
    """List the chain rule by rule: how many jobs, with which code, and what they read of sources.

    Raises
    ------
    InputError
        If no job is known that made the file.
    """
    file = known(records, file)
    jobs = list(records.chain(file))
    rules: dict[tuple[str, str, str], list[Record]] = {}
    for job in jobs:
        content = job.content
        rules.setdefault((job.rule, content["script"], content["code"]), []).append(job)
    lines = [f"{file}  {records.made[file].outputs[file]['sha256'][:12]}"]
    for (rule, script, code), own in rules.items():
        seconds = sum(job.content["seconds"] for job in own)
        first, last = (pick(job.content["ended"] for job in own) for pick in (min, max))
        when = first if first == last else f"{first} to {last}"
        lines.append(f"└─ {rule}: {_count(own, 'job')}  [{script} {code}]  {when}  {seconds:.1f} s")
        read = {path for job in own for path in job.inputs if path not in records.made}
        if read:
            more = f" and {len(read) - 1} more" if len(read) > 1 else ""
            lines.append(f"   ├─ {_count(read, 'source')}: {min(read)}{more}")
    ran = _count(environments(jobs), "environment")
    lines += ["", f"{_count(jobs, 'job')} in {ran}; `trace` without short=true lists each job."]
    return "\n".join(lines) + "\n"


def _count(things: Sized, word: str) -> str:
    return f"{len(things)} {word}{'s' * (len(things) != 1)}"


def _branches(
    records: Records, job: Record, numbers: dict[str, int], seen: set[int], indent: str = ""
) -> Iterator[str]:
    """Yield the lines below a file: its job, what it read, and on from there."""
    content = job.content
    head = f"{indent}└─ {job.name}"
    if id(job) in seen:
        yield f"{head} (above)"
        return
    seen.add(id(job))
    params = json.dumps(content["params"], sort_keys=True, ensure_ascii=False)
    code = f"{content['script']} {content['code']}"
    yield f"{head}  [{code}]  {content['ended']}  {content['seconds']} s  env {_env(job, numbers)}"
    if content["params"]:
        yield f"{indent}   {params if len(params) <= LONGEST else params[:LONGEST] + '...'}"
    for path, entry in job.inputs.items():
        made = records.made.get(path)
        count = f"  {len(entry['files'])} files" if "files" in entry else ""
        kind = "" if made else "  (source)"
        yield f"{indent}   ├─ {path}  {entry['sha256'][:12]}{count}{kind}"
        if made is not None:
            yield from _branches(records, made, numbers, seen, f"{indent}   │  ")


def _env(job: Record, numbers: dict[str, int]) -> int:
    return numbers[_circumstances(job)]


def _circumstances(job: Record) -> str:
    """Return what a job ran in, but for the packages that it used, as JSON on one line."""
    content = job.content
    shown = {key: content.get(key) for key in ("commit", "machine", "device")}
    for key in ("python", "lock_sha256"):
        shown[key] = content["environment"][key]
    return json.dumps(shown, sort_keys=True)
