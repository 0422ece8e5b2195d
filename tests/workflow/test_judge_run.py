"""PET handed in by others is judged in a finished run: Mean PET scores as Mean PET."""

import shutil
from dataclasses import replace

import pytest

from mri2pet.files import read_json, read_tsv, sha256

pytestmark = pytest.mark.slow
KEYS = ["dataset", "metric"]
VALUES = ["unit", "mean", "sd", "n", "low", "high"]


@pytest.fixture(scope="module")
def judged(finished):
    """Judge the run's own Mean PET in a copy of it."""
    folder = finished.folder.with_name(f"{finished.folder.name}-judged")
    shutil.copytree(finished.folder, folder, symlinks=True)
    run = replace(finished, folder=folder)
    submission = folder / "results/gla_gan/synthesis/mean_pet"
    run.snakemake("judge", "contest_kit", "--config", f"submission={submission}", "beside=unet")
    yield folder / "results/contest"
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "table", ["table1", "table2", "table3", "regional_bias", "strata", "three_way"]
)
def test_mean_pet_handed_in_has_the_row_of_mean_pet(judged, table):
    made = read_tsv(judged / f"mean_pet/{table}.tsv")
    own, reference = (
        made[made["method"] == method].set_index(KEYS)[VALUES]
        for method in ("handed_in_mean_pet", "mean_pet")
    )
    assert len(own) > 2 and own.equals(reference)


@pytest.mark.parametrize("method", ["mean_pet", "unet", "local_regression"])
@pytest.mark.parametrize("table", ["table1", "table2", "three_way"])
def test_rows_beside_it_are_those_of_the_run(judged, finished, table, method):
    own, of_run = (
        read_tsv(path).set_index(["method", *KEYS]).loc[method][VALUES]
        for path in (
            judged / f"mean_pet/{table}.tsv",
            finished.folder / f"results/gla_gan/tables/{table}.tsv",
        )
    )
    assert len(own) > 2 and own.equals(of_run.loc[own.index])
    methods = set(read_tsv(judged / f"mean_pet/{table}.tsv")["method"])
    assert "gla_gan" not in methods  # nobody asked for it


def test_a_model_that_the_run_does_not_have_is_refused(finished):
    submission = finished.folder / "results/gla_gan/synthesis/mean_pet"
    told = ["--config", f"submission={submission}", "beside=[unet, diffusion]"]
    done = finished.snakemake("judge", "-n", *told, check=False)
    said = done.stdout + done.stderr
    assert "beside: gla_gan.models has no diffusion; there are gla_gan, " in said


def test_the_kit_tells_folds_and_grid(judged, finished):
    people = read_tsv(judged / "people.tsv", dtype={"subject": str})
    folds = read_tsv(finished.folder / "results/datasets/linear/folds.tsv", dtype={"subject": str})
    told = dict(zip(people["subject"], people["fold"], strict=True))
    assert told == dict(zip(folds["subject"], folds["fold"], strict=True))
    about = read_json(judged / "grid.json")
    assert about["shape"] == [64, 64, 64]
    assert about["people_sha256"] == sha256(judged / "people.tsv")


def test_without_a_submission_there_is_nothing_to_judge(finished):
    done = finished.snakemake("judge", "-n", check=False)
    assert done.returncode
    assert "submission: name a folder of synthetic PET" in done.stdout + done.stderr
