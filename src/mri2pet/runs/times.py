"""How long the jobs of a run took, written down and summed."""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from mri2pet.files import MISSING, atomic
from mri2pet.runs.recorder import Job

COLUMNS = ("rule", "subject", "visit", "job", "state", "start", "seconds")


@dataclass(frozen=True)
class Times:
    """Seconds of the jobs of one rule or stage; jobs run side by side."""

    name: str
    jobs: int
    mean: float
    total: float


def write_jobs(path: str | Path, jobs: Iterable[Job], began: float) -> None:
    """Write a row a job: when it started, in seconds of the run, and how long it took."""
    with atomic(path) as partial, open(partial, "w", newline="") as handle:
        writer = csv.writer(handle, delimiter="\t", lineterminator="\n")
        writer.writerow(COLUMNS)
        for job in jobs:
            whose = [job.wildcards.get(key, MISSING) for key in ("subject", "visit")]
            start, seconds = f"{job.started - began:.2f}", f"{job.seconds:.2f}"
            writer.writerow([job.rule, *whose, job.name or MISSING, job.state, start, seconds])


def read_jobs(path: str | Path) -> list[Job]:
    """Read what `write_jobs` wrote: times, states and wildcards."""
    with open(path, newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    return [
        Job(
            row["rule"],
            {key: row[key] for key in ("subject", "visit") if row[key] != MISSING}
            | dict(part.split("=", 1) for part in row["job"].split() if "=" in part),
            float(row["start"]),
            float(row["start"]) + float(row["seconds"]),
            row["state"],
        )
        for row in rows
    ]


def wall_seconds(jobs: Iterable[Job]) -> float:
    """Return the time from the first start to the last end."""
    ended = [job for job in jobs if job.ended is not None]
    if not ended:
        return 0.0
    return max(job.ended for job in ended) - min(job.started for job in ended)


def sum_times(jobs: Iterable[Job], name: Callable[[Job], str]) -> list[Times]:
    """Sum the finished jobs by what `name` calls them, the longest first."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for job in jobs:
        if job.state == "finished":
            seconds[name(job)].append(job.seconds)
    rows = [
        Times(key, len(each), sum(each) / len(each), sum(each)) for key, each in seconds.items()
    ]
    return sorted(rows, key=lambda row: -row.total)


def lines_of(rows: Iterable[Times], head: str) -> list[str]:
    """Return the sums as lines of text."""
    lines = [f"{head:<20} {'jobs':>5} {'mean s':>8} {'sum s':>8}"]
    return lines + [
        f"{row.name:<20} {row.jobs:>5} {row.mean:>8.1f} {row.total:>8.0f}" for row in rows
    ]
