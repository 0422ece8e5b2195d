"""The papers' configurations list the right jobs, on a cohort smaller than the papers'."""

import copy
import re

import pytest
import yaml
from dry_runs import DryRuns
from snakemake.utils import update_config

from mri2pet.config.systems import told

PAIRED, MRI_ONLY = 60, 18  # ten of each of six groups, for ten folds
PER_VISIT = ("convert_mri", "acpc", "n4", "skullstrip", "normalise", "register_mri", "segment")
PER_PET = ("convert_pet", "coregister_pet", "resample_pet")
SIZE = {"studies": {"dementia": {"simulation": {"paired": PAIRED, "mri_only": MRI_ONLY}}}}


class Listing(DryRuns):
    """Dry runs of a paper's configuration, of fewer people."""

    def __init__(self, folder, root, paper):
        # lpips is fetched by other tests or not: listed all the same
        super().__init__(root, folder, f"config/paper/{paper}.yaml", without=["lpips"])

    def call(self, *arguments, changes):
        full = copy.deepcopy(SIZE)
        update_config(full, changes)
        return super().call(*arguments, changes=full)

    def jobs(self, changes=None):
        return self.listed(changes=changes or {})


@pytest.fixture(scope="module")
def listing(root, tmp_path_factory):
    return with_cohort(tmp_path_factory, root, "gla_gan")


@pytest.fixture(scope="module")
def flow_listing(root, tmp_path_factory):
    return with_cohort(tmp_path_factory, root, "dual_glow")


@pytest.fixture(scope="module")
def anomaly_listing(root, tmp_path_factory):
    return with_cohort(tmp_path_factory, root, "gan_anomaly", "epilepsy")


def with_cohort(tmp_path_factory, root, paper, study="dementia"):
    listing = Listing(tmp_path_factory.mktemp(paper), root, paper)
    listing.snakemake(f"results/cohort/{study}.tsv", changes={})
    return listing


def full_config(root, paper):
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    update_config(config, yaml.safe_load((root / f"config/paper/{paper}.yaml").read_text()))
    return config


@pytest.fixture(scope="module")
def config(root):
    return full_config(root, "gla_gan")


def test_every_visit_model_variant_and_fold_has_its_jobs(listing, config):
    jobs = listing.jobs()
    assert {jobs[rule] for rule in PER_VISIT} == {PAIRED + MRI_ONLY}
    assert {jobs[rule] for rule in PER_PET} == {PAIRED}
    folds = config["folds"]["n"]
    models, variants = len(config["gla_gan"]["models"]), 6
    assert jobs["train"] == jobs["synthesise"] == (models + variants) * folds == 80
    assert jobs["mean_pet"] == folds
    assert jobs["gla_gan_image_metrics"] == models + variants + 2
    assert jobs["gla_gan_synthetic_features"] == models + variants + 2
    # mean PET, oracle and the two rows without PET on both datasets, real PET on one
    assert jobs["diagnose"] == 2 * (models + variants + 4) + 1
    assert jobs["classify_three_way"] == 2 * (models + 4) + 1
    assert jobs["gla_gan_oracle"] == 1
    assert jobs["oracle_linear"] == PAIRED + MRI_ONLY
    assert jobs["ablation_table"] == jobs["ablation_figure"] == 2
    for once in ("table1", "table2", "table3", "three_way", "pack_linear", "report_page"):
        assert jobs[once] == 1


def test_repeats_are_trained_and_measured_and_nothing_else_of_them_is_made(listing, config):
    once, thrice = listing.jobs(), listing.jobs({"repeats": 3})
    own = listing.jobs({"repeats": 3, "gla_gan": {"repeats": 2}})
    # the local regression has no random numbers, and is solved once
    folds, networks = config["folds"]["n"], once["train"] // config["folds"]["n"] - 1
    for rule in ("train", "synthesise"):
        assert once[rule] == (networks + 1) * folds
        assert thrice[rule] == (3 * networks + 1) * folds
        assert own[rule] == (2 * networks + 1) * folds
    assert thrice["gla_gan_image_metrics"] == 3 * networks + 3
    # intervals by what the trainings of one fold differ, of the models of the configuration
    several = len(config["gla_gan"]["models"]) - 2  # the rectified flow's are those of its draws
    assert thrice["repeat_intervals"] == own["repeat_intervals"] == several * folds
    assert thrice["gla_gan_voxelwise_intervals"] == 2
    assert thrice["gla_gan_coverage_table"] == 1
    same = set(once) - {"train", "synthesise", "gla_gan_image_metrics", "total"}
    assert {rule: thrice[rule] for rule in same} == {rule: once[rule] for rule in same}
    assert once["rectified_draws"] == folds
    assert "repeat_intervals" not in once


