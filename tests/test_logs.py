"""A user sees a message, not a traceback; a fault of the program keeps its traceback."""

import logging
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from mri2pet.errors import InputError
from mri2pet.logs import BRIEF, NAMESPACE, PARENT, _is_orphan, log_to, name_parent


@pytest.fixture(autouse=True)
def _root_logger_as_it_was():
    """Undo what a job's logging sets up, or later tests would see it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)


def test_a_users_error_is_one_message_and_exit_code_1(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop, log_to(tmp_path / "logs/a.log"):
        raise InputError("table.csv: column 'Age' is missing")
    assert stop.value.code == 1
    shown = capsys.readouterr().err
    assert "column 'Age' is missing" in shown
    assert "Traceback" not in shown
    assert "column 'Age' is missing" in (tmp_path / "logs/a.log").read_text()


def test_a_fault_keeps_its_traceback_in_the_log(tmp_path):
    with pytest.raises(ZeroDivisionError), log_to(tmp_path / "a.log"):
        raise ZeroDivisionError("a fault")
    assert "ZeroDivisionError" in (tmp_path / "a.log").read_text()


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("a fault"), InputError("a.tsv: x"), MemoryError()]
)
def test_beside_a_console_the_log_alone_tells_of_errors(tmp_path, capsys, monkeypatch, error):
    monkeypatch.setenv(BRIEF, "1")
    with pytest.raises(SystemExit) as stop, log_to(tmp_path / "a.log"):
        logging.getLogger("x").warning("careful")
        raise error
    assert stop.value.code == 1
    assert capsys.readouterr().err == "mri2pet: careful\n"
    assert "careful" in (tmp_path / "a.log").read_text()
    assert len((tmp_path / "a.log").read_text().splitlines()) > 1


JOB = SimpleNamespace(rule="train", resources=SimpleNamespace(mem_mb=6000))


@pytest.mark.parametrize(
    "error, advice",
    [
        (MemoryError(), "beyond the 6000 MB that train asks for.*train:mem_mb=12000.*--cores"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "train:mem_mb=12000"),
        (RuntimeError("std::bad_alloc"), "train:mem_mb=12000"),
        (RuntimeError("CUDA out of memory. Tried to"), "on the GPU.*smaller training.batch_size"),
    ],
)
def test_a_want_of_memory_is_told_with_what_to_do(tmp_path, capsys, error, advice):
    with pytest.raises(SystemExit) as stop, log_to(tmp_path / "a.log", JOB):
        raise error
    assert stop.value.code == 1
    shown = capsys.readouterr().err
    assert re.search(rf"not enough memory.*{advice}.*start again: what is finished stays", shown)
    assert "Traceback" not in shown
    log = (tmp_path / "a.log").read_text()
    assert "Traceback" in log  # for whoever looks for the place
    assert re.search(rf" ERROR .*{advice}", log)


def test_a_job_knows_whether_snakemake_is_there(monkeypatch):
    monkeypatch.setenv(PARENT, "")
    assert not _is_orphan("")
    name_parent()
    assert os.environ[PARENT].startswith(f"{os.getpid()} ")
    assert _is_orphan(os.environ[PARENT])  # this process is not its own parent
    namespace = NAMESPACE.readlink()
    assert not _is_orphan(f"{os.getppid()} {namespace}")
    assert not _is_orphan(f"{2**22 + 1} pid:[1]")  # of a container, whose numbers are others
    assert _is_orphan(f"{2**22 + 1} {namespace}")


SNAKEMAKE = """
import subprocess, sys
from mri2pet.logs import name_parent
name_parent()
subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]])
"""
IMPORTING = """
import sys, time
from pathlib import Path
from mri2pet.logs import log_to
snakemake, folder = None, Path(sys.argv[1])
(folder / "began").touch()
while not (folder / "go").exists():
    time.sleep(0.01)
with log_to(folder / "a.log"):
    (folder / "outlived").touch()
"""


def test_a_job_ends_whose_snakemake_was_killed_while_it_was_importing(tmp_path):
    """The kernel tells of a parent's death from then on, not of one that is dead already."""
    source = str(Path(__file__).parents[1] / "src")
    command = [sys.executable, "-c", SNAKEMAKE, IMPORTING, str(tmp_path)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": source})
    for _ in range(500):
        if (tmp_path / "began").exists():
            break
        time.sleep(0.02)
    (tmp_path / "go").touch()
    time.sleep(0.5)
    assert (tmp_path / "began").exists()
    assert not (tmp_path / "outlived").exists()
    assert not (tmp_path / "a.log").exists()
