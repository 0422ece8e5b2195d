"""After a change, what depends on it is run again, and nothing else.

Dry runs on a finished run, with the copy of the sources edited and put back.
"""

import ast
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.slow
PREPROCESSING = {"convert_mri", "convert_pet", "acpc", "n4", "skullstrip", "normalise"}
PREPROCESSING |= {"register_mri", "resample_mri", "segment", "qc", "coregister_pet", "resample_pet"}
RAW = {"simulate_tables", "simulate_subject", "dementia_cohort", "participants", "fetch_atlases"}
SHOWN = {"report_page", "provenance"}  # show all that the others made
# a job in a dry run's listing: indented where it belongs to a group
JOB = re.compile(r"^( *)(?:local)?(?:rule|checkpoint) (\w+):\n((?:\1 +\S.*\n)*)", re.M)


def planned(run, *arguments: str) -> dict[str, list[str]]:
    """Return what a dry run would make: rule to the outputs of its jobs."""
    text = run.snakemake("-n", *arguments).stdout
    jobs: dict[str, list[str]] = {}
    for _, rule, body in JOB.findall(text):
        found = re.search(r"^ +output: (.*)$", body, re.M)
        jobs.setdefault(rule, []).append(found[1] if found else "")
    jobs.pop("all", None)
    return jobs


@contextmanager
def edited(path: Path, old: str, new: str) -> Iterator[None]:
    """Replace a text in a file for a while."""
    text = path.read_text()
    assert text.count(old) == 1, f"{path}: {text.count(old)} times {old!r}"
    path.write_text(text.replace(old, new))
    try:
        yield
    finally:
        path.write_text(text)


