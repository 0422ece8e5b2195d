"""A kill -9 in the middle of a training: the next call goes on from the checkpoint."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from fakes import make_run

EPOCHS = 25
WEIGHTS = "results/gla_gan/models/unet/fold-0/generator.pt"
LOG = "logs/train/gla_gan/unet_fold-0.log"
SETTINGS = f"""\
systems: [gla_gan]
cohort: {{groups: [CN, AD]}}
simulation: {{groups: [CN, AD]}}
gla_gan:
  models:
    unet:
      generator: {{filters: [4, 4, 4]}}
      training: {{epochs: {EPOCHS}}}
  diagnosis: {{three_way: []}}
"""


class Training:
    """A folder with a packed dataset, in which one model is trained."""

    def __init__(self, folder: Path, root: Path):
        self.folder, self.root = folder, root

    def start(self, *arguments: str) -> subprocess.Popen:
        """Call snakemake for the weights."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", self.root / "Snakefile"]
        command += ["--directory", self.folder, "--cores", "1", WEIGHTS, *arguments]
        command += ["--configfile", self.folder / "settings.yaml"]
        with open(self.folder / "said.log", "w") as said:
            return subprocess.Popen(
                list(map(str, command)), stdout=said, stderr=said, start_new_session=True
            )

    def call(self, *arguments: str) -> tuple[int, str]:
        """Do the same and wait; return the exit code and what was said."""
        code = self.start(*arguments).wait(timeout=300)
        return code, (self.folder / "said.log").read_text()

    def until_epoch(self, epoch: int, call: subprocess.Popen) -> None:
        """Wait until an epoch is over."""
        log = self.folder / LOG
        for _ in range(3000):
            if log.is_file() and f"epoch {epoch} of" in log.read_text():
                return
            assert call.poll() is None, (self.folder / "said.log").read_text()[-3000:]
            time.sleep(0.02)
        pytest.fail("the training does not come on")

    def weights(self) -> dict[str, torch.Tensor]:
        """Read the weights."""
        return torch.load(self.folder / WEIGHTS, weights_only=True)


def make_training(folder: Path, root: Path) -> Training:
    make_run(folder, size=24)
    for part in ("results/gla_gan", "resources"):
        shutil.rmtree(folder / part)
    for part in ("config", "resources"):
        (folder / part).symlink_to(root / part)
    (folder / "settings.yaml").write_text(SETTINGS)
    return Training(folder, root)


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
    assert training.call("--unlock")[0] == 0
    code, said = training.call()
    assert code == 0, said[-3000:]
    assert_went_on(training, uninterrupted)


def test_after_a_killed_job_training_goes_on(training, uninterrupted):
    call = training.start()
    training.until_epoch(3, call)
    (job,) = children(call.pid)
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
