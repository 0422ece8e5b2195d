"""What a finished run leaves for a paper, and its curves for TensorBoard."""

import csv
import shutil


def test_the_methods_paragraph_is_of_this_run(finished):
    text = (finished.folder / "results/report/methods.md").read_text()
    people = {row["subject"] for row in finished.cohort()}
    assert f"*dementia*: {len(people)} simulated people" in text
    assert "## References" in text


def test_the_checklist_is_filled_where_the_run_knows(finished):
    with open(finished.folder / "results/report/checklist.tsv", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    assert {row["checklist"] for row in rows} == {"CLAIM", "TRIPOD+AI"}
    assert 20 < sum(row["state"] != "open" for row in rows) < len(rows)


def test_curves_come_as_event_files_on_request(finished):
    assert not (finished.folder / "results/tensorboard").exists()
    finished.snakemake("tensorboard")
    trainings = list(finished.folder.glob("results/*/models/*/fold-*/history.tsv"))
    events = list(finished.folder.glob("results/tensorboard/*/*/fold-*/events.out.tfevents.*"))
    shutil.rmtree(finished.folder / "results/tensorboard")  # other tests look at what a run leaves
    (finished.folder / "results/provenance/tensorboard.json").unlink()
    assert len(events) == len(trainings) > 0
