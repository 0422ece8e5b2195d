"""The study of two scanners lists the right jobs; what is not asked for, no run makes."""

import pytest
from dry_runs import DryRuns

METHODS = 3 + 2  # the models, mean PET and the oracle


@pytest.fixture(scope="module")
def jobs(root, tmp_path_factory):
    """Dry runs of the study and of the default, after their cohort tables: jobs by rule."""
    runs = DryRuns(root, tmp_path_factory.mktemp("scanners"))
    study = runs.jobs("--configfile", root / "config/study/scanners.yaml")
    return study, runs.jobs("--config", "systems=[gla_gan]")


def test_one_scanner_is_held_out_in_each_of_two_folds(jobs):
    study, _ = jobs
    assert study["simulate_subject"] == 60
    assert study["train"] == study["synthesise"] == 3 * 2
    assert study["linear_scanners"] == study["linear_learnt_scanners"] == 1
    assert study["harmonised_table"] == study["scaling_table"] == study["gla_gan_strata"] == 1
    # on Paired and Complete, MRI alone, with age and sex; real PET on Paired
    assert study["diagnose"] == study["diagnose_harmonised"] == 2 * (METHODS + 2) + 1
    assert study["scaled_diagnosis"] == METHODS + 1


def test_what_is_not_asked_for_is_not_made(jobs):
    _, default = jobs
    apart = ("diagnose_harmonised", "harmonised_table", "scaled_diagnosis", "scaling_table")
    assert not set(apart) & set(default)
    assert "linear_learnt_scanners" not in default  # folds by person wait for no header
    assert default["gla_gan_strata"] == default["linear_scanners"] == 1
