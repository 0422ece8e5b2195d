"""What `make run` prints: few lines, a sensible time left, warnings and failures with their log."""

import csv
import heapq
import io
import logging
import random
import time
from collections import Counter

import pytest

from mri2pet.runs import console
from mri2pet.runs.bar import Bar, Lines, spoken
from mri2pet.runs.console import MOST_FAILURES, MOST_WARNINGS, Console, tell_outlook
from mri2pet.runs.failures import UNSEEN
from mri2pet.runs.main_numbers import main_numbers
from mri2pet.runs.recorder import STOPPED, TOGETHER, Job
from mri2pet.runs.time_left import USUAL, Outlook, time_left

LIMIT = 300  # lines of a default run


class Told:
    """A console that writes to memory, and Snakemake's events for it."""

    def __init__(self, **settings):
        self.stream = io.StringIO()
        self.console = Console(**settings)
        self.console.screen = Lines(self.stream)

    def tell(self, event, now=0.0, level=logging.INFO, msg="", pathname="x.py", **what):
        record = logging.makeLogRecord({"event": event, "levelno": level, "msg": msg, **what})
        record.created, record.pathname = now, pathname
        self.console.take(record)

    def start(self, jobid, rule, now=0.0, log=(), **wildcards):
        what = {"jobid": jobid, "rule_name": rule, "wildcards": wildcards, "log": list(log)}
        self.tell("job_info", now, **what)

    @property
    def lines(self):
        return self.stream.getvalue().splitlines()


@pytest.fixture
def told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console, "OUTLOOK", [])
    return Told()


def default_run():
    """Return kind and seconds of every job of the default run."""
    with USUAL.open(newline="") as handle:
        for row in csv.DictReader(handle, delimiter="\t"):
            yield from [((row["rule"], row["model"]), float(row["seconds"]))] * int(row["jobs"])


def play(told, jobs, cores=2):
    """Tell of jobs that run on some cores, one after the other; return how long they took."""
    left = Counter(kind for kind, _ in jobs)
    tell_outlook(Outlook(str.upper, lambda: {k: n for k, n in left.items() if n}, bool, cores))
    told.tell("run_info", stats={"total": len(jobs)})
    working, now, done, waiting = [], 0.0, 0, list(enumerate(jobs))
    while waiting or working:
        while waiting and len(working) < cores:
            jobid, ((rule, model), seconds) = waiting.pop(0)
            told.start(jobid, rule, now, model=model)
            heapq.heappush(working, (now + seconds, jobid))
        now, jobid = heapq.heappop(working)
        left[jobs[jobid][0]] -= 1
        done += 1
        told.tell("job_finished", now, job_id=jobid)
        told.tell("progress", now, done=done, total=len(jobs))
    return now


class Noted(Lines):
    """Lines that keep when they were written, and the time left that they told."""

    def show(self, now, left, more, **what):
        self.told = [*getattr(self, "told", []), (now, left)]
        super().show(now, left, more, **what)


@pytest.mark.parametrize("slower", [1, 6])
def test_a_default_run_says_little_and_how_long_it_will_take(told, slower):
    chance = random.Random(1)
    jobs = [(kind, slower * seconds * chance.uniform(0.7, 1.4)) for kind, seconds in default_run()]
    chance.shuffle(jobs)
    for number in range(300):
        told.tell(None, msg="Select jobs to execute...")
        told.tell(None, level=logging.WARNING, msg=f"warning {number}")
    told.console.screen = Noted(told.stream)
    took = play(told, jobs)
    assert len(jobs) > 900
    assert 20 < len(told.lines) < LIMIT - 100  # what is said at the end is at most 100
    for share in (0.25, 0.5, 0.75):
        now, left = next(each for each in told.console.screen.told if each[0] > share * took)
        assert left.seconds == pytest.approx(took - now, rel=0.25)


def test_ten_thousand_jobs_of_days_say_little_too(told):
    play(told, [(("train", str(number % 7)), 60.0) for number in range(10_000)], cores=4)
    assert len(told.lines) < 300


