"""failures.tsv forgets what the configuration no longer has, and nothing else."""

import csv
import json
from dataclasses import replace

import pytest

from mri2pet.runs.failures import excluded_scans, write_failures
from mri2pet.runs.present import Present, visits_of
from mri2pet.runs.recorder import RunRecorder
from mri2pet.runs.summary import finish_run

COLUMNS = "subject\tvisit\timage_id\tmodality\tstage\treason\n"
PRESENT = Present(
    rules={"acpc", "train", "gla_gan_table"},
    models={"gla_gan": {"unet", "mean_pet"}, "ixi": {"wide"}},
    folds={"gla_gan": 3, "ixi": 1},
    studies=["own", "ixi"],
)


def row(stage, job="n/a", subject="n/a", visit="n/a"):
    whose = {"kind": "failed", "subject": subject, "visit": visit}
    return whose | {"stage": stage, "job": job, "reason": "killed", "log": "n/a"}


def cohort(folder, name, *subjects):
    path = folder / f"results/cohort/{name}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("subject\tvisit\tkind\n" + "".join(f"{s}\tbl\tpaired\n" for s in subjects))
    text = COLUMNS + f"{name}9\tbl\t7\tPET\tcohort\tlate\n"
    path.with_name(f"{name}_exclusions.tsv").write_text(text)


def sidecar(folder, subject, stage="convert_mri"):
    path = folder / f"results/bids/sub-{subject}/ses-bl/anat/a_T1w.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"Excluded": {"stage": stage, "reason": "dark"}}))


@pytest.mark.parametrize(
    ("failed", "kept"),
    [
        (row("train", "system=gla_gan model=unet fold=0"), True),
        (row("train", "system=gla_gan model=gone fold=0"), False),
        (row("train", "system=ixi model=unet fold=0"), False),
        (row("train", "system=dual_glow model=unet fold=0"), False),
        (row("train", "system=gla_gan model=unet fold=3"), False),
        (row("gla_gan_table", "model=mean_pet"), True),
        (row("gla_gan_table", "model=gone"), False),
        (row("gla_gan_table"), True),
        (row("dual_glow_table"), False),
        (row("acpc", subject="001", visit="bl"), True),
        (row("acpc", subject="001", visit="m12"), False),
        (row("acpc", subject="777", visit="bl"), False),
    ],
)
def test_failed_jobs(tmp_path, monkeypatch, failed, kept):
    monkeypatch.chdir(tmp_path)
    cohort(tmp_path, "own", "001")
    cohort(tmp_path, "ixi")
    write_failures("results/failures.tsv", [failed])
    finish_run(RunRecorder(), {}, undone=[], known=None, present=PRESENT)
    with open("results/failures.tsv", newline="") as handle:
        found = [each for each in csv.DictReader(handle, delimiter="\t")]
    assert [each for each in found if each["kind"] == "failed"] == [failed] * kept


def test_before_the_cohort_is_known_no_visit_is_forgotten(tmp_path):
    cohort(tmp_path, "ixi", "IXI002")
    assert visits_of(tmp_path / "results", PRESENT.studies) == set()
    assert PRESENT.has(row("acpc", subject="777", visit="bl"), set())


@pytest.mark.parametrize(
    ("stage", "kept"), [("acpc", True), ("warp_mri", False), ("resample_pet_anomaly", False)]
)
def test_exclusions_of_a_stage_that_is_no_more(tmp_path, monkeypatch, stage, kept):
    """The person still is in the study; the system whose stage left the scan out is not."""
    monkeypatch.chdir(tmp_path)
    cohort(tmp_path, "own", "001")
    cohort(tmp_path, "ixi")
    sidecar(tmp_path, "001", stage)
    for rule_of, rules in ((str, PRESENT.rules), ("pet_{}".format, {"pet_acpc", "acpc_pet"})):
        present = replace(PRESENT, rules=rules, rule_of=rule_of)
        finish_run(RunRecorder(), {}, undone=[], known=None, present=present)
        with open("results/failures.tsv", newline="") as handle:
            found = [each["stage"] for each in csv.DictReader(handle, delimiter="\t")]
        assert found == ["cohort"] * 2 + [stage] * kept


def test_exclusions_of_a_study_that_is_no_more(tmp_path):
    cohort(tmp_path, "own", "001")
    cohort(tmp_path, "simulated", "777")
    cohort(tmp_path, "ixi")
    for subject in ("001", "777", "888"):
        sidecar(tmp_path, subject)

    def subjects(studies):
        return sorted(each["subject"] for each in excluded_scans(tmp_path / "results", studies))

    assert subjects(["own", "ixi"]) == ["001", "ixi9", "own9"]
    assert subjects(["simulated"]) == ["777", "simulated9"]
    assert subjects(None) == ["001", "777", "ixi9", "own9", "simulated9"]
    assert subjects(["own", "later"]) == ["888", "own9"]  # whose cohorts are not known yet
