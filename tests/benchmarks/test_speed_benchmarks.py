"""The benchmarks of speed at small size: plain and fast ways are the same, and both are timed."""

import importlib
import re

import pytest
import torch

ALL = ["GLA-GAN", "Cycle-GAN 3D", "DUAL-GLOW", "semi-3D Cycle-GAN", "IXI GAN"]


@pytest.fixture
def training_speed():
    return importlib.reload(importlib.import_module("training_speed"))


def cells(text: str, title: str) -> list[dict[str, str]]:
    """Read the table whose head has a column of this title."""
    tables = [part.splitlines() for part in text.split("\n\n") if part.startswith("| model")]
    (lines,) = [lines for lines in tables if title in lines[0]]
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.mark.parametrize("name", ALL)
def test_plain_and_project_take_the_same_steps(training_speed, name, capsys):
    assert training_speed.main(["--models", name, "--only-check", "--check-steps", "3"]) == 0
    (row,) = cells(capsys.readouterr().out, "fp32: largest difference")
    assert row["model"] == name
    assert float(row["fp32: largest difference"]) <= 1e-3


def test_another_loss_is_noticed(training_speed, monkeypatch, capsys):
    gla_gan = importlib.import_module("plain.gla_gan")
    monkeypatch.setattr(gla_gan, "WEIGHTS", (0.3, 0.3, 0.3))
    assert training_speed.main(["--models", "GLA-GAN", "--only-check", "--check-steps", "1"]) == 1
    (row,) = cells(capsys.readouterr().out, "fp32: largest difference")
    assert float(row["fp32: largest difference"]) > 1e-3


def test_networks_that_differ_are_refused(training_speed):
    with pytest.raises(ValueError, match="networks differ"):
        training_speed.copy_state(torch.nn.Linear(2, 2), torch.nn.Linear(3, 2))


@pytest.mark.parametrize("name", ["Cycle-GAN 3D", "semi-3D Cycle-GAN"])
def test_speed_memory_and_arithmetic_are_reported(training_speed, name, capsys):
    arguments = ["--models", name, "--steps", "1", "--rounds", "1", "--check-steps", "1"]
    training_speed.main(arguments)
    (row,) = cells(capsys.readouterr().out, "times faster")
    for key in ("plain /s", "project /s", "times faster", "step alone, times faster"):
        assert float(row[key]) > 0
    assert float(row["GFLOP a unit"]) > 0
    assert 0 < float(row["plain % of peak"]) < 100


def test_an_epoch_of_packed_volumes_is_that_of_the_files(capsys):
    script = importlib.import_module("data_loading")
    shape = ["--shape", "12", "10", "8", "--people", "5", "--batch", "2", "--rounds", "1"]
    assert script.main(shape) == 0
    found = capsys.readouterr().out
    assert "batches are the same" in found
    assert len(re.findall(r"^\| (?:NIfTI|packed)", found, re.MULTILINE)) == 4


def test_batches_of_parts_give_the_volumes_of_one_at_a_time(capsys):
    script = importlib.import_module("inference_speed")
    small = ["--models", "semi-3D Cycle-GAN", "IXI GAN"]
    small += ["--batches", "1", "3", "--rounds", "1", "--stride", "16"]
    assert script.main(small) == 0
    rows = cells(capsys.readouterr().out, "largest difference")
    assert {row["way"] for row in rows} == {"1 at a time", "3 at a time", "gathered"}
    assert all(float(row["largest difference"]) <= 1e-4 for row in rows)