def test_the_end_of_a_run_is_a_hundred_lines_at_most(tmp_path, monkeypatch):
    from mri2pet.runs.recorder import RunRecorder
    from mri2pet.runs.summary import finish_run

    monkeypatch.chdir(tmp_path)
    recorder = RunRecorder()
    for number in range(500):
        recorder.jobs[number] = Job(f"rule{number % 20}", {"model": str(number)}, 0, 1, "failed")
    text = finish_run(recorder, {}, [], None)
    assert len(text.splitlines()) < 100
    assert "500 failed jobs" in text
    assert "and 480 more failed jobs" in text


def test_a_failure_is_told_with_whose_it_is_why_and_its_log(told, tmp_path):
    (tmp_path / "a.log").write_text("x ERROR mri2pet: a.tsv: column age is missing\n")
    told.start(3, "acpc", subject="001", visit="bl", log=["a.log"])
    told.console.recorder.jobs[3].started = 0
    told.tell("error", level=logging.ERROR, msg="RuleException:\nCalledProcessError in file")
    told.tell("job_error", 5, jobid=3, rule_msg=None, log=["a.log"])
    text = "\n".join(told.lines)
    assert "failed: acpc 001 bl" in text
    assert "a.tsv: column age is missing" in text
    assert "log: a.log" in text
    assert "CalledProcessError" not in text


INTERRUPT = "Terminating processes on user request, this might take some time."


@pytest.mark.parametrize("first", ["job", "interrupt"])
def test_a_job_stopped_by_ctrl_c_says_so_whichever_is_told_first(told, first):
    told.start(1, "train", model="unet")
    told.start(2, "n4", subject="001")
    if first == "interrupt":
        told.tell(None, 10.0, msg=INTERRUPT)
    told.tell("job_error", 10.1, jobid=1, rule_msg=None, log=[])
    told.tell("job_error", 10.1, jobid=2, rule_msg="told by the cluster", log=[])
    if first == "job":
        told.tell(None, 10.2, msg=INTERRUPT)
    text = "\n".join(told.lines)
    assert f"failed: train model=unet\n  {STOPPED}" in text
    assert "failed: n4 001\n  told by the cluster" in text


def test_a_job_that_fell_silent_before_ctrl_c_was_not_stopped_by_it(told):
    told.start(1, "train", model="unet")
    told.tell("job_error", 10, jobid=1, rule_msg=None, log=[])
    told.tell(None, 10 + 2 * TOGETHER, msg=INTERRUPT)
    assert UNSEEN in "\n".join(told.lines)
    assert STOPPED not in "\n".join(told.lines)


def test_a_silent_failure_is_told_though_nothing_else_happens(told, monkeypatch):
    monkeypatch.setattr(console, "TOGETHER", 0.05)
    told.start(1, "train", model="unet")
    told.tell("job_error", jobid=1, rule_msg=None, log=[])
    assert told.lines == []
    until = time.monotonic() + 10
    while not told.lines and time.monotonic() < until:
        time.sleep(0.01)
    assert told.lines[:2] == ["failed: train model=unet", f"  {UNSEEN}"]


def test_of_many_failures_and_warnings_the_first_are_told(told):
    for number in range(200):
        told.start(number, "n4", subject=str(number))
        told.tell("job_error", 1, jobid=number, rule_msg=None, log=[])
        told.tell(None, level=logging.WARNING, msg=f"warning {number}")
        told.tell(None, level=logging.WARNING, msg="warning 0")
    told.console.close()
    text = "\n".join(told.lines)
    assert text.count("failed: n4") == MOST_FAILURES
    assert text.count("warning ") == MOST_WARNINGS
    assert "Further failures are listed in" in text
    assert "further warnings" in text


@pytest.mark.parametrize(
    ("message", "pathname"),
    [
        ("Nothing to be done (all requested files are present and up to date).", "workflow.py"),
        ("Complete log(s): /a/b.log", "logging.py"),
        ("Study dementia: /data is read as BIDS (sub-* folders).", "/a/rules/studies.smk"),
        ("There is no config/config.yaml in /a", "/a/workflow/rules/start.smk"),
    ],
)
def test_what_a_user_needs_is_said(told, message, pathname):
    told.tell(None, msg=message, pathname=pathname)
    told.tell(None, msg="Using shell: /usr/bin/bash")
    assert told.lines == [message]


