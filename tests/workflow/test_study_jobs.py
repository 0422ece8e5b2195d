"""The configurations of hours on two cores list the right jobs."""

import re
import subprocess
import sys

import pytest

FOLDS = {"dual_glow": 3, "gla_gan": 4}
PAIRED = {"dual_glow": 72, "gla_gan": 36}


@pytest.fixture(scope="module", params=sorted(FOLDS))
def study(request, root, tmp_path_factory):
    """Dry run of a study, whose cohort table is made first; name and jobs by rule."""
    name, folder = request.param, tmp_path_factory.mktemp("study")
    (folder / "config").symlink_to(root / "config")
    (folder / "resources").mkdir()
    for part in (root / "resources").iterdir():
        (folder / "resources" / part.name).symlink_to(part)

    def snakemake(*arguments):
        command = [sys.executable, "-m", "snakemake", "--snakefile", root / "Snakefile"]
        command += ["--directory", folder, "--cores", "1", *arguments]
        command += ["--configfile", root / f"config/study/{name}.yaml"]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout

    snakemake("results/cohort/dementia.tsv")
    listed = snakemake("--dry-run").split("Job stats:")[1]
    return name, {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", listed, re.M)}


def test_every_pair_is_read_and_every_model_trained_in_each_fold(study):
    name, jobs = study
    assert jobs["resample_pet"] == PAIRED[name] + {"dual_glow": 0, "gla_gan": 6}[name]
    models = {
        "dual_glow": 7,  # with and without side information, four peers, the local regression
        "gla_gan": 9 + 6,  # with all ablations
    }[name]
    trained = jobs["train"] + jobs.get("train_networks", 0)
    assert trained == jobs["synthesise"] == models * FOLDS[name]
    assert jobs["mean_pet"] == FOLDS[name]
    assert jobs[f"{name}_image_metrics"] == models + 2
    assert not [rule for rule in jobs if rule.startswith("gan_anomaly")]


def test_the_diagnosis_is_learnt_from_dual_glow_s_own_pet(study):
    name, jobs = study
    pairs = FOLDS[name] * (FOLDS[name] - 1) // 2
    models = {"dual_glow": 2, "gla_gan": 1}[name]  # beside the local regression
    assert jobs["train_without"] == jobs["synthesise_without"] == models * pairs
    assert jobs[f"{name}_features_without"] == models + 1  # mean PET, too
