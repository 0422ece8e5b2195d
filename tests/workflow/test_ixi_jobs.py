"""IXI at paper size lists the right jobs, on a simulated cohort and on a download."""

import re

import pytest
from dry_runs import DryRuns, jobs_of

CONTRASTS = ("T1", "T2", "PD")


@pytest.fixture
def paper(root, tmp_path):
    return DryRuns(root, tmp_path, "config/paper/ixi.yaml")


@pytest.fixture
def default(root, tmp_path):
    return DryRuns(root, tmp_path)


def test_355_simulated_people_have_their_jobs_and_no_other_system_has(paper):
    paper.snakemake("results/cohort/ixi.tsv")
    listed = paper.snakemake("--dry-run")
    jobs = jobs_of(listed)
    assert {jobs[rule] for rule in ("simulate_ixi", "convert_ixi", "prepare_ixi")} == {355}
    assert jobs["ixi_tissue"] == 70
    # three models are gone on from, and leave all their networks
    assert jobs["train_networks"] == 3
    assert jobs["train"] + 3 == jobs["synthesise_volumes"] == 9
    assert jobs["ixi_image_metrics"] == 9
    assert jobs["ixi_copy_metrics"] == 2
    assert jobs["figure_ixi"] == jobs["figure_ixi_curves"] == 2
    for once in ("pack_ixi", "ixi_table", "ixi_tissue_table", "report_page"):
        assert jobs[once] == 1
    assert not {"simulate_subject", "dementia_cohort", "acpc"} & jobs.keys()
    assert "results/gla_gan/" not in listed


def test_a_download_is_read_from_its_archives(paper, tmp_path):
    from ixi_fakes import person, tar_of, write_table

    folder = tmp_path / "IXI download"
    names = [f"IXI{n:03d}-Guys-{700 + n:04d}" for n in range(1, 6)]
    write_table(folder, [person(n) for n in range(1, 6)])
    for contrast in CONTRASTS:
        tar_of(folder / f"IXI-{contrast}.tar", *(f"{n}-{contrast}.nii.gz" for n in names))
    few = {"split": {"train": 2, "val": 1, "test": 1}}
    changes = {"ixi": few, "studies": {"ixi": {"raw": str(folder)}}}
    jobs = paper.jobs(study="ixi", changes=changes)
    assert "simulate_ixi" not in jobs
    assert jobs["convert_ixi"] == jobs["prepare_ixi"] == 4
    assert jobs["ixi_tissue"] == 1


def test_ixi_people_join_the_controls_of_the_anomaly_study(default):
    study = {"paired": 4, "mri_only": 1, "patients": 1}
    both = {
        "systems": ["gan_anomaly", "ixi"],
        "gan_anomaly": {"ixi_controls": 2},
        "studies": {"epilepsy": {"simulation": study}},
    }
    default.snakemake("results/cohort/ixi.tsv", "results/cohort/epilepsy.tsv", changes=both)
    target = "results/datasets/anomaly/folds.tsv"
    listed = default.snakemake("--dry-run", target, changes=both)
    jobs = jobs_of(listed)
    for rule in ("convert_mri", "register_mri", "segment", "warp_mri", "resample_anomaly"):
        assert jobs[rule] == 4 + 1 + 1 + 2
    assert jobs["resample_pet_anomaly"] == 4 + 1
    assert jobs["simulate_ixi"] == 2
    assert "convert_ixi" not in jobs
    packed = listed.split("rule pack_anomaly:")[1].split("output:")[0]
    assert len(set(re.findall(r"sub-(IXI\d+)", packed))) == 2


def test_a_download_of_t1s_alone_gives_controls_as_old_as_the_others(default, tmp_path):
    """The system ixi, which needs T2 and PD, is not made."""
    from ixi_fakes import person, touch, write_table

    folder, ages = tmp_path / "IXI T1", {1: 85, 2: 30, 3: 70, 4: 35, 5: 60, 6: 40}
    write_table(folder, [person(n, 1, age) for n, age in ages.items()], "IXI.csv")
    touch(folder, *(f"IXI{n:03d}-Guys-{700 + n:04d}-T1.nii.gz" for n in ages))
    asked = {
        "systems": ["gan_anomaly"],
        "gan_anomaly": {"ixi_controls": 3},
        "studies": {
            "epilepsy": {"simulation": {"paired": 4, "mri_only": 0, "patients": 1}},
            "ixi": {"raw": str(folder)},
        },
    }
    default.snakemake("results/cohort/ixi.tsv", "results/cohort/epilepsy.tsv", changes=asked)
    left_out = (tmp_path / "results/cohort/ixi_exclusions.tsv").read_text().splitlines()
    assert len(left_out) == 1  # the heading: nobody needs a T2 or a PD
    listed = default.snakemake("--dry-run", "results/datasets/anomaly/folds.tsv", changes=asked)
    packed = listed.split("rule pack_anomaly:")[1].split("output:")[0]
    assert set(re.findall(r"sub-(IXI\d+)", packed)) == {"IXI002", "IXI004", "IXI006"}
    jobs = jobs_of(listed)
    assert jobs["convert_mri"] == 4 + 1 + 3 and "prepare_ixi" not in jobs


@pytest.mark.parametrize("count", [4, 7])
def test_more_controls_than_ixi_has_are_refused(default, count):
    asked = {
        "systems": ["gan_anomaly"],
        "gan_anomaly": {"ixi_controls": count},
        "studies": {
            "epilepsy": {"simulation": {"paired": 4, "mri_only": 0, "patients": 1}},
            "ixi": {"simulation": {"people": 3}},
        },
    }
    default.snakemake("results/cohort/ixi.tsv", "results/cohort/epilepsy.tsv", changes=asked)
    with pytest.raises(AssertionError, match=f"ixi_controls: {count} people are asked for, 3 have"):
        default.snakemake("--dry-run", "results/datasets/anomaly/folds.tsv", changes=asked)