def test_errors_of_the_call_are_said_also_when_it_is_to_be_silent(told, tmp_path):
    silent = Told(silent=True)
    for each in (told, silent):
        each.tell("error", level=logging.ERROR, msg="LockException:\nError: Directory is locked.")
        each.tell(None, level=logging.WARNING, msg="careful")
    assert told.lines == ["LockException:", "Error: Directory is locked.", "careful"]
    assert silent.lines == told.lines[:2]


def test_nothing_is_promised_before_all_jobs_are_known(told):
    tell_outlook(Outlook(str, lambda: {("n4", ""): 2}, lambda: True, 2))
    for now in (0, 20):
        told.start(now, "n4", now)
    assert "time left not known until all scans are listed" in told.lines[-1]


def test_a_graph_that_changes_while_it_is_counted_leaves_the_last_look(told):
    looks = iter([{("n4", ""): 9}])

    def still_open():
        try:
            return next(looks)
        except StopIteration:
            raise RuntimeError("Set changed size during iteration") from None

    tell_outlook(Outlook(str, still_open, bool, 1))
    for now in (0, 20, 40):
        told.start(now, "n4", now)
    assert all("left" in line for line in told.lines)


def test_a_kind_without_a_time_takes_that_of_its_rule_then_of_any_job():
    jobs = [Job("train", {"model": "a"}, 0, 10, "finished"), Job("n4", {}, 0, 2, "finished")]
    own = time_left(jobs, {("train", "a"): 3}, 1, {}, now=12)
    assert (own.seconds, own.sure) == (30, True)
    assert time_left(jobs, {("train", "b"): 1}, 1, {}, now=12).seconds == 10
    other = time_left(jobs, {("new", ""): 1}, 1, {}, now=12)
    assert (other.seconds, other.sure) == (6, False)
    past = time_left(jobs, {("new", ""): 1}, 1, {}, {("new", ""): 50.0}, now=12)
    assert (past.seconds, past.sure) == (50, True)


def test_the_longest_job_bounds_the_time_left():
    jobs = [Job("train", {}, 0, 100, "finished")]
    assert time_left(jobs, {("train", ""): 1}, 8, {}, now=100).seconds == 100


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3, "10 s"),
        (62, "60 s"),
        (600, "10 min"),
        (7500, "2 h 5 min"),
        (7200, "2 h"),
        (4e5, "4 d 15 h"),
    ],
)
def test_times_are_spoken(seconds, words):
    assert spoken(seconds) == words


def test_on_a_terminal_a_bar_stands_below_what_is_said():
    stream = io.StringIO()
    bar = Bar(stream, colour=False, force=True)
    assert bar.wants(100)
    bar.show(100, None, False, done=3, total=9, failed=1, stages="train (2)")
    bar.say("careful", "yellow")
    bar.stop()
    text = stream.getvalue()
    assert "3 of 9 jobs" in text
    assert "1 failed · train (2)" in text
    assert "careful" in text


def test_the_main_numbers_are_those_of_the_tables(tmp_path):
    head = "dataset\tmethod\tmetric\tunit\tmean\tlow\thigh\n"
    table = tmp_path / "gla_gan/tables/table1.tsv"
    table.parent.mkdir(parents=True)
    rows = ["unet\tgap closed\tpercent\t41.2\t30\t50", "mean_pet\tgap closed\tpercent\t0\tn/a\tn/a"]
    rows += ["unet\tMAE\t1\t0.02\t0.01\t0.03", "mean_pet\tMAE\t1\t0.05\t0.04\t0.06"]
    table.write_text(head + "".join(f"Paired\t{row}\n" for row in rows))
    (line,) = main_numbers(tmp_path, ["gla_gan", "ixi"])
    assert line.endswith("unet 41 (30..50)")
    # Of real people no best possible PET is known.
    table.write_text(head + "".join(f"Paired\t{row}\n" for row in rows[2:]))
    (line,) = main_numbers(tmp_path, ["gla_gan"])
    assert line.endswith("unet 0.02 (0.01..0.03), mean_pet 0.05 (0.04..0.06)")
