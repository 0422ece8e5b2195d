"""The paper's configuration lists the right jobs, on a cohort smaller than the paper's."""

import re
import subprocess
import sys

import pytest
import yaml
from snakemake.utils import update_config

PAIRED, MRI_ONLY = 42, 18
PER_VISIT = ("convert_mri", "acpc", "n4", "skullstrip", "normalise", "register_mri", "segment")
PER_PET = ("convert_pet", "coregister_pet", "resample_pet")
SIZE = {"simulation": {"paired": PAIRED, "mri_only": MRI_ONLY}}


class Listing:
    """Dry runs of the paper's configuration in a folder of their own."""

    def __init__(self, folder, root):
        self.folder, self.root = folder, root
        for part in ("config", "resources"):
            (folder / part).symlink_to(root / part)

    def snakemake(self, *arguments, changes):
        extra = self.folder / "changes.yaml"
        full = dict(SIZE)
        update_config(full, changes)
        extra.write_text(yaml.safe_dump(full))
        command = [sys.executable, "-m", "snakemake", "--snakefile", self.root / "Snakefile"]
        command += ["--directory", self.folder, "--cores", "1", *arguments, "--configfile"]
        command += [self.root / "config/paper/gla_gan.yaml", extra]
        result = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
        return result.stdout

    def jobs(self, changes=None):
        listed = self.snakemake("--dry-run", changes=changes or {}).split("Job stats:")[1]
        return {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", listed, re.M)}


@pytest.fixture(scope="module")
def listing(root, tmp_path_factory):
    listing = Listing(tmp_path_factory.mktemp("paper"), root)
    listing.snakemake("results/cohort/cohort.tsv", changes={})
    return listing


@pytest.fixture(scope="module")
def config(root):
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    update_config(config, yaml.safe_load((root / "config/paper/gla_gan.yaml").read_text()))
    return config


def test_every_visit_model_variant_and_fold_has_its_jobs(listing, config):
    jobs = listing.jobs()
    assert {jobs[rule] for rule in PER_VISIT} == {PAIRED + MRI_ONLY}
    assert {jobs[rule] for rule in PER_PET} == {PAIRED}
    folds = config["folds"]["n"]
    models, variants = len(config["gla_gan"]["models"]), 6
    assert jobs["train"] == jobs["synthesise"] == (models + variants) * folds == 65
    assert jobs["mean_pet"] == folds
    assert jobs["image_metrics"] == jobs["synthetic_features"] == models + variants + 1
    # real PET and mean PET on both datasets, only MRI on one
    assert jobs["diagnose"] == 2 * (models + variants + 2) + 1
    assert jobs["classify_three_way"] == 2 * (models + 2) + 1
    assert jobs["ablation_table"] == jobs["ablation_figure"] == 2
    for once in ("table1", "table2", "table3", "three_way", "pack_dataset", "report_page"):
        assert jobs[once] == 1


def test_without_variants_and_third_group_their_jobs_are_gone(listing, config):
    few = {"ablations": {"run": ["k8"]}, "diagnosis": {"three_way": []}}
    jobs = listing.jobs({"gla_gan": few})
    models, folds = len(config["gla_gan"]["models"]), config["folds"]["n"]
    assert jobs["train"] == (models + 1) * folds
    assert jobs["ablation_table"] == jobs["ablation_figure"] == 1
    assert "three_way" not in jobs
    assert "classify_three_way" not in jobs
