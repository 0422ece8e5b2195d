"""Same seed, same machine, same arrays: every way of training, in two processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

PROGRAM = Path(__file__).with_name("repeat_trainings.py")


def hashes_of_two(folder: Path, device: str) -> list[dict[str, dict[str, str]]]:
    """Train everything in two processes at a time, with other orders of their sets."""
    calls = []
    for seed in ("1", "2"):
        ours = {"PYTHONHASHSEED": seed, "REPEAT_HASHES": str(folder / seed), "REPEAT_ON": device}
        command = [sys.executable, "-m", "pytest", "-q", PROGRAM, "-p", "no:cacheprovider"]
        with open(folder / f"{seed}.log", "w") as said:
            calls.append(subprocess.Popen(command, env={**os.environ, **ours}, stdout=said))
    for call in calls:
        assert call.wait() == 0, (folder / "1.log").read_text()[-4000:]
    return [json.loads((folder / seed).read_text()) for seed in ("1", "2")]


@pytest.mark.slow
def test_two_processes_train_the_same_weights_and_detect_the_same(tmp_path):
    once, again = hashes_of_two(tmp_path, "cpu")
    known = {"gan", "cycle_gan", "dual_glow", "cvae", "lsgan", "half_batch_gan", "rectified_flow"}
    assert known <= set(once)
    assert "detector" in once
    for name, made in once.items():
        differ = [what for what in made if made[what] != again[name][what]]
        assert differ == [], name
    weights = {made["weights"] for made in once.values() if "weights" in made}
    assert len(weights) == len(once) - 1  # no two of them are the same training


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_two_processes_train_the_same_weights_on_a_gpu(tmp_path):
    once, again = hashes_of_two(tmp_path, "cuda")
    assert once == again