def test_without_variants_and_third_group_their_jobs_are_gone(listing, config):
    few = {"ablations": {"run": ["k8"]}, "diagnosis": {"three_way": []}}
    jobs = listing.jobs({"gla_gan": few})
    models, folds = len(config["gla_gan"]["models"]), config["folds"]["n"]
    assert jobs["train"] == (models + 1) * folds
    assert jobs["ablation_table"] == jobs["ablation_figure"] == 1
    assert "three_way" not in jobs
    assert "classify_three_way" not in jobs


@pytest.mark.parametrize("names", [["unet"], ["unet", "gla_gan"]])
def test_a_cross_fitted_model_is_trained_once_more_without_every_two_folds(listing, config, names):
    jobs = listing.jobs({"gla_gan": {"diagnosis": {"cross_fitted": names}}})
    folds = config["folds"]["n"]
    pairs = folds * (folds - 1) // 2
    assert jobs["train_without"] == jobs["synthesise_without"] == len(names) * pairs
    assert jobs["mean_pet_without"] == pairs
    assert jobs["gla_gan_features_without"] == len(names) + 1
    assert jobs["diagnose_cross_fitted"] == 2 * (len(names) + 2)  # mean PET and oracle, too
    assert jobs["cross_fitted_table"] == 1
    ordinary = listing.jobs({"gla_gan": {"diagnosis": {"cross_fitted": []}}})
    assert not [rule for rule in ordinary if "without" in rule or "cross_fitted" in rule]
    for rule in ("train", "synthesise", "mean_pet", "diagnose", "gla_gan_synthetic_features"):
        assert jobs[rule] == ordinary[rule]


def test_without_dual_glow_none_of_its_jobs_is_there(listing, config):
    assert config["systems"] == ["gla_gan"]
    text = listing.snakemake("--dry-run", changes={})
    assert "results/gla_gan/" in text
    assert "results/dual_glow/" not in text
    assert "nonlinear" not in text


def test_without_gla_gan_none_of_its_jobs_is_there(flow_listing, root):
    assert full_config(root, "dual_glow")["systems"] == ["dual_glow"]
    text = flow_listing.snakemake("--dry-run", changes={})
    assert "results/dual_glow/" in text
    assert "results/gla_gan/" not in text


def test_dual_glow_is_trained_and_evaluated_beside_gla_gan(flow_listing, root):
    jobs = flow_listing.jobs({"systems": ["gla_gan", "dual_glow"]})
    config = full_config(root, "dual_glow")
    folds = config["folds"]["n"]
    assert folds == 10
    run = len(config["gla_gan"]["models"]) + len(config["gla_gan"]["ablations"]["run"])
    entries = config["dual_glow"]["models"].values()
    flows = sum(entry["generator"]["name"] == "dual_glow" for entry in entries)
    assert jobs["train_networks"] == folds  # the rectified flow starts from the U-Net
    assert jobs["train"] + folds == jobs["synthesise"] == (run + len(entries)) * folds
    assert jobs["mean_pet"] == 2 * folds
    assert jobs["gla_gan_oracle"] == jobs["dual_glow_oracle"] == 1
    assert jobs["oracle_linear"] == jobs["oracle_nonlinear"] == PAIRED + MRI_ONLY
    assert jobs["gla_gan_image_metrics"] == run + 2
    assert jobs["dual_glow_image_metrics"] == len(entries) + 2
    # Only a model that is not told the diagnosis is asked for it; the bias by region is of all.
    asked = sum("diagnosis" not in told(entry) for entry in entries)
    assert asked == len(entries) - 1
    assert jobs["gla_gan_synthetic_features"] == run + 2
    # bias is measured of all models, diagnosis of those that are not told it
    assert jobs["dual_glow_synthetic_features"] == len(entries) + 2
    assert jobs["regional_bias"] == 2
    # mean PET, oracle, real PET and the two rows without PET
    assert jobs["dual_glow_diagnose"] == asked + 5
    assert jobs["dual_glow_draws"] == flows * folds
    assert jobs["dual_glow_voxelwise_intervals"] == 2
    assert jobs["dual_glow_coverage_table"] == 1
    assert jobs["warp_mri"] == PAIRED + MRI_ONLY
    assert jobs["pack_nonlinear"] == jobs["linear_folds"] == 1


