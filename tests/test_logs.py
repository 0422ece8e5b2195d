"""A user sees a message, not a traceback; a fault of the program keeps its traceback."""

import logging

import pytest

from mri2pet.errors import InputError
from mri2pet.logs import log_to


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
