"""What becomes of the papers' jobs on a cluster: groups, memory at a retry, what runs at home."""

import contextlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from snakemake.api import SnakemakeApi
from snakemake.common.tbdstring import TBDString
from snakemake.iocontainers import InputFiles, Wildcards
from snakemake.settings.types import ConfigSettings, OutputSettings, ResourceSettings
from test_paper_jobs import MRI_ONLY, PAIRED, with_cohort

GRID = (64, 64, 64)
BEYOND_PEOPLE = 319  # of GLA-GAN's paper: trainings, syntheses, what is measured on them, bundles


@pytest.fixture(scope="module")
def listing(root, tmp_path_factory):
    return with_cohort(tmp_path_factory, root, "gla_gan")


@pytest.fixture(scope="module")
def workflow(root, listing):
    """Read the rules of all systems, as Snakemake sees them."""
    config = ConfigSettings(configfiles=[root / "tests/workflow/mini.yaml"])
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.chdir(listing.folder),
        SnakemakeApi(OutputSettings()) as api,
    ):
        for switch in (
            "MRI2PET_COLD_START",
            "MRI2PET_PLAIN_LISTING",
        ):  # stays as it is
            patch.setenv(switch, "1")
        read = api.workflow(
            resource_settings=ResourceSettings(cores=1, nodes=2),  # as on a cluster
            config_settings=config,
            snakefile=root / "Snakefile",
        )
        yield read._workflow


@pytest.fixture(scope="module")
def rules(workflow):
    return {rule.name: rule for rule in workflow.rules if rule.script}


def test_a_person_is_one_job_and_the_rest_does_not_grow_with_the_cohort(listing, workflow, rules):
    jobs = {name: count for name, count in listing.jobs().items() if name in rules}
    own = {name: n for name, n in jobs.items() if name not in workflow._localrules}
    alone = {name: n for name, n in own.items() if rules[name]._group is None}
    assert own.keys() - alone.keys() >= {"simulate_subject", "convert_pet", "segment", "qc"}
    assert sum(own.values()) - sum(alone.values()) > 9 * (PAIRED + MRI_ONLY)
    assert {rules[name]._group for name in own.keys() - alone.keys()} == {"visit"}
    assert sum(alone.values()) <= BEYOND_PEOPLE


def test_whatever_is_done_for_each_visit_is_grouped(rules):
    for rule in rules.values():
        if {"subject", "visit"} <= rule.wildcard_names:
            assert rule._group == "visit", rule.name


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Return what a job with a network is given, of three people with two visits each."""
    folder = tmp_path_factory.mktemp("dataset")
    arrays = {"mri": np.zeros((6, *GRID), np.float32), "mask": np.ones(GRID, bool)}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    people = pd.DataFrame({"subject": [*"AABBCC"], "kind": "paired", "group": "CN"})
    people.assign(index=range(6)).to_csv(folder / "visits.tsv", sep="\t", index=False)
    folds = pd.DataFrame({"subject": [*"ABC"], "fold": [0, 1, 1]})
    folds.to_csv(folder / "folds.tsv", sep="\t", index=False)
    paths = {name: str(folder / f"{name}.npy") for name in ("mri", "mask")}
    paths |= {name: str(folder / f"{name}.tsv") for name in ("visits", "folds")}
    return InputFiles(fromdict=paths | {"source": paths["mri"]})


def memory_of(rule, given, attempt=1, **wildcards):
    wildcards = {"system": "gla_gan", "model": "unet", "fold": "0"} | wildcards
    ask = rule.resources["mem_mb"]
    return ask.evaluate(Wildcards(fromdict=wildcards), input=given, attempt=attempt).value


@pytest.mark.parametrize("name", ["mem_mb", "runtime"])
def test_every_rule_asks_for_more_at_a_retry(rules, dataset, name):
    flows = {"system": "dual_glow", "model": "ucgan"}
    for rule in rules.values():
        told = flows if "dual_glow" in str(rule.output) else {"system": "gla_gan", "model": "unet"}
        wildcards = Wildcards(fromdict=told | {"fold": "0"})
        ask = rule.resources[name]
        first, second = (
            ask.evaluate(wildcards, input=dataset, attempt=attempt).value for attempt in (1, 2)
        )
        assert second == 2 * first > 0, f"{rule.name}: {name}=more(...) is missing"


@pytest.fixture
def entries(rules):
    """Return the entries of GLA-GAN's system, to which a test may add one."""
    entries = rules["train"].module_globals["TRAINED"]["gla_gan"]
    before = dict(entries)
    yield entries
    entries.clear()
    entries.update(before)