def test_the_reference_code_s_depths_have_the_jobs_of_the_paper_s(flow_listing, root):
    code = copy.copy(flow_listing)
    code.paper = "dual_glow_code"
    jobs, config = code.jobs(), full_config(root, "dual_glow_code")
    folds, models = config["folds"]["n"], len(config["dual_glow"]["models"])
    assert jobs["train"] == jobs["synthesise"] == models * folds
    assert jobs["synthesise_ages"] == folds
    assert jobs["probe_codes"] == 2
    for once in ("counterfactual_truth", "counterfactual_table", "probes_table"):
        assert jobs[once] == 1


def inputs_of(listing, *targets):
    """Return the inputs of the trainings that make some files, by the names of the arrays."""
    text = listing.snakemake(*targets, "--dry-run", changes={})
    jobs = re.findall(r"^rule train:\n((?: +\S.*\n)*)", text, re.M)
    made = [next(target for target in targets if f"output: {target}," in job) for job in jobs]
    inputs = [job.split("output:")[0] for job in jobs]
    found = [
        set(re.findall(r"results/datasets/\w+/(?:learnt/)?(\w+)\.npy", given)) for given in inputs
    ]
    return dict(zip(made, found, strict=True))


@pytest.mark.parametrize(
    ("system", "name", "other"),
    [
        ("gla_gan", "listing", "unet"),
        ("dual_glow", "flow_listing", "cvae"),
        ("gan_anomaly", "anomaly_listing", "semi3d_simple_gan"),
    ],
)
def test_the_local_regression_alone_is_shown_tissues(request, system, name, other):
    listing = request.getfixturevalue(name)
    plain = {"mri", "pet", "seen", "mask", "atlas"}
    targets = [
        f"results/{system}/models/{m}/fold-0/generator.pt" for m in (other, "local_regression")
    ]
    assert inputs_of(listing, *targets) == dict(
        zip(targets, (plain, plain | {"gm", "wm", "csf"}), strict=True)
    )


def test_table_2_is_learnt_from_generated_images_too(flow_listing, root):
    jobs = flow_listing.jobs({"dual_glow": {"diagnosis": {"cross_fitted": ["dual_glow"]}}})
    folds = full_config(root, "dual_glow")["folds"]["n"]
    assert jobs["train_without"] == jobs["synthesise_without"] == folds * (folds - 1) // 2 == 45
    assert jobs["dual_glow_features_without"] == 2
    assert jobs["dual_glow_diagnose_cross_fitted"] == 3  # mean PET and oracle, too
    assert jobs["dual_glow_cross_fitted"] == jobs["dual_glow_table2"] == 1


def test_gans_of_the_anomaly_paper_are_trained_in_every_fold(anomaly_listing, root):
    jobs, config = anomaly_listing.jobs(), full_config(root, "gan_anomaly")["gan_anomaly"]
    folds, models = config["folds"]["n"], len(config["models"])
    assert (folds, models) == (4, 7)
    assert jobs["train"] == jobs["synthesise"] == models * folds
    assert jobs["mean_pet"] == folds
    assert jobs["gan_anomaly_oracle"] == 1
    assert jobs["gan_anomaly_image_metrics"] == models + 2
    assert jobs["oracle_anomaly"] == 35 + 40  # of the controls
    assert jobs["figure_curves"] == models
    detector = config["detector"]
    assert detector["clusters"]["threshold"] == "own"  # as the paper has it
    assert jobs["find_clusters"] == len(detector["training_sets"]) + len(detector["plain"])
    assert jobs["synthesise_patients"] == folds  # of the one model that is taken off
    for once in (
        "fetch_lpips",
        "lpips",
        "gan_anomaly_table1",
        "gan_anomaly_example",
        "score_plain",
    ):
        assert jobs[once] == 1
    for other in ("gla_gan_image_metrics", "linear_folds", "pack_linear", "table1"):
        assert other not in jobs
