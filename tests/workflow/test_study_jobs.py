"""The configurations of hours on two cores list the right jobs."""

import pytest
from dry_runs import DryRuns

FOLDS = {"dual_glow": 3, "gla_gan": 4}
PAIRED = {"dual_glow": 72, "gla_gan": 36}


@pytest.fixture(scope="module", params=sorted(FOLDS))
def study(request, root, tmp_path_factory):
    """Dry run of a study, whose cohort table is made first; name and jobs by rule."""
    name = request.param
    runs = DryRuns(root, tmp_path_factory.mktemp("study"))
    return name, runs.jobs("--configfile", root / f"config/study/{name}.yaml")


def test_every_pair_is_read_and_every_model_trained_in_each_fold(study):
    name, jobs = study
    assert jobs["resample_pet"] == PAIRED[name] + {"dual_glow": 0, "gla_gan": 6}[name]
    models = {
        "dual_glow": 7,  # with and without side information, four peers, the local regression
        "gla_gan": 10 + 6,  # with all ablations
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


@pytest.mark.parametrize(
    ("files", "models"),
    [
        (["synthesis.yaml"], 46),  # 22 of one training, 8 of three
        (["synthesis.yaml", "smaller/synthesis.yaml"], 34),  # 25 of one training, 3 of three
        (["synthesis.yaml", "smaller/trainings.yaml"], 21),  # 3 of one training, 6 of three
    ],
)
def test_the_study_of_synthesis_and_its_smaller_forms(root, tmp_path, files, models):
    runs = DryRuns(root, tmp_path, *(f"config/study/{file}" for file in files))
    jobs = runs.jobs()
    assert jobs["train"] + jobs.get("train_networks", 0) == 5 * models
    assert jobs["resample_pet"] == 96 + 12
    assert jobs["oracle_linear"] == 96 + 200 + 12