@pytest.mark.parametrize("name", ["train", "synthesise"])
def test_memory_follows_the_size_of_network_and_volumes(rules, dataset, entries, name):
    large = {"name": "unet3d", "filters": [64, 512, 1024]}  # 37 million weights
    entries["large"] = {**entries["unet"], "generator": large}
    weights = 4 * 37 * (3 if name == "train" else 1)  # MB
    rule = rules[name]
    assert memory_of(rule, dataset, model="large") > memory_of(rule, dataset) + weights


def test_without_a_limit_nothing_is_counted(rules, dataset, workflow, monkeypatch):
    """It takes seconds, and on one machine nothing follows from it unless memory is limited."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    found = []
    for limits in ({}, {"mem_mb": 16000}):
        settings = ResourceSettings(cores=1, resources=limits)
        monkeypatch.setattr(workflow, "resource_settings", settings)
        monkeypatch.setattr(workflow, "global_resources", settings._parsed_resources)
        found.append(memory_of(rules["train"], dataset))
    assert found[0] == 8000
    assert found[1] < 2000


def test_on_a_gpu_the_host_holds_no_step(rules, dataset, entries, monkeypatch):
    own, train = entries["unet"], rules["train"]
    many = {**own, "training": {**own["training"], "batch_size": 32}}
    entries["many"] = many
    asked = memory_of(train, dataset)
    assert memory_of(train, dataset, model="many") == asked > 3000
    monkeypatch.delitem(train.resources._data, "gpu")  # as --set-resources train:gpu=0 has it
    assert memory_of(train, dataset, model="many") > memory_of(train, dataset) + 500


def test_memory_is_not_known_before_there_are_volumes(rules, dataset):
    """Snakemake then shows it as <TBD>, and asks again when the job is ready."""
    missing = InputFiles(fromdict=dict(dataset.items()) | {"source": "nothing/mri.npy"})
    assert isinstance(memory_of(rules["train"], missing), TBDString)


def test_what_cannot_be_counted_asks_as_before(rules, dataset, entries):
    entries["own"] = {"recipe": "local_regression", "label": "no network"}
    assert memory_of(rules["train"], dataset, model="own") == 8000
    assert memory_of(rules["synthesise"], dataset, model="own", attempt=2) == 2 * 4000


def test_networks_are_trained_and_used_on_one_gpu(rules):
    on_gpu = {name for name, rule in rules.items() if "gpu" in rule.resources}
    assert {"train", "synthesise", "dissect", "dual_glow_draws"} <= on_gpu
    assert {rules[name].resources["gpu"].value for name in on_gpu} == {1}


def test_what_is_trivial_or_needs_the_internet_runs_where_snakemake_does(workflow):
    assert {
        "fetch_atlases",
        "dementia_cohort",
        "table1",
        "table3",
        "linear_folds",
    } <= workflow._localrules
    assert not {"train", "acpc", "diagnose", "report_page"} & workflow._localrules


def test_the_profile_has_the_retries_and_only_options_that_there_are(root):
    profile = yaml.safe_load((root / "slurm/config.yaml").read_text())
    assert profile["executor"] == "slurm"
    assert profile["retries"] >= 1
    assert profile["group-components"] == "visit=1"
    assert profile["keep-going"] and profile["rerun-incomplete"]
    rules = Path(root / "workflow/rules").rglob("*.smk")
    # In a rule, retries happen inside the same allocation and never ask for more.
    assert not any("retries:" in path.read_text() for path in rules)
