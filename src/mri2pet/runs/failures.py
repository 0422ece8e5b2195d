"""The one table of what did not come through: failed jobs and excluded scans."""

import csv
import json
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from mri2pet.files import MISSING, atomic
from mri2pet.runs.present import read_table, visits_of
from mri2pet.runs.recorder import Job

COLUMNS = ("kind", "subject", "visit", "stage", "job", "reason", "log")
SILENT = (
    "ended without a word in its log: killed, or out of memory; start again, if need be with more "
    "memory for the rule (--set-resources {rule}:mem_mb=MB) or fewer jobs at a time (--cores)"
)
FULL = "ended without a word in its log, whose disk is full: free some space and start again"
LITTLE = 1 << 20  # bytes free below which a disk counts as full
UNSEEN = "ended before it opened its log; Snakemake's own log says more"
# What Slurm writes to the log of a job that it ends.
KILLED = re.compile(
    r"(?:slurmstepd|srun): error: .*(?:CANCELLED|oom|out.of.memory|TIME LIMIT).*", re.I
)
Row = dict[str, str]


def failed_jobs(jobs: Iterable[Job]) -> list[Row]:
    """Return a row for every job that failed for good.

    Of a group that failed on a cluster, only those jobs count whose logs tell of an error; if none
    does, the one that wrote last.
    """
    rows: list[Row] = []
    groups: dict[str, list[Job]] = {}
    for job in jobs:
        if job.state == "failed" and job.group:
            groups.setdefault(job.group, []).append(job)
        elif job.state == "failed":
            rows.append(_row(job))
    for group in groups.values():
        told = [job for job in group if _told_error(job)]
        rows += map(_row, told or [max(group, key=_last_word)])
    return rows


def excluded_scans(
    results: str | Path,
    studies: Sequence[str] | None = None,
    has_stage: Callable[[str], bool] = lambda _: True,
) -> list[Row]:
    """Return a row for every scan left out so far, of a run that may have stopped anywhere.

    Read from `cohort/exclusions.tsv` and similar tables, and from the sidecars of the stages.

    Parameters
    ----------
    results
        The folder `results`.
    studies
        Of the run: what tables of other studies hold is left out. None for all that there are.
    has_stage
        Tells whether the run has a stage: sidecars of others are of systems that are no more.
    """
    results = Path(results)
    visits = visits_of(results, studies)
    others = visits_of(results) - visits
    rows = []
    for table in sorted((results / "cohort").glob("*exclusions.tsv")):
        if studies is not None and table.name.removesuffix("_exclusions.tsv") not in studies:
            continue
        for each in read_table(table):
            scan = f"scan={each.get('modality', MISSING)}"
            rows.append(_make("excluded", each, each["stage"], scan, each["reason"], str(table)))
    for sidecar in sorted(results.glob("*/sub-*/ses-*/*/*.json")):
        excluded = _exclusion(sidecar)
        if excluded and has_stage(excluded["stage"]):
            subject, visit = (part.split("-", 1)[1] for part in sidecar.parts[-4:-2])
            if (subject, visit) in others or (visits and (subject, visit) not in visits):
                continue  # of a cohort that is no more
            scan = "scan=PET" if sidecar.parent.name == "pet" else "scan=MRI"
            whose = {"subject": subject, "visit": visit}
            rows.append(
                _make("excluded", whose, excluded["stage"], scan, excluded["reason"], str(sidecar))
            )
    # Later stages pass the reason on: the first sidecar that has it stands for all.
    keys = ("subject", "visit", "job", "stage", "reason")
    return list({tuple(row[key] for key in keys): row for row in reversed(rows)}.values())[::-1]


def still_failed(table: str | Path, jobs: Iterable[Job], known: Iterable[Job] | None) -> list[Row]:
    """Return the failed jobs of earlier runs that nothing is known to have mended.

    Parameters
    ----------
    table
        Of the run before; may be missing.
    jobs
        What this run tried again, or found done: dropped.
    known
        All jobs there are, if this run had them all in view: what is not among them is dropped.
    """
    tried = set(map(job_key, jobs))
    there = None if known is None else set(map(job_key, known))
    rows = [row for row in read_table(Path(table)) if row["kind"] == "failed"]
    return [
        row
        for row in rows
        if row_key(row) not in tried and (there is None or row_key(row) in there)
    ]


def write_failures(path: str | Path, rows: Sequence[Row]) -> None:
    """Write the table; without pandas, which would take a second of the end of every run."""
    with atomic(path) as partial, open(partial, "w", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def row_key(row: Mapping[str, str]) -> tuple[str, ...]:
    """Return which job a row is about."""
    return tuple(row[key] for key in ("subject", "visit", "stage", "job"))


def job_key(job: Job) -> tuple[str, ...]:
    """Return the same of a job."""
    return row_key(_make("", job.wildcards, job.rule, job.name, "", ""))


def reason_of(job: Job) -> str:
    """Return why a job failed: from its log, else from its executor."""
    own = _recent(job)
    if own is None:
        return job.message or _killed(job) or UNSEEN
    lines = [line for line in own.splitlines() if line.strip()]
    errors = [line.split(" ERROR ", 1)[1] for line in lines if " ERROR " in line]
    if errors:
        return errors[-1].split(": ", 1)[-1]
    if any(line.startswith("Traceback ") for line in lines):
        return lines[-1].strip()
    if not job.message and job.logs and shutil.disk_usage(Path(job.logs[0]).parent).free < LITTLE:
        return FULL
    return job.message or _killed(job) or SILENT.format(rule=job.rule)


def is_silent(job: Job) -> bool:
    """Tell whether neither a failed job nor its executor says why."""
    return not job.message and not _told_error(job) and not _killed(job)


def _told_error(job: Job) -> bool:
    own = _recent(job) or ""
    return " ERROR " in own or "Traceback (" in own


def _recent(job: Job) -> str | None:
    """Return what a job's own log holds, None if the job did not come to write it."""
    path = Path(job.logs[0]) if job.logs else None
    # Two seconds for file systems whose clock is not this machine's.
    if path is None or not path.is_file() or path.stat().st_mtime < job.started - 2:
        return None
    return path.read_text(errors="replace")


def _last_word(job: Job) -> float:
    path = Path(job.logs[0]) if job.logs else None
    return path.stat().st_mtime if path is not None and path.is_file() else 0.0


def _killed(job: Job) -> str:
    for path in map(Path, job.logs[1:]):
        found = KILLED.findall(path.read_text(errors="replace")) if path.is_file() else []
        if found:
            return found[-1].strip()
    return ""


def _row(job: Job) -> Row:
    log = job.logs[0] if job.logs else MISSING
    return _make("failed", job.wildcards, job.rule, job.name, reason_of(job), log)


def _make(kind: str, whose: Mapping[str, str], stage: str, job: str, reason: str, log: str) -> Row:
    """Return a row: one line a cell, nothing that is empty."""
    values = (kind, whose.get("subject"), whose.get("visit"), stage, job, reason, log)
    return {
        key: " ".join((value or MISSING).split())
        for key, value in zip(COLUMNS, values, strict=True)
    }


def _exclusion(sidecar: Path) -> dict[str, str] | None:
    """Return the exclusion of a sidecar; a file that cannot be read has none."""
    try:
        return json.loads(sidecar.read_text()).get("Excluded")
    except (OSError, ValueError, AttributeError):
        return None
