"""Same seed, same machine, same arrays: every way of training, in two processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

PROGRAM = Path(__file__).with_name("repeat_trainings.py")


def hashes(path: Path, seed: str, device: str = "cpu") -> dict[str, dict[str, str]]:
    """Train everything in a process of its own, with another order of its sets and dicts."""
    ours = {"PYTHONHASHSEED": seed, "REPEAT_HASHES": str(path), "REPEAT_ON": device}
    command = [sys.executable, "-m", "pytest", "-q", PROGRAM, "-p", "no:cacheprovider"]
    done = subprocess.run(command, env={**os.environ, **ours}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:]
    return json.loads(path.read_text())


def test_two_processes_train_the_same_weights_and_detect_the_same(tmp_path):
    once, again = (hashes(tmp_path / seed, seed) for seed in ("1", "2"))
    assert {"gan", "cycle_gan", "dual_glow", "cvae", "lsgan", "half_batch_gan"} <= set(once)
    assert "detector" in once
    differ = [
        f"{name}: {what}"
        for name in once
        for what in once[name]
        if once[name][what] != again[name][what]
    ]
    assert differ == []
    weights = {made["weights"] for made in once.values() if "weights" in made}
    assert len(weights) == len(once) - 1  # no two of them are the same training


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_two_processes_train_the_same_weights_on_a_gpu(tmp_path):
    once, again = (hashes(tmp_path / seed, seed, "cuda") for seed in ("1", "2"))
    assert once == again
