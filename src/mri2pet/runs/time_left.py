"""How long a run will still take, from the jobs that are still to do.

    python -m mri2pet.runs.time_left [logs/jobs.tsv]

writes `usual_seconds.tsv`, the times that a first run begins with, from those of a default run.
"""

import csv
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mri2pet.runs.recorder import Job
from mri2pet.runs.times import read_jobs

Kind = tuple[str, str]  # rule and model: trainings of one rule differ by their model
USUAL = Path(__file__).with_name("usual_seconds.tsv")
SLOW_START = 20.0  # seconds of jobs below which this machine's speed is not judged


@dataclass(frozen=True)
class Outlook:
    """What the workflow knows and Snakemake's events do not tell.

    Attributes
    ----------
    stage_of
        Returns the stage that a rule belongs to.
    still_open
        Returns how many jobs of each kind are not done yet, those at work among them.
    unread
        Returns whether a checkpoint is still open, so that more jobs will come.
    cores
        That the run may use; 1 on a cluster, whose queue nobody can foresee.
    """

    stage_of: Callable[[str], str]
    still_open: Callable[[], Mapping[Kind, int]]
    unread: Callable[[], bool]
    cores: int


@dataclass(frozen=True)
class Left:
    """Seconds to go; `sure` if most of them rest on jobs of this folder."""

    seconds: float
    sure: bool


def kind_of(job: Job) -> Kind:
    """Return what a job's time is compared by."""
    return job.rule, job.wildcards.get("model", "")


def usual_seconds(path: str | Path = USUAL) -> dict[Kind, float]:
    """Read the mean time of each kind of job in the default run, in seconds."""
    with open(path, newline="") as handle:
        rows = csv.DictReader(handle, delimiter="\t")
        return {(row["rule"], row["model"]): float(row["seconds"]) for row in rows}


def means(jobs: Iterable[Job]) -> dict[Kind, float]:
    """Return the mean time of the finished jobs of each kind, and of each rule over all models."""
    seconds: dict[Kind, list[float]] = defaultdict(list)
    for job in jobs:
        if job.state == "finished":
            for kind in {kind_of(job), (job.rule, "")}:
                seconds[kind].append(job.seconds)
    return {kind: sum(each) / len(each) for kind, each in seconds.items()}


def past_means(table: str | Path = "logs/jobs.tsv") -> dict[Kind, float]:
    """Return the same of the run before this one in this folder, if there was one."""
    try:
        return means(read_jobs(table))
    except (OSError, ValueError, KeyError):
        return {}


def time_left(
    jobs: Iterable[Job],
    still_open: Mapping[Kind, int],
    cores: int,
    usual: Mapping[Kind, float],
    past: Mapping[Kind, float] | None = None,
    now: float | None = None,
) -> Left:
    """Estimate how long the open jobs will take.

    A job takes as long as those of its kind took in this run; else in the run before; else as in
    the default run, times how much slower than there this machine was so far.

    Parameters
    ----------
    jobs
        Of this run: finished ones and those at work.
    still_open
        Kind of job to how many are not done yet, those at work among them.
    cores
        That the run may use.
    usual, past
        Seconds of each kind in the default run, and in the run before in this folder.
    now
        Seconds since the epoch.
    """
    jobs, past, now = list(jobs), past or {}, time.time() if now is None else now
    done = [job for job in jobs if job.state == "finished"]
    here = means(done)
    known = [job for job in done if kind_of(job) in usual]
    took = sum(job.seconds for job in known)
    expected = sum(usual[kind_of(job)] for job in known)
    slower = (took + SLOW_START) / (expected + SLOW_START)
    any_job = sum(job.seconds for job in done) / len(done) if done else 1.0

    def of_one(kind: Kind) -> tuple[float, bool]:
        for table, factor, sure in ((here, 1.0, True), (past, 1.0, True), (usual, slower, False)):
            for each in (kind, (kind[0], "")):
                if each in table:
                    return table[each] * factor, sure
        return any_job, False

    working = [job for job in jobs if job.state == "running"]
    spent = Counter()
    for job in working:
        spent[kind_of(job)] += min(now - job.started, of_one(kind_of(job))[0])
    work, unsure, longest = 0.0, 0.0, 0.0
    for kind, count in still_open.items():
        each, sure = of_one(kind)
        rest = max(each * count - spent[kind], 0.0)
        work, unsure = work + rest, unsure + (0.0 if sure else rest)
        longest = max(longest, each if count > sum(kind_of(job) == kind for job in working) else 0)
    busy = sum(job.seconds for job in done) + sum(now - job.started for job in working)
    began = min((job.started for job in jobs), default=now)
    wall = max(now - began, 1e-9)
    side_by_side = min(max(busy / wall, 1.0), max(cores, 1)) if wall > SLOW_START else max(cores, 1)
    return Left(max(work / side_by_side, longest), unsure <= work / 2)


def main() -> None:
    """Write the times of a default run."""
    jobs = read_jobs(sys.argv[1] if len(sys.argv) > 1 else "logs/jobs.tsv")
    count = Counter(map(kind_of, jobs))
    with USUAL.open("w", newline="") as handle:
        writer = csv.writer(handle, delimiter="\t", lineterminator="\n")
        writer.writerow(["rule", "model", "jobs", "seconds"])
        for kind, seconds in sorted(means(jobs).items()):
            if kind in count:
                writer.writerow([*kind, count[kind], f"{seconds:.2f}"])


if __name__ == "__main__":
    main()
