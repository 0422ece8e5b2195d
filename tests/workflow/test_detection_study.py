"""The study of detection lists its jobs: all its people, training sets and folds."""

import pytest
import yaml
from dry_runs import DryRuns
from snakemake.utils import update_config

from mri2pet.datasets.folds import make_folds
from mri2pet.datasets.further_controls import held_back, with_roles
from mri2pet.files import read_tsv

HELD_BACK, PATIENTS, ALONE = 40, 160, 40


@pytest.fixture
def study(root):
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    update_config(config, yaml.safe_load((root / "config/study/detection.yaml").read_text()))
    return config


@pytest.fixture(scope="module")
def runs(root, tmp_path_factory):
    """The study, who takes part being known."""
    runs = DryRuns(root, tmp_path_factory.mktemp("detection"), "config/study/detection.yaml")
    runs.snakemake("results/cohort/epilepsy.tsv")
    return runs


@pytest.fixture(scope="module")
def listed(runs):
    return runs.listed()


def test_generators_learn_from_nobody_who_is_held_back(runs, study):
    """And the folds that they are trained by are those that they are tested by."""
    runs.snakemake("results/datasets/anomaly/learnt/cohort.tsv")
    text = {"subject": str, "visit": str}
    everybody = read_tsv(runs.folder / "results/cohort/epilepsy.tsv", dtype=text)
    learnt = read_tsv(runs.folder / "results/datasets/anomaly/learnt/cohort.tsv", dtype=text)
    back = held_back(everybody.to_dict("records"), HELD_BACK, study["seed"])
    assert len(back) == HELD_BACK and not back & set(learnt["subject"])
    assert len(learnt) == 35 and set(learnt["role"]) == {"control"}
    dealt = with_roles(everybody, back).query("role == 'control'").assign(group="control")
    n = study["gan_anomaly"]["folds"]["n"]
    whole, own = (
        make_folds(rows, n, study["seed"], groups=["control"]).set_index("subject")["fold"]
        for rows in (dealt, learnt.assign(group="control"))
    )
    assert own.to_dict() == whole[own.index].to_dict()


def test_its_numbers_are_those_that_the_question_needs(study):
    simulation = study["studies"]["epilepsy"]["simulation"]
    detector = study["gan_anomaly"]["detector"]
    assert simulation["paired"] - detector["further_controls"] == 35
    assert simulation["mri_only"] == detector["further_controls"] == ALONE == HELD_BACK
    assert simulation["patients"] == PATIENTS
    strata = [(tuple(each["depth"]), tuple(each["ml"])) for each in simulation["lesion"]]
    assert len(set(strata)) == len(strata) == 8 and PATIENTS % len(strata) == 0
    assert study["gan_anomaly"]["voxel_mm"] == 3
    wanted = {"real", "semi_3d", "patch_3d", "placebo", "with_oracle", "matched"}
    assert detector["training_sets"].keys() == wanted | {"with_regression", "more_real"}


def test_everybody_and_every_training_set_has_its_jobs(listed, study):
    people, folds = 35 + HELD_BACK + ALONE + PATIENTS, study["gan_anomaly"]["folds"]["n"]
    with_pet = people - ALONE
    for rule in ("convert_mri", "warp_mri", "resample_anomaly", "segment"):
        assert listed[rule] == people
    assert listed["convert_pet"] == listed["resample_pet_anomaly"] == with_pet
    assert listed["simulate_patient"] == listed["resample_lesion"] == PATIENTS
    sets = len(study["gan_anomaly"]["detector"]["training_sets"])
    plain = len(study["gan_anomaly"]["detector"]["plain"])
    assert listed["train_encoders"] == listed["score_people"] == sets
    assert listed["find_clusters"] == sets + plain
    assert listed["train"] == len(study["gan_anomaly"]["models"]) * folds
    assert listed["score_injected"] == len(
        study["gan_anomaly"]["detector"]["injection"]["detectors"]
    )
    for once in ("spread_table", "injection_table", "figure_injection"):
        assert listed[once] == 1
