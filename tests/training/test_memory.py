"""What trainings and syntheses ask for covers what they take, and is of its order."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from mri2pet.training.memory import CUDA, PROCESS, Footprints, Volumes, synthesis_mb, training_mb

SIDE = 48
PROGRAM = """
import json, sys
import numpy as np, pandas as pd
from mri2pet.training.data import load_pairs
from mri2pet.training.run import train_model
from mri2pet.models.registry import build
from mri2pet.synthesis.whole_volume import synthesise
entry, folder = json.loads(sys.argv[1]), sys.argv[2]
paths = [f"{folder}/{name}.npy" for name in ("mri", "pet", "mask")]
rows = pd.DataFrame({"index": range(4), "subject": "A", "visit": "bl"})
if sys.argv[3] == "training":
    train_model(entry, load_pairs(*paths, None, rows), "model", 0, 1, device="cpu")
else:
    mri, mask = np.load(paths[0], mmap_mode="r"), np.load(paths[2])
    synthesise(build(entry["generator"]).eval(), list(mri), mask)
# not ru_maxrss, which begins with what the process that started this one held
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak.split()[1]) * 1024 / 1e6)
"""
ENTRIES = {
    "a U-Net": {
        "recipe": "regression",
        "generator": {"name": "unet3d", "filters": [32, 64]},
        "losses": {"l1": 1.0},
    },
    "GLA-GAN": {
        "recipe": "gan",
        "generator": {"name": "gla_gan", "filters": [16, 16], "patches": 4},
        "discriminator": {"name": "gla_gan_discriminator", "filters": [8, 16, 16, 16, 8, 1]},
        "losses": {"adversarial": 0.01, "l1": 1.0, "ms_ssim": {"weight": 0.1, "window": 5}},
    },
    "a flow": {
        "recipe": "dual_glow",
        "generator": {"name": "dual_glow", "depth": [2, 2], "width": [64, 128]},
        "losses": {"mri": 0.001},
    },
    "a rectified flow": {
        "recipe": "rectified_flow",
        "generator": {"name": "rectified_flow", "mean": [32, 64], "velocity": [32, 64], "steps": 2},
        "losses": {"l1": 1.0},
    },
    "weights above all": {
        "recipe": "regression",
        "generator": {"name": "unet3d", "filters": [8, 64, 512, 1024]},
        "losses": {"l1": 1.0},
    },
}
TRAINING = {"epochs": 1, "batch_size": 2, "learning_rate": 0.001}
FEW = {"one": {"generator": {"name": "unet3d", "filters": [2, 2]}}, "two": {"other": 1}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A dataset of four volumes."""
    folder = tmp_path_factory.mktemp("dataset")
    rng = np.random.default_rng(0)
    for name in ("mri", "pet"):
        np.save(folder / f"{name}.npy", rng.random((4, SIDE, SIDE, SIDE), np.float32))
    np.save(folder / "mask.npy", np.ones((SIDE, SIDE, SIDE), bool))
    return folder


@pytest.fixture(scope="module")
def footprints(tmp_path_factory):
    return Footprints(tmp_path_factory.mktemp("kept") / "footprints.json", "now")


def volumes_of(folder):
    return Volumes.of(str(folder / "mri.npy"), str(folder / "mask.npy"))


@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize("work", ["training", "synthesis"])
def test_a_job_keeps_within_what_it_asks_for(folder, footprints, name, work):
    """Its peak is measured in a process of its own."""
    entries = {key: {**entry, "training": TRAINING} for key, entry in ENTRIES.items()}
    volumes = volumes_of(folder)
    ask = training_mb if work == "training" else synthesis_mb
    asked = ask(footprints.of(entries, name, volumes.shown), volumes, 4)
    command = [sys.executable, "-c", PROGRAM, json.dumps(entries[name]), str(folder), work]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    measured = float(done.stdout)
    assert measured > 300  # a process that does nothing takes about 270
    assert measured <= asked <= 2.5 * measured, (measured, asked)


def test_more_volumes_weights_and_draws_ask_for_more(folder):
    counted = {"generator": 10**8, "parameters": 10**8, "step": 10**9, "forward": 10**8}
    volumes = volumes_of(folder)
    base = training_mb(counted, volumes, 4)
    assert base >= PROCESS + 1.25 * (1200 + 1000)
    assert training_mb(counted, volumes, 4000) > base + 3000
    assert training_mb(counted, volumes, 4, validated=True) >= base + 400
    on_gpu = training_mb(counted, volumes, 4, on_gpu=True)
    assert PROCESS + CUDA + 1600 <= on_gpu < PROCESS + CUDA + 2300  # no activation
    made = synthesis_mb(counted, volumes, 4)
    assert made < base
    assert synthesis_mb(counted, volumes, 400) > made + 500
    assert synthesis_mb(counted, volumes, 4, draws=400) > made + 500


def test_a_crop_makes_volumes_smaller(tmp_path):
    mask = np.zeros((16, 16, 16), bool)
    mask[5:9, 5:9, 5:9] = True
    np.save(tmp_path / "mask.npy", mask)
    np.save(tmp_path / "mri.npy", np.zeros((2, 16, 16, 16), np.float32))
    volumes = Volumes.of(str(tmp_path / "mri.npy"), str(tmp_path / "mask.npy"), 8)
    assert (volumes.whole, volumes.shown, volumes.voxels) == (16**3, (8, 8, 8), 8**3)


def test_an_array_that_is_not_there_yet_is_named(tmp_path):
    """By the name that the rule's input has: Snakemake then shows <TBD>."""
    path = str(tmp_path / "mri.npy")
    with pytest.raises(FileNotFoundError) as error:
        Volumes.of(path, path)
    assert error.value.filename == path


class TestFootprints:
    """Counts are kept, as long as the sources are the same."""

    def test_all_of_a_system_are_counted_at_once_and_kept(self, tmp_path, monkeypatch, caplog):
        kept = tmp_path / "new/footprints.json"
        found = Footprints(kept, "now").of(FEW, "one", (16, 16, 16))
        assert found["generator"] > 0
        assert "two: its memory cannot be counted (KeyError" in caplog.text
        monkeypatch.setattr("mri2pet.training.memory._ask", lambda _: 1 / 0)
        again = Footprints(kept, "now")
        assert again.of(FEW, "one", (16, 16, 16)) == found
        assert again.of(FEW, "two", (16, 16, 16)) is None

    @pytest.mark.parametrize("content", ["", "[]", '{"state": "now"}', '{"state": "then"}'])
    def test_a_damaged_or_old_file_is_as_none(self, tmp_path, content):
        kept = tmp_path / "footprints.json"
        kept.write_text(content)
        assert Footprints(kept, "now").counts == {}

    def test_without_torch_nothing_is_counted(self, tmp_path, monkeypatch):
        (tmp_path / "torch.py").write_text("raise ImportError('no torch here')")
        monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
        footprints = Footprints(tmp_path / "footprints.json", "now")
        assert footprints.of(FEW, "one", (16, 16, 16)) is None
