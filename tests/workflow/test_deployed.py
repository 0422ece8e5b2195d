"""The workflow from another folder, as a module of another workflow, and out of a repository."""

import json
import os
import re
import subprocess
import sys

import pytest
import yaml

IXI = "systems=[ixi]"
MODULE = """
configfile: "config/config.yaml"
module mri2pet:
    snakefile: {snakefile}
    config: config
    {prefix}
{before}
use rule * from mri2pet {renamed}
"""


@pytest.fixture
def call(tmp_path):
    """Call snakemake in an empty folder that no configuration, profile or library reaches."""

    def start(*arguments, **environment):
        command = [sys.executable, "-m", "snakemake", "--cores", "1", *map(str, arguments)]
        alone = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        return subprocess.run(
            command,
            cwd=tmp_path,
            env=alone | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start


def planned(done: subprocess.CompletedProcess) -> dict[str, int]:
    """Return the number of jobs of each rule."""
    assert done.returncode == 0, done.stdout[-3000:]
    return {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", done.stdout, re.M)}


def deploy(folder, root, snakefile, before="", renamed="", prefix="", **changes):
    """Write what snakedeploy writes: a module statement and a copy of the configuration."""
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    (folder / "config").mkdir()
    (folder / "config/config.yaml").write_text(yaml.safe_dump(config | changes, sort_keys=False))
    text = MODULE.format(snakefile=snakefile, before=before, renamed=renamed, prefix=prefix)
    (folder / "workflow").mkdir()
    (folder / "workflow/Snakefile").write_text(text)


@pytest.mark.parametrize("entry", ["Snakefile", "workflow/Snakefile"])
def test_from_a_folder_without_a_configuration_the_workflows_own_serves(root, call, entry):
    done = call("-n", "-s", root / entry, "--config", IXI)
    jobs = planned(done)
    assert jobs["all"] == jobs["ixi_cohort"] == 1
    assert "There is no config/config.yaml in" in done.stdout


def test_paths_may_be_relative_and_the_folder_another_one(root, call, tmp_path):
    (tmp_path / "other").mkdir()
    path = os.path.relpath(root / "Snakefile", tmp_path)
    done = call("-n", "-s", path, "--directory", "other", "--config", IXI)
    assert planned(done)["all"] == 1


def test_a_folders_own_configuration_serves(root, call, tmp_path):
    deploy(tmp_path, root, "''", systems=["ixi"], ixi={})
    done = call("-n", "-s", root / "Snakefile")
    assert done.returncode != 0
    assert "ixi: 'split' is a required property" in done.stdout


def test_a_configuration_laid_over_it_needs_none_in_the_folder(root, call):
    done = call("-n", "-s", root / "Snakefile", "--configfile", root / "config/paper/ixi.yaml")
    assert planned(done).keys() >= {"all", "ixi_cohort"}


def test_as_a_module_it_plans_the_same_jobs(root, call, tmp_path):
    deploy(tmp_path, root, repr(str(root / "workflow/Snakefile")), systems=["ixi"])
    jobs = planned(call("-n"))
    assert jobs == planned(call("-n", "-s", root / "Snakefile"))


def test_as_a_module_it_leaves_the_importing_workflow_as_it_is(root, call, tmp_path):
    before = f"""
rule all:
    input: "theirs.txt"
rule theirs:
    output: "theirs.txt"
    conda: "{root}/envs/torch.yaml"
    script: "theirs.py"
"""
    renamed = "as pet_*\nonsuccess:\n    mri2pet.onsuccess()"
    deploy(tmp_path, root, repr(str(root / "Snakefile")), before, renamed, systems=["ixi"])
    (tmp_path / "workflow/theirs.py").write_text(
        "import os, sys\nopen(snakemake.output[0], 'w').write(os.environ['PYTHONPATH'])\n"
        "assert 'torch' not in sys.modules\n"
        "assert snakemake.config['systems'] == ['ixi'] and 'gla_gan' in snakemake.config\n"
    )
    done = call(PYTHONPATH="/their/library")
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "theirs.txt").read_text() == f"{root}/src:/their/library"
    assert "theirs" in (tmp_path / "logs/jobs.tsv").read_text()
    jobs = planned(call("-n", "pet_all"))
    assert {"pet_all", "pet_ixi_cohort"} <= jobs.keys()


@pytest.mark.parametrize("given", ["prefix: 'a'", "replace_prefix: {'results/': 'b/'}"])
def test_a_prefix_is_refused_and_the_message_says_what_to_do(root, call, tmp_path, given):
    deploy(tmp_path, root, repr(str(root / "Snakefile")), prefix=given)
    done = call("-n")
    assert done.returncode != 0
    assert "snakemake --directory" in done.stdout


@pytest.mark.parametrize("kind", ["github", "gitfile"])
def test_out_of_a_repository_jobs_run_and_record_its_commit(sources, call, tmp_path, kind):
    cache = tmp_path / "cache"
    if kind == "github":  # as Snakemake has cloned it at an earlier call
        clone = "snakemake/snakemake/source-cache/snakemake-git-cache/github.com/some/mri2pet"
        command = ["git", "clone", "--quiet", "--bare", sources, cache / clone]
        subprocess.run(list(map(str, command)), check=True)
        snakefile = 'github("some/mri2pet", path="workflow/Snakefile", commit="{}")'
    else:
        snakefile = f'gitfile("{sources}", path="workflow/Snakefile", commit="{{}}")'
    head = ["git", "-C", str(sources), "rev-parse", "HEAD"]
    commit = subprocess.run(head, check=True, capture_output=True, text=True).stdout.strip()
    deploy(tmp_path, sources, snakefile.format(commit), systems=["ixi"])
    made = "results/cohort/ixi.tsv"
    simulated = call(made, XDG_CACHE_HOME=str(cache))
    assert simulated.returncode == 0, simulated.stdout[-3000:]
    record = json.loads((tmp_path / "results/provenance/cohort/ixi.tsv.json").read_text())
    assert record["commit"] == {"id": commit, "dirty": False}
    assert record["environment"]["lock_sha256"]
    again = call("-n", made, XDG_CACHE_HOME=str(cache))
    assert "Nothing to be done" in again.stdout


@pytest.mark.parametrize("absent", [["numpy"], ["pandas"], ["numpy", "pandas"]])
def test_what_snakemakes_own_environment_must_have_is_told(root, tmp_path, absent):
    pretended = f"""
import importlib.util as there, sys
found = there.find_spec
there.find_spec = lambda name, *rest: None if name in {absent} else found(name, *rest)
from snakemake.cli import main
main(["-n", "-s", {str(root / "Snakefile")!r}])
"""
    done = subprocess.run(
        [sys.executable, "-c", pretended], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert f"has no {' and no '.join(absent)}" in done.stdout + done.stderr
