"""The jobs of a run, from the events that Snakemake logs while it works."""

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Job:
    """One job of a run, as its last attempt left it.

    Attributes
    ----------
    rule, wildcards
        What it is.
    started, ended
        Seconds since the epoch; on a cluster `started` is when it was handed over. `ended` is None
        for a job that was still at work when the run ended.
    state
        `running`, `finished` or `failed`.
    logs
        Its log files, then those of the cluster.
    message
        What the executor says about a failure.
    group
        Of a failed group job: which; one of its jobs, or several, made it fail.
    """

    rule: str
    wildcards: dict[str, str]
    started: float
    ended: float | None = None
    state: str = "running"
    logs: tuple[str, ...] = ()
    message: str = ""
    group: str = ""

    @property
    def seconds(self) -> float:
        """How long it took; 0 for one that did not end."""
        return 0.0 if self.ended is None else self.ended - self.started

    @property
    def name(self) -> str:
        """Wildcards as text, those apart that say whose scan it is."""
        own = {key: value for key, value in self.wildcards.items() if key not in WHOSE}
        return " ".join(f"{key}={value}" for key, value in own.items())


WHOSE = ("subject", "visit")
INTERRUPT = "Terminating processes on user request"  # Snakemake's words for Ctrl-C and the like
STOPPED = "stopped with the run, which was interrupted; start again, and it goes on"
# Seconds between the end of a job by Ctrl-C and Snakemake's word of it, which another thread tells.
TOGETHER = 2.0


@dataclass
class RunRecorder(logging.Handler):
    """Keeps the jobs of a run; a handler of Snakemake's logger.

    Events are used instead of the log file because `--quiet rules` leaves errors out of that.
    """

    jobs: dict[int, Job] = field(default_factory=dict)
    began: float | None = None
    interrupted: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    __hash__ = object.__hash__

    def emit(self, record: logging.LogRecord) -> None:
        """Take up one event; one that is not understood leaves no trace."""
        try:
            self._take(str(getattr(record, "event", None)), record.__dict__, record.created)
        except Exception:
            self.handleError(record)

    def settle(self, jobid: int, outputs: Iterable[str | Path]) -> None:
        """Say that a job has ended well, if no event has.

        With `--quiet progress` Snakemake does not tell; the youngest output's time stamp then
        stands for the end.
        """
        job = self.jobs.get(jobid)
        if job is not None and job.state == "running":
            paths = [path for path in map(Path, outputs) if path.exists()]
            now = max((path.stat().st_mtime for path in paths), default=time.time())
            self._end(jobid, "finished", max(now, job.started))

    def _take(self, event: str, what: Mapping[str, Any], now: float) -> None:
        if event == "None":
            if str(what.get("msg")).startswith(INTERRUPT):
                self._interrupt(now)
        elif event == "job_info":
            self.began = self.began or now
            wildcards = {key: str(value) for key, value in dict(what["wildcards"] or {}).items()}
            logs = tuple(map(str, what["log"] or ()))
            self.jobs[what["jobid"]] = Job(what["rule_name"], wildcards, now, logs=logs)
        elif event == "job_finished":
            self._end(what["job_id"], "finished", now)
        elif event == "group_error":
            for each in what["job_error_info"]:
                self._fail(each["jobid"], now, each, what["aux_logs"], str(what["groupid"]))
        elif event == "job_error":
            self._fail(what["jobid"], now, what)

    def _fail(self, jobid: int, now: float, what: Mapping[str, Any], aux=(), group="") -> None:
        job = self._end(jobid, "failed", now)
        if job is None:
            return
        job.logs = tuple(dict.fromkeys([*job.logs, *map(str, what["log"] or ()), *map(str, aux)]))
        job.message = str(what.get("rule_msg") or job.message)
        if self.interrupted and not job.message:
            job.message = STOPPED
        job.group = group or job.group

    def _interrupt(self, now: float) -> None:
        """Explain failures without a reason, of this moment too: either thread may be the first."""
        self.interrupted = True
        for job in self.jobs.values():
            recent = job.ended is not None and now - job.ended < TOGETHER
            if job.state == "failed" and recent and not job.message:
                job.message = STOPPED

    def _end(self, jobid: int, state: str, now: float) -> Job | None:
        job = self.jobs.get(jobid)
        if job is not None:
            job.state, job.ended = state, now
        return job
