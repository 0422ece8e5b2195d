"""What is said, and written down, at the end of every run."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mri2pet.errors import InputError
from mri2pet.runs.failures import (
    Row,
    excluded_scans,
    failed_jobs,
    job_key,
    row_key,
    still_failed,
    write_failures,
)
from mri2pet.runs.main_numbers import main_numbers
from mri2pet.runs.present import Present, visits_of
from mri2pet.runs.recorder import Job, RunRecorder
from mri2pet.runs.times import lines_of, sum_times, wall_seconds, write_jobs

SHOWN = 20  # failed jobs, and excluded scans, on the screen; the table has all


def finish_run(
    recorder: RunRecorder,
    stages: Mapping[str, str],
    undone: Iterable[Job],
    known: Iterable[Job] | None,
    mended: Iterable[Job] = (),
    results: str | Path = "results",
    logs: str | Path = "logs",
    present: Present | None = None,
    page: str | Path | None = None,
    systems: Sequence[str] = (),
) -> str:
    """Write the tables of a run that ends, well or badly, and return what to say about it.

    Writes `failures.tsv` in `results`: failed jobs, of this run and of earlier ones if nothing has
    mended them, and excluded scans; and `jobs.tsv` in `logs`: the times of this run's jobs.

    Parameters
    ----------
    recorder
        Of the run.
    stages
        Rule to stage, for the times.
    undone
        Jobs that were to be done in this run and are not.
    known
        All jobs there are, if the run had them all in view (`failures.still_failed`).
    mended
        Jobs with nothing left to do: also those that a call brought through which was then killed.
    results, logs
        Folders.
    present
        What the configuration has; failures and exclusions of anything else are forgotten.
    page, systems
        The page that the run is to make, and whose main numbers are said if nothing is undone.
    """
    undone = list(undone)
    jobs = list(recorder.jobs.values())
    table = Path(results) / "failures.tsv"
    earlier = still_failed(table, [*jobs, *mended], known)
    if present is None:
        excluded = excluded_scans(results)
    else:
        visits = visits_of(results, present.studies)
        earlier = [row for row in earlier if present.has(row, visits)]
        excluded = excluded_scans(results, present.studies, present.has_stage)
    rows = failed_jobs(jobs) + earlier + excluded
    unwritten = []
    with _told(unwritten):
        write_failures(table, rows)
    failed = {row_key(row) for row in rows if row["kind"] == "failed"}
    waiting = [job.rule for job in undone if job_key(job) not in failed]
    with _told(unwritten):
        write_jobs(Path(logs) / "jobs.tsv", jobs, recorder.began or 0.0)
    times = sum_times(jobs, lambda job: stages.get(job.rule, job.rule))
    lines = [*lines_of(times, "stage"), f"{wall_seconds(jobs):.0f} s by the clock", ""]
    lines += [*_failures(rows, waiting, table), *unwritten]
    if page is not None and not undone and Path(page).is_file():
        lines += ["", *main_numbers(results, systems), f"Open {page}."]
    return "\n".join(lines)


@contextmanager
def _told(messages: list[str]) -> Iterator[None]:
    """Keep the message of a disk that takes no table: what ended the run must still be said."""
    try:
        yield
    except InputError as error:
        messages.append(str(error))


def _failures(rows: Sequence[Row], waiting: Sequence[str], table: Path) -> list[str]:
    """Return lines about what failed, what waits for it, and what was left out."""
    failed = [row for row in rows if row["kind"] == "failed"]
    excluded = [row for row in rows if row["kind"] == "excluded"]
    if not failed and not excluded:
        return ["No job failed, no scan was excluded."]
    lines = [f"{len(failed)} failed jobs, {len(excluded)} excluded scans ({table}):"]
    for row in [*failed[:SHOWN], *excluded[:SHOWN]]:
        what = " ".join(row[key] for key in ("subject", "visit", "job") if row[key] != "n/a")
        lines.append(f"  {row['kind']:<8} {row['stage']} {what}: {row['reason']}")
        if row["kind"] == "failed":
            lines.append(f"           log: {row['log']}")
    for rows, what in ((failed, "failed jobs"), (excluded, "excluded scans")):
        if len(rows) > SHOWN:
            lines.append(f"  ... and {len(rows) - SHOWN} more {what}")
    if waiting:
        lines.append(f"{len(waiting)} jobs were left undone: {', '.join(sorted(set(waiting)))}")
        lines.append("`snakemake report_partial` reports on what is there.")
    return lines
