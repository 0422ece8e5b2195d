"""A part of the workflow through a real Slurm of one node; skipped where Slurm is not installed."""

import pytest
from one_node import missing_programs
from run_slurm import run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(missing_programs()),
        reason=f"needs Slurm (apt-get install slurmctld slurmd munge); no {missing_programs()}",
    ),
]


@pytest.fixture(scope="module")
def found(atlases, tmp_path_factory):
    return run(tmp_path_factory.mktemp("cluster"))


def test_a_person_is_preprocessed_in_one_job(found):
    assert found["imaging"]["states"] == ["COMPLETED"]
    assert found["imaging"]["slurm_jobs"] == 4 + 1  # people, and the dataset of them all


def test_a_cancelled_training_leaves_no_result_and_is_listed(found):
    cancelled = found["cancelled"]
    assert cancelled["exit_code"] != 0
    assert not cancelled["weights_there"]
    assert cancelled["checkpoint_there"]
    assert "CANCELLED" in cancelled["reason"]


def test_a_training_asks_for_one_gpu(found):
    assert found["cancelled"]["gpus_asked_for"].endswith("gpu:1")


def test_the_second_call_goes_on_and_finishes(found):
    second = found["second_call"]
    assert (second["exit_code"], second["weights_there"]) == (0, True)
    assert second["first_epoch"] == second["went_on_after_epoch"] + 1 > 1
