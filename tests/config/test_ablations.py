"""Variants are the base model with just their own change; impossible ones are refused."""

import copy

import pytest
import yaml
from snakemake.utils import update_config

from mri2pet.config.ablations import check_models, figure_labels, variant_models
from mri2pet.config.check import check_config
from mri2pet.errors import InputError


@pytest.fixture(params=["default", "paper"])
def gla_gan(root, request):
    """The block `gla_gan` with every variant to be run."""
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    if request.param == "paper":
        update_config(config, yaml.safe_load((root / "config/paper/gla_gan.yaml").read_text()))
    block = config["gla_gan"]
    block["ablations"]["run"] = list(block["ablations"]["variants"])
    return block


def differences(entry, base):
    """Keys, two levels deep, at which two entries differ."""
    found = set()
    for part in entry.keys() | base.keys():
        ours, theirs = entry.get(part), base.get(part)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            keys = ours.keys() | theirs.keys()
            found |= {f"{part}.{key}" for key in keys if ours.get(key) != theirs.get(key)}
        elif ours != theirs:
            found.add(part)
    return found


def test_each_variant_differs_from_the_base_in_its_own_change_alone(gla_gan):
    base = gla_gan["models"]["gla_gan"]
    entries = variant_models(gla_gan)
    found = {name: differences(entry, base) for name, entry in entries.items()}
    assert found == {
        "l1_ssim": {"label", "losses.ssim", "losses.ms_ssim", "losses.roi"},
        "l1_ms_ssim": {"label", "losses.roi"},
        "l1_ssim_roi": {"label", "losses.ssim", "losses.ms_ssim"},
        "k2": {"label", "generator.patches"},
        "k8": {"label", "generator.patches"},
        "lobes": {"label", "generator.patches"},
    }
    assert [entries[name]["generator"]["patches"] for name in ("k2", "k8", "lobes")] == [
        2,
        8,
        "lobes",
    ]
    assert set(entries["l1_ssim"]["losses"]) == {"adversarial", "l1", "ssim"}


def test_variants_share_nothing_with_the_configuration(gla_gan):
    before = copy.deepcopy(gla_gan)
    for entry in variant_models(gla_gan).values():
        entry["losses"].clear()
        entry["generator"].clear()
        entry["training"].clear()
    assert gla_gan == before


def test_only_what_is_in_run_is_made_in_its_order(gla_gan):
    gla_gan["ablations"]["run"] = ["k8", "l1_ssim"]
    assert list(variant_models(gla_gan)) == ["k8", "l1_ssim"]
    assert figure_labels(gla_gan, "patches") == {"gla_gan": "K = 4", "k8": "K = 8"}
    gla_gan["ablations"]["run"] = ["k8"]
    assert figure_labels(gla_gan, "losses") == {}


def test_without_ablations_there_is_none(gla_gan):
    del gla_gan["ablations"]
    check_models(gla_gan)
    assert variant_models(gla_gan) == figure_labels(gla_gan, "losses") == {}


def rename_variant(block, name):
    block["ablations"]["variants"][name] = block["ablations"]["variants"].pop("k2")


def change_what_is_not_there(block):
    block["ablations"]["base"] = "unet"
    block["ablations"]["variants"]["k2"] = {
        "figure": "patches",
        "label": "x",
        "discriminator": {"filters": [1]},
    }


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda b: b["ablations"].update(base="glagan"), "base: there is no model 'glagan'"),
        (lambda b: b["ablations"].update(run=["k3"]), "run: there is no variant 'k3'; known are"),
        (lambda b: rename_variant(b, "unet"), "variants.unet: the name is taken by a model"),
        (lambda b: rename_variant(b, "only_mri"), "variants.only_mri: the name is taken by a row"),
        (lambda b: b["models"].update(real_pet={}), "models.real_pet: the name is taken by a row"),
        (change_what_is_not_there, "k2.discriminator: the base model 'unet' has no discriminator"),
    ],
)
def test_impossible_ablations_are_refused(gla_gan, spoil, message):
    gla_gan["ablations"]["run"] = ["k8"]
    spoil(gla_gan)
    with pytest.raises(InputError, match=message):
        check_models(gla_gan)


@pytest.mark.parametrize("key", ["training_groups", "negative", "positive"])
def test_a_group_that_is_not_in_the_cohort_is_refused(root, key):
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    block = config["gla_gan"]
    if key == "training_groups":
        block[key] = ["CN", "EMCI"]
    else:
        block["diagnosis"][key] = "EMCI"
    with pytest.raises(InputError, match=rf"{key}: group EMCI is not among studies.dem"):
        check_config(config, root / "workflow/schemas/config.schema.yaml")
