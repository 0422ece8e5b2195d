"""Too few people for the folds: the run stops once the tables are read, before any scan is."""

import pytest
from dry_runs import DryRuns

LATER = ("results/bids", "results/preproc", "results/datasets")


@pytest.mark.parametrize(
    ("target", "settings", "message"),
    [
        (
            "results/datasets/linear/folds.tsv",
            {"folds": {"n": 25}},
            "folds.n: 25 folds need at least 25 subjects with MRI and PET, there are 24",
        ),
        (
            "results/datasets/linear/folds.tsv",
            {"studies": {"dementia": {"simulation": {"paired": 4, "mri_only": 5}}}},
            "gla_gan.diagnosis.positive: of AD there must be subjects with MRI and PET in two",
        ),
        (  # enough for folds, but two folds of the three hold all but one of those learnt from
            "results/datasets/linear/folds.tsv",
            {
                "studies": {"dementia": {"simulation": {"paired": 9}}},
                "gla_gan": {"training_groups": ["CN"], "diagnosis": {"cross_fitted": ["unet"]}},
            },
            "gla_gan.diagnosis.cross_fitted: without folds 0 and 1, 1 people of CN with MRI",
        ),
        (
            "results/datasets/linear/folds.tsv",
            {"folds": {"n": 24, "by": "site"}},
            "folds.n: 24 folds by site need at least 24 sites with people who have MRI and PET",
        ),
        (
            "results/datasets/linear/folds.tsv",
            {"folds": {"n": 2, "by": "scanner"}},
            "were scanned on 1 scanners (Siemens TrioTim), and folds.by: scanner holds out one",
        ),
        (
            "results/datasets/anomaly/folds.tsv",
            {"gan_anomaly": {"folds": {"n": 9}}},
            "gan_anomaly.folds.n: 9 folds need at least 9 subjects with MRI and PET",
        ),
        (
            "results/datasets/anomaly/folds.tsv",
            {"gan_anomaly": {"validation": {"people": 4}}},
            "gan_anomaly.validation.people: 4 of 4 people with MRI and PET in the training folds",
        ),
    ],
)
def test_it_is_said_before_a_scan_is_opened(root, tmp_path, target, settings, message):
    runs = DryRuns(root, tmp_path, "config/config.yaml")
    ran = runs.call(target, changes=settings)
    assert ran.returncode != 0
    assert message in ran.stdout + ran.stderr
    assert (tmp_path / "results/cohort").is_dir()
    assert not [folder for folder in LATER if (tmp_path / folder).exists()]
