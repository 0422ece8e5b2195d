"""A short sample of `run_faults.py`: one person's scans, killed on the way, come out the same."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fault_run import FaultRun, copy_sources, digest, hash_all, temporaries

pytestmark = pytest.mark.slow
READY = "results/preproc/sub-IXI002/ses-bl/anat/sub-IXI002_ses-bl_res-model_desc-standardised.json"
FAULTS = {"simulate_ixi": ["moment"], "convert_ixi": ["rename"]}
SEED = 4  # by which the first is the job's, and the second Snakemake's


@pytest.fixture(scope="module")
def run(root, atlases, tmp_path_factory) -> FaultRun:
    """Take one person through IXI's preprocessing twice: undisturbed, and with two kills."""
    place = tmp_path_factory.mktemp("faults")
    sources = copy_sources(root, place / "sources")
    small = str(root / "tests/workflow/mini.yaml")
    arguments = ["--config", "systems=[ixi]", "--configfile", small, "--cores", "1"]
    runs = []
    for name, faults in (("undisturbed", {}), ("killed", FAULTS)):
        folder = place / name
        (folder / "resources").mkdir(parents=True)
        (folder / "resources/atlases").symlink_to(atlases.resolve())
        (folder / "config").symlink_to(root / "config")
        expected = hash_all(runs[0].folder) if runs else None
        seconds = {"simulate_ixi": 3.0}
        run = FaultRun(folder, sources, faults, arguments, expected, seconds, SEED, snakemake=0.5)
        run.until_done(READY)
        runs.append(run)
    return runs[1]


def test_every_kill_happened_and_snakemake_took_its_job_along(run):
    told = {each["rule"]: each for each in run.struck()}
    victims = {rule: each["victim"] for rule, each in told.items()}
    assert victims == {"simulate_ixi": "job", "convert_ixi": "Snakemake"}
    assert not any(each["outlived"] for each in told.values())
    assert run.unlocked == 1
    half = told["convert_ixi"]
    assert half["when"] == "between two files"
    assert 0 < half["there"] < half["outputs"]


def test_the_results_are_those_of_the_undisturbed_run(run):
    run.check_end()
    assert run.wrong == []
    assert run.checked >= len(run.expected) >= 12
    assert temporaries(run.folder) == []


def test_what_is_compared_would_show(run, tmp_path):
    """Of a history the seconds are no result, all else is; a file cut short is seen."""
    text = "epoch\tl1\tseconds\n1\t{}\t{}\n"
    one, other, third = (tmp_path / str(number) / "history.tsv" for number in range(3))
    for path, values in ((one, (0.5, 3)), (other, (0.5, 4)), (third, (0.6, 3))):
        path.parent.mkdir()
        path.write_text(text.format(*values))
    assert digest(one) == digest(other) != digest(third)
    image = next(Path(run.folder / "results/bids").rglob("*.nii.gz"))
    whole = image.read_bytes()
    image.write_bytes(whole[:-1])
    run.check_results()
    assert len(run.wrong) == 1 and image.name in run.wrong.pop()
    image.write_bytes(whole)


def test_a_fault_run_without_ready_made_atlases_can_fetch_them(root, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(root / "tests/faults")
    importlib.import_module("run_faults").prepare(tmp_path / "run", root, None)
    command = [sys.executable, "-m", "snakemake", "--snakefile", root / "Snakefile", "--dry-run"]
    command += ["--directory", tmp_path / "run", "--cores", "1", "--until", "fetch_atlases"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert re.search(r"^fetch_atlases +1$", done.stdout, re.M)