def git(folder: Path, *arguments: str) -> str:
    """Call git in a folder, as a person of no name."""
    command = ["git", "-C", folder, "-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
    return subprocess.run(
        [*map(str, command), *arguments], check=True, capture_output=True, text=True
    ).stdout


def python_files(root: Path) -> list[Path]:
    return sorted([*root.glob("src/**/*.py"), *root.glob("workflow/scripts/*.py")])


def test_touching_every_source_schedules_nothing(finished):
    for path in finished.root.rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            os.utime(path)
    assert planned(finished) == {}


def test_another_layout_other_comments_and_docstrings_schedule_nothing(finished):
    texts = {path: path.read_text() for path in python_files(finished.root)}
    try:
        for path, text in texts.items():
            tree = ast.parse(text)
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
                    node.body[0].value.value = "Says something else."
            path.write_text("# a comment\n\n\n" + ast.unparse(tree) + "\n# another\n")
        assert planned(finished) == {}
    finally:
        for path, text in texts.items():
            path.write_text(text)


def test_checking_out_another_commit_and_coming_back_schedules_nothing(finished):
    root = finished.root
    first = git(root, "rev-parse", "HEAD").strip()
    try:
        for path in python_files(root):
            path.write_text(path.read_text() + "\nOTHER = 1\n")
        git(root, "commit", "--quiet", "--all", "--message", "another")
        assert planned(finished)
    finally:
        git(root, "checkout", "--quiet", "--force", first)
    assert planned(finished) == {}


def test_a_change_of_what_logs_and_records_schedules_nothing(finished):
    path = finished.root / "src/mri2pet/provenance/record.py"
    with edited(path, '"schema": SCHEMA,', '"schema": SCHEMA + 1,'):
        assert planned(finished) == {}


def test_a_models_forward_schedules_its_training_and_what_hangs_on_it(finished):
    config = yaml.safe_load((finished.root / "tests/workflow/mini.yaml").read_text())
    # the GANs of the anomaly paper are built of the same network
    models = {("gla_gan", "cycle_gan")}
    models |= {("gan_anomaly", name) for name in config["gan_anomaly"]["models"]}
    path = finished.root / "src/mri2pet/models/cycle_gan.py"
    with edited(path, "2 * volume - 1).float()", "volume - 1).float()"):
        jobs = planned(finished)
    assert not set(jobs) & (PREPROCESSING | RAW | {"pack_linear", "linear_folds", "real_features"})
    for rule in ("train", "synthesise"):
        made = [re.search(r"results/(\w+)/\w+/(\w+)/fold-\d", job).groups() for job in jobs[rule]]
        assert sorted(made) == sorted([*models, *models]), rule  # in each of two folds
    assert set(jobs) >= {
        "gla_gan_image_metrics",
        "gla_gan_synthetic_features",
        "diagnose",
        "table1",
        *SHOWN,
    }
    for rule in ("gla_gan_image_metrics", "gla_gan_synthetic_features", "diagnose"):
        assert all(re.search("cycle_gan|/gan_anomaly/", job) for job in jobs[rule]), rule
    # a detector that learns from real PET alone knows nothing of the networks
    detectors = {re.search(r"detector/(\w+)/", job)[1] for job in jobs["train_encoders"]}
    assert detectors == {"semi_3d", "patch_3d"}
    others = [job for rule in jobs.keys() - SHOWN for job in jobs[rule]]
    assert not [job for job in others if re.search("results/(dual_glow|ixi)/", job)]


def test_a_helper_of_preprocessing_schedules_it_and_what_follows(finished):
    path = finished.root / "src/mri2pet/imaging/bias.py"
    with edited(path, "like(image, data / full), full", "like(image, data / (1 * full)), full"):
        jobs = planned(finished)
    tables = [finished.folder / f"results/cohort/{name}.tsv" for name in ("dementia", "epilepsy")]
    visits = sum(len(table.read_text().splitlines()) - 1 for table in tables)
    assert len(jobs["n4"]) == len(jobs["skullstrip"]) == len(jobs["normalise"]) == visits
    assert set(jobs) >= {"register_mri", "pack_linear", "train", "diagnose", "table1", *SHOWN}
    assert "ixi_tissue" in jobs  # it takes the shading off T2 and PD with the same function
    assert not set(jobs) & (RAW | {"convert_mri", "convert_pet", "acpc", "prepare_ixi"})
    assert all("/gla_gan/" in job for job in jobs["train_networks"])  # of IXI none


def test_a_value_of_the_configuration_reaches_only_the_rules_that_use_it(finished, tmp_path):
    changed = tmp_path / "changed.yaml"
    changed.write_text("gla_gan: {diagnosis: {C: [2.0]}}\n")
    jobs = planned(finished, *over(finished, changed))
    assert set(jobs) >= {"diagnose", "classify_three_way", "table2", "table3", *SHOWN}
    assert not set(jobs) & (PREPROCESSING | RAW | {"pack_linear", "train", "synthesise", "table1"})


def test_a_part_of_the_results_alone_is_made_again_from_its_raw_scans_on(finished, tmp_path):
    coarser = tmp_path / "coarser.yaml"
    coarser.write_text("studies: {epilepsy: {simulation: {pet_voxel_mm: [5.0, 5.0, 5.0]}}}\n")
    part = "results/datasets/anomaly/mri.npy"
    jobs = planned(finished, *over(finished, coarser), "--", part)
    assert len(jobs["simulate_patient"]) == 1
    assert len(jobs["convert_mri"]) == len(jobs["resample_anomaly"]) == 6
    assert "pack_anomaly" in jobs
    assert planned(finished, part) == {}


def test_a_key_that_is_of_no_concern_to_the_run_schedules_nothing(finished, tmp_path):
    assert planned(finished, "--config", "file=results/report/report.html") == {}
    alone = tmp_path / "alone.yaml"
    alone.write_text("systems: [gla_gan]\n")
    both = tmp_path / "both.yaml"
    both.write_text("systems: [gla_gan]\ndual_glow: {synthesis: {draws: 9}}\n")
    assert planned(finished, *over(finished, alone)) == planned(finished, *over(finished, both))


def over(run, changes: Path) -> list[str]:
    """Arguments that lay a configuration over that of the run."""
    return ["--configfile", str(run.root / "tests/workflow/mini.yaml"), str(changes)]


def test_a_scan_replaced_in_a_download_schedules_its_conversion_alone(finished, tmp_path):
    download, folder = tmp_path / "ADNI", finished.folder.with_name(f"{finished.folder.name}-raw")
    shutil.copytree(finished.folder / "results/simulated/ADNI", download)
    folder.mkdir()
    (folder / "config").symlink_to(finished.root / "config")
    run = replace(finished, folder=folder)
    raw = ["--config", f"raw={download}"]
    run.snakemake("results/cohort/dementia.tsv", *raw)
    row = next(
        row
        for row in run.cohort()
        if row["kind"] == "paired" and row["subject"] not in finished.spoiled()
    )
    visit = f"results/bids/sub-{row['subject']}/ses-{row['visit']}"
    name = f"sub-{row['subject']}_ses-{row['visit']}"
    made = [f"{visit}/anat/{name}_T1w.nii.gz", f"{visit}/pet/{name}_trc-18FFDG_pet.nii.gz"]
    run.snakemake(*made, *raw)
    assert planned(run, *made, *raw) == {}
    scan = next(Path(row["mri_file"]).glob(f"*/*/I{row['mri_member']}/*.dcm"))
    scan.write_bytes(scan.read_bytes()[:-1] + b"?")
    assert planned(run, *made, *raw).keys() == {"convert_mri"}
    shutil.rmtree(folder)


def test_one_more_subject_schedules_its_own_stages_and_what_pools_subjects(finished):
    folder = finished.folder.with_name(f"{finished.folder.name}-without")
    shutil.copytree(finished.folder, folder, symlinks=True)
    run = replace(finished, folder=folder)
    row = next(
        row
        for row in run.cohort()
        if row["kind"] == "paired" and row["subject"] not in finished.spoiled()
    )
    without, ptid = folder / "without.yaml", Path(row["mri_file"]).name
    without.write_text(f"studies: {{dementia: {{exclude: [{ptid}]}}}}\n")
    # a run as if the subject had not been there
    run.snakemake("results/cohort/dementia.tsv", *over(run, without))
    run.snakemake("--touch", *over(run, without))
    for pattern in (f"bids/sub-{row['subject']}", f"preproc/sub-{row['subject']}"):
        shutil.rmtree(folder / "results" / pattern)
    for part in ("ADNI", "truth"):
        shutil.rmtree(folder / "results/simulated" / part / ptid)
    assert planned(run, *over(run, without)) == {}

    run.snakemake("results/cohort/dementia.tsv")
    jobs = planned(run)
    (person,) = jobs["simulate_subject"]
    assert ptid in person
    for rule in PREPROCESSING & set(jobs):
        assert all(f"sub-{row['subject']}/" in outputs for outputs in jobs[rule]), rule
    assert set(jobs) >= PREPROCESSING
    assert set(jobs) >= {"pack_linear", "linear_folds", "real_features", "train", "table1", *SHOWN}
    assert set(jobs) >= {"participants", "excluded_scans"}
    assert not set(jobs) & {"fetch_atlases", "simulate_tables", "dementia_cohort"}
    shutil.rmtree(folder)
