"""One job fails: the rest goes on, one table tells of it, and a report says what is missing."""

import csv
import html

import pytest
import yaml
from trainings import WEIGHTS, make_training

from mri2pet.runs.times import read_jobs

BROKEN = WEIGHTS.replace("unet", "simple_gan")
SYNTHESIS = "results/gla_gan/synthesis/{}/fold-0/pet.npy"
REASON = "Kernel size can&#39;t be greater than actual input size"  # too deep for volumes so small
SETTINGS = {"unet": {"training": {"epochs": 1}}, "simple_gan": {"training": {"epochs": 1}}}


@pytest.fixture(scope="module")
def failed(root, tmp_path_factory):
    """Train a model that comes through and one that does not, and use both."""
    training = make_training(tmp_path_factory.mktemp("failing"), root)
    path = training.folder / "settings.yaml"
    settings = yaml.safe_load(path.read_text())
    for model, changes in SETTINGS.items():
        settings["gla_gan"]["models"].setdefault(model, {}).update(changes)
    path.write_text(yaml.safe_dump(settings))
    targets = [SYNTHESIS.format(model) for model in ("simple_gan", "unet")]
    training.code, training.said = training.call(
        *targets, "--keep-going", "--quiet", "rules", "progress"
    )
    return training


def test_everything_else_was_finished(failed):
    assert failed.code != 0
    assert (failed.folder / SYNTHESIS.format("unet")).is_file()
    assert not (failed.folder / BROKEN).exists()


def test_the_table_names_the_job_the_reason_and_the_log(failed):
    with open(failed.folder / "results/failures.tsv", newline="") as handle:
        (row,) = csv.DictReader(handle, delimiter="\t")
    assert (row["kind"], row["stage"]) == ("failed", "train")
    assert row["job"] == "system=gla_gan model=simple_gan fold=0"
    assert html.unescape(REASON) in row["reason"]
    assert (failed.folder / row["log"]).is_file()


def test_the_end_of_the_run_says_what_failed_what_waits_and_the_times(failed):
    end = failed.said[failed.said.index("by the clock") - 400 :]
    assert "train" in end
    assert "1 failed jobs, 0 excluded scans (results/failures.tsv)" in end
    assert html.unescape(REASON) in end
    assert "1 jobs were left undone: synthesise" in end
    jobs = read_jobs(failed.folder / "logs/jobs.tsv")  # although --quiet kept their ends back
    assert {(job.rule, job.state) for job in jobs if job.seconds > 0} == {
        ("train", "failed"), ("train_networks", "finished"), ("synthesise", "finished"),
    }  # fmt: skip


def test_a_partial_report_says_what_is_missing_and_why(failed):
    code, said = failed.call("report_partial")
    assert code == 0, said[-3000:]
    page = (failed.folder / "results/report/partial.html").read_text()
    assert "This report is not whole" in page
    assert "results/gla_gan/tables/table1.tsv" in page
    assert REASON in page
    assert "<td>CN</td>" in page  # the cohort is there
    # Asking for the report is no run that mends anything.
    assert "simple_gan" in (failed.folder / "results/failures.tsv").read_text()
