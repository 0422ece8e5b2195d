"""A kill -9 in the middle of a training: the next call goes on from the checkpoint."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
import torch
from trainings import EPOCHS, LOG, WEIGHTS, Training, make_training


@pytest.fixture
def training(root, tmp_path):
    return make_training(tmp_path, root)


@pytest.fixture(scope="module")
def uninterrupted(root, tmp_path_factory):
    """Return the weights of a training that nobody disturbs."""
    training = make_training(tmp_path_factory.mktemp("whole"), root)
    code, said = training.call()
    assert code == 0, said[-3000:]
    assert epochs(training) == list(range(1, EPOCHS + 1))
    return training.weights()


def epochs(training: Training) -> list[int]:
    """Return the epochs that the log of the last training tells of."""
    return [int(n) for n in re.findall(r"epoch (\d+) of", (training.folder / LOG).read_text())]


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in found for child in path.read_text().split()]


def assert_went_on(training: Training, expected: dict[str, torch.Tensor]) -> None:
    done = epochs(training)
    assert done[0] > 1
    assert done == list(range(done[0], EPOCHS + 1))
    assert f"going on after epoch {done[0] - 1}" in (training.folder / LOG).read_text()
    weights = training.weights()
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], value) for name, value in expected.items())
    assert not (training.folder / WEIGHTS).with_name("checkpoint.pt").exists()


def test_after_a_killed_snakemake_training_goes_on(training, uninterrupted):
    call = training.start()
    training.until_epoch(3, call)
    jobs = children(call.pid)
    assert jobs
    os.kill(call.pid, signal.SIGKILL)
    call.wait()
    for _ in range(100):  # the job goes with it, and does not write beside the next call
        if not any(Path(f"/proc/{job}").exists() for job in jobs):
            break
        time.sleep(0.1)
    else:
        pytest.fail("the training outlived Snakemake")
    # What a job that does not write whole files would leave must not be taken for a result.
    weights = training.folder / WEIGHTS
    for name in ("generator.pt", "history.tsv", "curve.png"):
        weights.with_name(name).write_bytes(b"half a fi")

    code, said = training.call()
    assert code != 0
    assert "--unlock" in said
    assert training.call(WEIGHTS, "--unlock")[0] == 0
    code, said = training.call()
    assert code == 0, said[-3000:]
    assert_went_on(training, uninterrupted)


def test_after_a_killed_job_training_goes_on(training, uninterrupted):
    call = training.start()
    training.until_epoch(3, call)
    (job,) = (job for child in children(call.pid) for job in children(child))  # of the server
    os.kill(job, signal.SIGKILL)
    assert call.wait() != 0
    assert not (training.folder / WEIGHTS).exists()
    failed = (training.folder / "results/failures.tsv").read_text().splitlines()
    assert "train" in failed[1]
    assert "killed" in failed[1]
    assert LOG in failed[1]

    code, said = training.call()
    assert code == 0, said[-3000:]
    assert_went_on(training, uninterrupted)
    assert "No job failed" in said
    assert len((training.folder / "results/failures.tsv").read_text().splitlines()) == 1
