"""What the end of a run says: failures found again in logs, exclusions in sidecars, times."""

import csv
import json
import logging
import os

import pytest

from mri2pet.runs.failures import SILENT, UNSEEN, excluded_scans, reason_of, still_failed
from mri2pet.runs.recorder import Job, RunRecorder
from mri2pet.runs.summary import finish_run
from mri2pet.runs.times import read_jobs, sum_times, write_jobs

ERROR = "2026-01-02 03:04:05,678 ERROR mri2pet: a.tsv: column age is missing\n"
TRACEBACK = "Traceback (most recent call last):\n  File ...\nValueError: no such thing\n"


def tell(recorder, event, **what):
    record = logging.makeLogRecord({"event": event, **what})
    recorder.handle(record)
    return record.created


def start(recorder, jobid, rule, log="", **wildcards):
    logs = [str(log)] if log else []
    tell(recorder, "job_info", jobid=jobid, rule_name=rule, wildcards=wildcards, log=logs)


def fail(recorder, jobid, message=None, logs=()):
    tell(recorder, "job_error", jobid=jobid, rule_msg=message, log=list(logs))


def table(path):
    with open(path, newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def log_file(folder, name, text):
    (folder / name).write_text(text)
    return name


def end(recorder, undone=(), known=None):
    return finish_run(recorder, {"acpc": "preproc", "n4": "preproc"}, undone, known)


def test_a_failed_job_stands_in_the_table_with_its_reason_and_log(folder):
    recorder = RunRecorder()
    log = log_file(folder, "a.log", ERROR)
    start(recorder, 1, "acpc", log, subject="001", visit="bl")
    start(recorder, 2, "train", log_file(folder, "b.log", TRACEBACK), model="unet", fold="0")
    fail(recorder, 1)
    fail(recorder, 2)
    said = end(
        recorder, undone=[Job("acpc", {"subject": "001", "visit": "bl"}, 0), Job("n4", {}, 0)]
    )
    first, second = table("results/failures.tsv")
    assert (first["kind"], first["subject"], first["visit"]) == ("failed", "001", "bl")
    assert (first["stage"], first["log"]) == ("acpc", "a.log")
    assert first["reason"] == "a.tsv: column age is missing"
    assert second["job"] == "model=unet fold=0"
    assert second["reason"] == "ValueError: no such thing"
    assert "column age is missing" in said
    assert "1 jobs were left undone: n4" in said


def test_a_job_that_a_further_attempt_brought_through_has_not_failed(folder):
    recorder = RunRecorder()
    start(recorder, 1, "acpc")
    fail(recorder, 1)
    start(recorder, 1, "acpc")
    tell(recorder, "job_finished", job_id=1)
    assert "No job failed" in end(recorder)
    assert table("results/failures.tsv") == []


def test_reasons_of_jobs_that_say_nothing(folder):
    log = log_file(folder, "a.log", "2026-01-02 03:04:05,678 INFO mri2pet: epoch 3\n")
    began = (folder / "a.log").stat().st_mtime
    assert reason_of(Job("train", {}, began, logs=(log,))) == SILENT.format(rule="train")
    assert reason_of(Job("train", {}, began + 60, logs=(log,))) == UNSEEN  # of the run before
    state = "SLURM-job '7' failed, SLURM status is: 'OUT_OF_MEMORY'."
    assert reason_of(Job("train", {}, began, logs=(log,), message=state)) == state
    slurm = log_file(
        folder, "7.log", "x\nslurmstepd: error: *** JOB 7 ON n1 CANCELLED AT now ***\n"
    )
    assert "CANCELLED" in reason_of(Job("train", {}, began, logs=(log, slurm)))


def test_of_a_failed_group_only_the_job_that_failed_is_listed(folder):
    recorder = RunRecorder()
    logs = [log_file(folder, "a.log", "fine\n"), log_file(folder, "b.log", ERROR), "never.log"]
    for jobid, log in enumerate(logs):
        start(recorder, jobid, f"rule{jobid}", log, subject="001")
    infos = [{"jobid": jobid, "log": [log]} for jobid, log in enumerate(logs)]
    tell(recorder, "group_error", groupid="g", aux_logs=[], job_error_info=infos)
    for jobid in range(3):
        fail(recorder, jobid)
    end(recorder)
    assert [row["stage"] for row in table("results/failures.tsv")] == ["rule1"]


def test_of_a_group_that_was_killed_the_job_that_wrote_last_is_listed(folder):
    recorder = RunRecorder()
    logs = [log_file(folder, "a.log", "fine\n"), log_file(folder, "b.log", "fine\n"), "never.log"]
    slurm = log_file(folder, "7.log", "slurmstepd: error: Detected 1 oom-kill event(s)\n")
    for jobid, log in enumerate(logs):
        start(recorder, jobid, f"rule{jobid}", log)
    os.utime("b.log", (2e9, 2e9))
    infos = [{"jobid": jobid, "log": [log]} for jobid, log in enumerate(logs)]
    tell(recorder, "group_error", groupid="g", aux_logs=[slurm], job_error_info=infos)
    end(recorder)
    (row,) = table("results/failures.tsv")
    assert row["stage"] == "rule1"
    assert "oom-kill" in row["reason"]


def sidecar(folder, path, excluded):
    path = folder / "results" / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"Excluded": excluded} if excluded else {}))


