"""Faults of the machine while the workflow runs; `make faults` has these tests run."""

import csv
import os
import shutil
import time
from pathlib import Path

import pytest
import torch
import yaml
from disks import read_only, resize, small_disk
from fault_run import FaultRun, copy_sources
from trainings import LOG, WEIGHTS, Training, make_training

pytestmark = pytest.mark.faults
EPOCHS = 5
PET = "results/gla_gan/synthesis/unet/fold-0/pet.npy"


def prepare(folder: Path, root: Path, epochs: int = EPOCHS) -> Training:
    training = make_training(folder, root)
    set_epochs(training, epochs)
    return training


def set_epochs(training: Training, epochs: int) -> None:
    path = training.folder / "settings.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["gla_gan"]["models"]["unet"]["training"]["epochs"] = epochs
    path.write_text(yaml.safe_dump(settings))


@pytest.fixture
def training(root, tmp_path):
    return prepare(tmp_path / "run", root)


@pytest.fixture(scope="module")
def undisturbed(root, tmp_path_factory):
    """Return the weights of a training that nothing disturbs."""
    training = prepare(tmp_path_factory.mktemp("undisturbed") / "run", root)
    code, said = training.call()
    assert code == 0, said[-3000:]
    return training.weights()


def assert_same(training: Training, expected: dict[str, torch.Tensor]) -> None:
    weights = training.weights()
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], value) for name, value in expected.items())


def failures(training: Training) -> list[dict[str, str]]:
    with (training.folder / "results/failures.tsv").open(newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def test_a_disk_that_fills_up_while_a_model_is_trained(training, undisturbed):
    with small_disk(training.folder / "results/gla_gan", "40k") as disk:
        code, said = training.call()
        assert code != 0
        (row,) = failures(training)
        assert row["stage"] == "train"
        assert "checkpoint.pt: cannot be read or written (No space left" in row["reason"]
        assert "free some space" in row["reason"]
        assert row["reason"] in " ".join(said.split())
        assert "Traceback" not in said
        assert [path for path in disk.rglob("*") if path.is_file()] == []
        resize(disk, "64m")
        code, said = training.call()
        assert code == 0, said[-3000:]
        assert_same(training, undisturbed)
        assert failures(training) == []


def test_a_folder_whose_whole_disk_is_full(root, tmp_path, undisturbed):
    """Snakemake itself finds no place then, nor do log and table: the messages must still come."""
    with small_disk(tmp_path / "disk", "256m") as disk:
        training = prepare(disk / "run", root)
        resize(disk, f"{shutil.disk_usage(disk).used // 1024 + 100}k")
        code, said = training.call()
        assert code != 0
        assert "No space left" in said
        assert not (training.folder / WEIGHTS).exists()
        resize(disk, "256m")
        if "--unlock" in training.call()[1]:
            training.call("--unlock")
        code, said = training.call()
        assert code == 0, said[-3000:]
        assert_same(training, undisturbed)


def test_a_read_only_results_folder_is_refused_before_anything_is_run(training):
    with read_only(training.folder / "results"):
        code, said = training.call()
    assert code != 0
    assert "results: cannot be read or written (Read-only file system)" in said
    assert "--directory" in said
    assert not (training.folder / LOG).exists()
    assert training.call()[0] == 0


def test_of_two_calls_in_one_folder_the_second_refuses_and_the_first_goes_on(training, undisturbed):
    set_epochs(training, 40)
    first = training.start()
    training.until_epoch(2, first)
    second = Training(training.folder, training.root)
    kept = (training.folder / "said.log").rename(training.folder / "first.log")
    code, said = second.call()
    assert code != 0
    assert "Directory cannot be locked" in said
    assert "--unlock" in said
    assert "Traceback" not in said
    assert first.poll() is None
    assert first.wait(timeout=300) == 0, kept.read_text()[-3000:]
    assert "40 of 40" in (training.folder / LOG).read_text()
    assert (training.folder / WEIGHTS).is_file()


def ahead(folder: Path, seconds: float = 86_400) -> None:
    """Date all that was made as a clock that is ahead does."""
    when = time.time() + seconds
    for path in (folder / "results/gla_gan").rglob("*"):
        os.utime(path, (when, when))


def test_a_clock_that_was_ahead_hides_nothing_that_is_outdated(training):
    assert training.call(PET)[0] == 0
    before = (training.folder / PET).read_bytes()
    ahead(training.folder)
    code, said = training.call(PET)
    assert code == 0
    assert "results lie in the future" in said
    assert "Nothing to be done" in said
    ahead(training.folder)
    set_epochs(training, 1)
    assert training.call(WEIGHTS)[0] == 0  # this alone: the synthesis is older than its weights
    when = time.time() + 86_400
    os.utime(training.folder / PET, (when, when))
    code, said = training.call(PET)
    assert code == 0
    assert "made again" in said
    assert (training.folder / PET).read_bytes() != before


def test_a_clock_that_was_behind_loses_nothing(training, undisturbed):
    assert training.call(PET)[0] == 0
    before = (training.folder / PET).read_bytes()
    long_ago = 10**9
    os.utime(training.folder / PET, (long_ago, long_ago))
    assert training.call(PET)[0] == 0
    assert (training.folder / PET).read_bytes() == before
    assert_same(training, undisturbed)


def test_a_job_out_of_memory_is_named_with_what_to_do(root, tmp_path, undisturbed):
    training = prepare(tmp_path / "run", root)
    other = WEIGHTS.replace("fold-0", "fold-1")
    arguments = ["--configfile", str(training.folder / "settings.yaml"), "--cores", "1"]
    run = FaultRun(
        training.folder,
        copy_sources(root, tmp_path / "sources"),
        {"train": ["memory"]},
        arguments,
        memory_mb=20,
    )
    assert run.call(WEIGHTS, other, "--keep-going") != 0
    (row,) = failures(training)
    assert row["stage"] == "train"
    assert "--set-resources train:mem_mb=16000" in row["reason"], row
    assert "start again" in row["reason"]
    made = [(training.folder / name).is_file() for name in (WEIGHTS, other)]
    assert sorted(made) == [False, True]
    assert run.call(WEIGHTS, other) == 0, run.said[-3000:]
    assert_same(training, undisturbed)
    assert failures(training) == []
    shutil.rmtree(tmp_path / "sources")
