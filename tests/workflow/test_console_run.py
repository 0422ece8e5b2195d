"""Calls with the console of `make run`: a failing job, nothing to do, a dry run, a lock, Ctrl-C."""

import os
import signal
import time
from pathlib import Path

import pytest
from trainings import WEIGHTS, make_training

SAID = ("--logger", "mri2pet")
BROKEN = WEIGHTS.replace("unet", "simple_gan")


@pytest.fixture(scope="module")
def training(root, tmp_path_factory):
    return make_training(tmp_path_factory.mktemp("console"), root)


def test_a_run_with_a_failing_job_says_it_in_few_lines(training, root):
    code, said = training.call(WEIGHTS, BROKEN, "--keep-going", *SAID)
    assert code != 0
    assert len(said.splitlines()) < 40
    assert "2 jobs to do, as far as is known." in said
    assert "failed: train system=gla_gan model=simple_gan fold=0" in said
    assert "log: logs/train/gla_gan/simple_gan_fold-0.log" in said
    assert "Kernel size can't be greater than actual input size" in said
    assert "1 failed jobs, 0 excluded scans (results/failures.tsv)" in said
    log = said.split("Complete log(s): ")[1].split()[0]
    assert "Error in rule train" in Path(log).read_text()


def test_a_call_with_nothing_to_do_says_so(training):
    code, said = training.call(WEIGHTS, *SAID)
    assert code == 0
    assert "Nothing to be done" in said


def test_a_dry_run_counts_the_jobs_by_rule(training):
    code, said = training.call(BROKEN, "-n", *SAID)
    assert code == 0
    assert said.count("Job stats:") == 1
    assert "train" in said
    assert "This was a dry-run" in said
    assert "input:" not in said


def test_a_bad_key_is_named(training):
    code, said = training.call(WEIGHTS, *SAID, "--config", "sed=3")
    assert code != 0
    assert "sed" in said
    assert "seed" in said


def test_ctrl_c_and_the_lock_of_a_killed_call_are_told(training):
    other = WEIGHTS.replace("fold-0", "fold-1")
    call = training.start(other, *SAID)
    log = training.folder / "logs/train/gla_gan/unet_fold-1.log"
    while not log.is_file():
        assert call.poll() is None
        time.sleep(0.02)
    os.killpg(call.pid, signal.SIGINT)
    code = call.wait(60)
    said = (training.folder / "said.log").read_text()
    assert code != 0, said
    assert "Terminating processes on user request" in said
    assert "stopped with the run, which was interrupted; start again" in said
    assert "Traceback" not in said.split("jobs to do")[1].split("Terminating")[1]

    call = training.start(other, *SAID)
    while not list(training.folder.glob(".snakemake/locks/*.output.lock")):
        assert call.poll() is None
        time.sleep(0.02)
    os.killpg(call.pid, signal.SIGKILL)
    call.wait()
    code, said = training.call(other, *SAID)
    assert code != 0
    assert "Directory cannot be locked" in said
    assert "--unlock" in said
