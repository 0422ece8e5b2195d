"""A short sample of `run_faults.py`: one person's scans, killed on the way, come out the same."""

import shutil
from pathlib import Path

import pytest
from fault_run import FaultRun, copy_sources, digest, hash_all, temporaries

pytestmark = pytest.mark.slow
NAME = "results/preproc/sub-{0}/ses-1/anat/sub-{0}_ses-1_res-model_desc-standardised.json"
FAULTS = {"simulate_ixi": ["moment"], "convert_ixi": ["rename"]}


@pytest.fixture(scope="module")
def run(root, atlases, tmp_path_factory) -> FaultRun:
    """Take one person through IXI's preprocessing twice: undisturbed, and with two kills."""
    place = tmp_path_factory.mktemp("faults")
    sources = copy_sources(root, place / "sources")
    arguments = [
        "--config",
        "systems=[ixi]",
        "--configfile",
        str(root / "tests/workflow/mini.yaml"),
    ]
    arguments += ["--cores", "1"]
    runs = []
    for name, faults in (("undisturbed", {}), ("killed", FAULTS)):
        folder = place / name
        (folder / "resources").mkdir(parents=True)
        shutil.copytree(atlases, folder / "resources/atlases")
        (folder / "config").symlink_to(root / "config")
        expected = hash_all(runs[0].folder) if runs else None
        run = FaultRun(folder, sources, faults, arguments, expected, {"simulate_ixi": 3.0})
        run.snakemake = 1.0 if faults else 0.0
        run.until_done("results/cohort/ixi.tsv")
        first = (folder / "results/cohort/ixi.tsv").read_text().splitlines()[1].split("\t")[0]
        run.until_done(NAME.format(first))
        runs.append(run)
    return runs[1]


def test_every_kill_happened_and_snakemake_took_its_jobs_along(run):
    told = {each["rule"]: each for each in run.struck()}
    assert set(told) == set(FAULTS)
    assert all(each["victim"] == "Snakemake" and not each["outlived"] for each in told.values())
    assert run.unlocked == 2
    half = told["convert_ixi"]
    assert half["when"] == "between two files"
    assert 0 < half["there"] < half["outputs"]


def test_the_results_are_those_of_the_undisturbed_run(run):
    run.check_end()
    assert run.wrong == []
    assert run.checked >= 15
    assert temporaries(run.folder) == []


def test_what_is_compared_would_show(run, tmp_path):
    """Of a history the seconds are no result, all else is; a file cut short is seen."""
    for name, text in (("a", "epoch\tl1\tseconds\n1\t0.5\t{}\n"),):
        one, other, third = (tmp_path / name / str(n) / "history.tsv" for n in range(3))
        for path, filled in ((one, text.format(3)), (other, text.format(4)), (third, text[:-7])):
            path.parent.mkdir(parents=True)
            path.write_text(filled)
    assert digest(one) == digest(other) != digest(third)
    image = next(Path(run.folder / "results/bids").rglob("*.nii.gz"))
    whole = image.read_bytes()
    image.write_bytes(whole[:-1])
    run.check_results()
    assert len(run.wrong) == 1 and image.name in run.wrong.pop()
    image.write_bytes(whole)
