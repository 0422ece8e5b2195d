"""What `make run` says while it works: progress, warnings, failures, the end."""

import logging
import sys
from collections import Counter
from contextlib import suppress
from threading import RLock, Timer

from mri2pet.runs.bar import Bar, Lines
from mri2pet.runs.failures import is_silent, reason_of
from mri2pet.runs.recorder import TOGETHER, WHOSE, Job, RunRecorder
from mri2pet.runs.time_left import Left, Outlook, past_means, time_left, usual_seconds

MOST_WARNINGS, MOST_FAILURES = 40, 20
OUTLOOK: list[Outlook] = []  # of this process; the workflow puts it there
# Of Snakemake's own messages, beginnings of those that a user of `make run` needs.
WORTH_SAYING = (
    "Nothing to be done",
    "This was a dry-run",
    "The run involves checkpoint jobs",
    "Complete log",
    "Terminating processes",
    "Cancelled",
    "Unlocking working directory",
    "Will exit after finishing",
    "Trying to restart",
    "Creating conda environment",
    "Pulling singularity image",
)
# Their content is said elsewhere: the failed job, its reason and its log.
SAID_ELSEWHERE = ("RuleException:", "CalledProcessError", "Exiting because a job execution failed")


class Console:
    """Takes the records of Snakemake's logger, and says what a person wants to read.

    On a terminal a bar stands at the bottom; elsewhere there is a line now and then, fewer the
    longer a run takes.

    Parameters
    ----------
    dry
        The call makes nothing.
    silent
        Errors alone are said.
    colour
        On a terminal.
    stdout
        Write there; to stderr if False.
    """

    def __init__(self, dry=False, silent=False, colour=True, stdout=False) -> None:
        stream = sys.stdout if stdout else sys.stderr
        terminal = stream.isatty() and not dry and not silent
        self.dry, self.silent = dry, silent
        self.screen = Bar(stream, colour) if terminal else Lines(stream)
        self.recorder = RunRecorder()
        self.past, self.usual = past_means(), usual_seconds()
        self.done, self.total, self.failed = 0, 0, 0
        self.warned: set[str] = set()
        self.told: set[str] = set()
        self.open: dict[tuple[str, str], int] = {}
        self.unread = False
        self.held: list[Job] = []  # failed without a word: the run's interruption may be told yet
        self.lock = RLock()  # between the thread that logs and the one that waits for a word

    def take(self, record: logging.LogRecord) -> None:
        """Take up one record."""
        with self.lock:
            self._take(record)

    def _take(self, record: logging.LogRecord) -> None:
        event = str(getattr(record, "event", None) or "")
        if not self.dry:
            self.recorder.emit(record)
        if event == "run_info":
            self._begin(record)
        elif event == "progress":
            self.done, self.total = record.done, record.total
            self._show(record.created)
        elif event == "job_info" and not self.dry:
            self._show(record.created)
        elif event == "job_error":
            self._failure(record.jobid)
        elif event == "error" or not event:
            self._message(record)

    def close(self) -> None:
        """Leave the screen as it is."""
        self._tell_held()
        self.screen.stop()

    def say(self, text: str, style: str = "") -> None:
        """Say something that stays on the screen."""
        if not self.silent or style == "red":
            self.screen.say(text, style)

    def _begin(self, record: logging.LogRecord) -> None:
        if self.dry:
            if not self.total:  # Snakemake tells it twice
                self.say(record.getMessage())
            self.total = record.stats["total"]
            return
        self.total = self.total or record.stats["total"]
        self.say(f"{self.total} jobs to do, as far as is known.")

    def _show(self, now: float) -> None:
        """Bring the progress up to date, if it is time."""
        if self.silent or not self.screen.wants(now):
            return
        jobs = list(self.recorder.jobs.values())
        working = Counter(self._stage(job) for job in jobs if job.state == "running")
        self.screen.show(
            now,
            done=self.done,
            total=self.total,
            failed=self.failed,
            stages=", ".join(f"{stage} ({count})" for stage, count in working.most_common(3)),
            left=self._left(jobs, now),
            more=self.unread,
        )

    def _stage(self, job: Job) -> str:
        return OUTLOOK[-1].stage_of(job.rule) if OUTLOOK else job.rule

    def _left(self, jobs: list[Job], now: float) -> Left | None:
        """Return the time left; None where it cannot be told."""
        if not OUTLOOK:
            return None
        # The graph of jobs belongs to another thread, which may be changing it: then the last look.
        with suppress(RuntimeError, KeyError):
            self.unread = OUTLOOK[-1].unread()
            self.open = dict(OUTLOOK[-1].still_open())
        if self.unread or not self.open:
            return None
        return time_left(jobs, self.open, OUTLOOK[-1].cores, self.usual, self.past, now)

    def _failure(self, jobid: int) -> None:
        job = self.recorder.jobs.get(jobid)
        self.failed += 1
        if job is None or self.failed > MOST_FAILURES:
            if self.failed == MOST_FAILURES + 1:
                self.say("Further failures are listed in results/failures.tsv at the end.", "red")
        elif is_silent(job):
            self.held.append(job)
            waiting = Timer(TOGETHER, self._tell_held)
            waiting.daemon = True
            waiting.start()
        else:
            self._tell(job)

    def _tell_held(self) -> None:
        with self.lock:
            while self.held:
                self._tell(self.held.pop(0))

    def _tell(self, job: Job) -> None:
        whose = [job.wildcards[key] for key in WHOSE if key in job.wildcards]
        what = " ".join(part for part in (job.rule, *whose, job.name) if part)
        log = f"\n  log: {job.logs[0]}" if job.logs else ""
        self.say(f"failed: {what}\n  {reason_of(job)}{log}", "red")

    def _message(self, record: logging.LogRecord) -> None:
        text = record.getMessage().strip("\n")
        if text in ("", "None") or text.startswith(SAID_ELSEWHERE):
            return
        if text in self.told:  # each failing job tells that the run will stop
            return
        if record.levelno >= logging.ERROR:
            self.say(text, "red")
        elif record.levelno >= logging.WARNING:
            self._warning(text)
        elif record.levelno >= logging.INFO and (
            text.startswith(WORTH_SAYING) or record.pathname.endswith((".smk", "Snakefile"))
        ):
            self.told.add(text)
            self.say(text)
            if self.recorder.interrupted:
                self._tell_held()

    def _warning(self, text: str) -> None:
        """Say a warning once; of very many, the first."""
        if text in self.warned or len(self.warned) > MOST_WARNINGS:
            return
        self.warned.add(text)
        if len(self.warned) > MOST_WARNINGS:
            text = "There are further warnings: Snakemake's log has them all."
        self.say(text, "yellow")


def tell_outlook(outlook: Outlook) -> None:
    """Let the console of this process know what the workflow knows."""
    OUTLOOK[:] = [outlook]