def test_exclusions_are_found_in_a_run_that_stopped_before_they_were_gathered(folder):
    reason = {"stage": "convert_mri", "reason": "slice 3 is missing"}
    sidecar(folder, "bids/sub-001/ses-bl/anat/a_T1w.json", reason)
    sidecar(folder, "preproc/sub-001/ses-bl/anat/a_desc-acpc_T1w.json", reason)
    sidecar(folder, "preproc/sub-002/ses-bl/anat/b_desc-acpc_T1w.json", None)
    sidecar(folder, "preproc/sub-002/ses-m12/pet/b_pet.json", {"stage": "qc", "reason": "dark"})
    (folder / "results/preproc/sub-002/ses-m12/pet/half.json").write_text("{")
    (folder / "results/cohort").mkdir()
    columns = "subject\tvisit\timage_id\tmodality\tstage\treason\n"
    (folder / "results/cohort/dementia_exclusions.tsv").write_text(
        columns + "003\tbl\t7\tPET\tcohort\tlate\n"
    )
    rows = excluded_scans(folder / "results")
    found = [
        (row["subject"], row["visit"], row["job"], row["stage"], row["reason"]) for row in rows
    ]
    assert found == [
        ("003", "bl", "scan=PET", "cohort", "late"),
        ("001", "bl", "scan=MRI", "convert_mri", "slice 3 is missing"),
        ("002", "m12", "scan=PET", "qc", "dark"),
    ]
    assert rows[1]["log"].endswith("a_T1w.json")  # where it was found, not where it was passed on

    (folder / "results/cohort/dementia.tsv").write_text("subject\tvisit\tkind\n001\tbl\tpaired\n")
    assert [row["subject"] for row in excluded_scans(folder / "results")] == ["003", "001"]


def test_failures_of_earlier_runs_stay_until_they_are_mended(folder):
    recorder = RunRecorder()
    start(recorder, 1, "train", model="unet")
    start(recorder, 2, "train", model="gan")
    fail(recorder, 1, "killed")
    fail(recorder, 2, "killed")
    end(recorder)

    other = RunRecorder()
    start(other, 1, "report")
    tell(other, "job_finished", job_id=1)
    end(other)
    assert [row["job"] for row in table("results/failures.tsv")] == ["model=unet", "model=gan"]

    mended = RunRecorder()
    start(mended, 1, "train", model="unet")
    tell(mended, "job_finished", job_id=1)
    end(mended)
    assert [row["job"] for row in table("results/failures.tsv")] == ["model=gan"]
    # A run that has all in view knows that this model is no more.
    assert still_failed("results/failures.tsv", [], [Job("train", {"model": "unet"}, 0)]) == []


def test_times_are_summed_by_stage_and_kept_by_job(folder):
    jobs = [
        Job("acpc", {"subject": "001", "visit": "bl"}, 10, 14, "finished"),
        Job("n4", {"subject": "001", "visit": "bl"}, 14, 16, "finished"),
        Job("train", {"model": "unet"}, 12, 30, "finished"),
        Job("train", {"model": "gan"}, 12, 13, "failed"),
    ]
    stages = {"acpc": "preproc", "n4": "preproc", "train": "train"}
    rows = sum_times(jobs, lambda job: stages[job.rule])
    assert [(row.name, row.jobs, row.total) for row in rows] == [
        ("train", 1, 18),
        ("preproc", 2, 6),
    ]
    write_jobs("jobs.tsv", jobs, 10)
    back = read_jobs("jobs.tsv")
    assert [(job.rule, job.started, job.seconds) for job in back] == [
        ("acpc", 0, 4),
        ("n4", 4, 2),
        ("train", 2, 18),
        ("train", 2, 1),
    ]


def test_a_job_whose_end_was_kept_quiet_counts_as_its_outputs_say(folder):
    recorder = RunRecorder()
    for jobid in (1, 2, 3):
        start(recorder, jobid, "acpc")
    fail(recorder, 2)
    (folder / "out.txt").touch()
    os.utime("out.txt", (recorder.began + 7, recorder.began + 7))
    for jobid in (1, 2, 9):
        recorder.settle(jobid, ["out.txt", "not.there"])
    states = {jobid: job.state for jobid, job in recorder.jobs.items()}
    assert states == {1: "finished", 2: "failed", 3: "running"}
    assert recorder.jobs[1].seconds == pytest.approx(7, abs=0.5)


def test_an_event_that_is_not_understood_stops_nothing(folder, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    recorder = RunRecorder()
    tell(recorder, "job_info", jobid=1)
    tell(recorder, "job_finished", job_id=7)
    tell(recorder, None)
    assert recorder.jobs == {}


def test_what_a_killed_call_brought_through_has_not_failed(folder):
    """That call wrote no table; the next one finds nothing to do for the job."""
    recorder = RunRecorder()
    start(recorder, 1, "acpc", subject="001", visit="bl")
    start(recorder, 2, "n4", subject="001", visit="bl")
    fail(recorder, 1)
    fail(recorder, 2)
    end(recorder)
    acpc, n4 = (Job(rule, {"subject": "001", "visit": "bl"}, 0) for rule in ("acpc", "n4"))
    finish_run(RunRecorder(), {}, undone=[n4], known=[acpc, n4], mended=[acpc])
    assert [row["stage"] for row in table("results/failures.tsv")] == ["n4"]
