"""The study of two scanners lists the right jobs; what is not asked for, no run makes."""

import re
import subprocess
import sys

import pytest

METHODS = 3 + 2  # the models, mean PET and the oracle


@pytest.fixture(scope="module")
def jobs(root, tmp_path_factory):
    """Dry runs of the study and of the default, after their cohort tables: jobs by rule."""
    folder = tmp_path_factory.mktemp("scanners")
    (folder / "config").symlink_to(root / "config")
    (folder / "resources").mkdir()
    for part in (root / "resources").iterdir():
        (folder / "resources" / part.name).symlink_to(part)

    def snakemake(*arguments):
        command = [sys.executable, "-m", "snakemake", "--snakefile", root / "Snakefile"]
        command += ["--directory", folder, "--cores", "1", *arguments]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout

    def listed(*settings):
        snakemake("results/cohort/dementia.tsv", *settings)
        said = snakemake("--dry-run", *settings).split("Job stats:")[1]
        return {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", said, re.M)}

    study = listed("--configfile", root / "config/study/scanners.yaml")
    return study, listed("--config", "systems=[gla_gan]")


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
