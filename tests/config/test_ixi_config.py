"""What the block `ixi` must agree on, and what its models' entries are completed with."""

import copy

import pytest
import torch
import yaml
from snakemake.utils import update_config

from mri2pet.config import ixi as ixi_config
from mri2pet.config.check import check_config
from mri2pet.config.systems import check_means, check_starts, system_models
from mri2pet.datasets.parts import Parts
from mri2pet.errors import InputError
from mri2pet.models.ixi import statistics
from mri2pet.models.registry import build
from mri2pet.training.recipes import check_entry
from mri2pet.training.settings import TrainingSettings


@pytest.fixture
def paper(config, root):
    full = copy.deepcopy(config)
    update_config(full, yaml.safe_load((root / "config/paper/ixi.yaml").read_text()))
    return full


@pytest.mark.parametrize("how", ["null", "not there"])
def test_ixi_may_be_left_out(config, schema, how):
    config["ixi"] = None
    if how != "null":
        del config["ixi"]
    check_config(config, schema)


def change(model, **keys):
    return lambda ixi: ixi["models"][model].update(keys)


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (lambda ixi: ixi["split"].update(train=9), "ixi.split asks for 13 people"),
        (
            lambda ixi: ixi["parts"].update(size=48),
            "48 does not fit a grid of .64, 64, 32. voxels",
        ),
        (lambda ixi: ixi["models"].update(copy=ixi["models"]["t2_pd_g1"]), "name is taken"),
        (change("t2_pd_g1", target="t2"), "source and target are both t2"),
        (change("t2_pd_g4", start="g9"), "t2_pd_g4.start: there is no model 'g9'"),
        (change("t2_pd_g4", start="pd_t2_g3"), "pd_t2_g3 has another direction"),
        (change("t2_pd_g3", start="t2_pd_g4"), "goes on from itself"),
    ],
)
def test_keys_that_do_not_agree_are_named(config, wrong, fault):
    wrong(config["ixi"])
    with pytest.raises(InputError, match=fault):
        ixi_config.check(config)
        check_starts("ixi", config["ixi"])


@pytest.mark.parametrize(
    ("start", "mean", "fault"),
    [
        ("unet", [4, 8], r"a unet3d of the filters \[4, 8\] .* a unet3d of \[4, 8, 16, 32\]"),
        ("gla_gan", [4, 8, 16, 32], "starts from a gla_gan"),
        ("cycle_gan", [4, 8, 16], "starts from a cycle_gan"),
        ("unet", [4, 8, 16, 32], None),
        (None, [4, 8], None),
        ("unet", None, None),
    ],
)
def test_a_rectified_flow_starts_from_a_unet_of_its_own_size(config, start, mean, fault):
    entry = config["gla_gan"]["models"]["rectified_flow"]
    entry["start"] = start
    if mean is not None:
        entry["generator"]["mean"] = mean
    if fault is None:
        check_means("gla_gan", config["gla_gan"])
        made = system_models(config, "gla_gan")["rectified_flow"]["generator"]
        assert made.get("mean") == (
            mean or config["gla_gan"]["models"]["unet"]["generator"]["filters"]
        )
        return
    with pytest.raises(InputError, match=rf"gla_gan.models.rectified_flow.start: .*{fault}"):
        check_means("gla_gan", config["gla_gan"])


@pytest.mark.parametrize("system", ["gla_gan", "dual_glow", "gan_anomaly"])
def test_a_model_of_any_system_can_go_on_from_another(config, schema, system):
    first, second, *_ = config[system]["models"]
    config[system]["models"][second]["start"] = first
    check_config(config, schema)
    config[system]["models"][first]["start"] = second
    with pytest.raises(InputError, match=rf"{system}.models.\w+.start: goes on from itself"):
        check_config(config, schema)
    config[system]["models"][first]["start"] = "g9"
    with pytest.raises(InputError, match=rf"{system}.models.\w+.start: there is no model 'g9'"):
        check_config(config, schema)


def test_models_have_their_systems_parts_or_their_own(config):
    config["ixi"]["models"]["t2_pd_g3"]["parts"] = {"kind": "patches", "size": 16, "stride": 16}
    models = system_models(config, "ixi")
    assert models["t2_pd_g1"]["parts"] == config["ixi"]["parts"]
    assert models["t2_pd_g3"]["discriminator"]["patch"] == 16


def test_a_download_needs_no_simulated_people(config):
    config["studies"]["ixi"]["raw"] = "/data/IXI"
    config["ixi"]["split"]["train"] = 250
    ixi_config.check(config)


def test_discriminators_get_the_patches_size(config):
    config["ixi"]["parts"]["size"] = 16
    models = system_models(config, "ixi")
    assert models["t2_pd_g3"]["discriminator"]["patch"] == 16
    assert "discriminator" not in models["t2_pd_g1"]
    assert "patch" not in config["ixi"]["models"]["t2_pd_g3"]["discriminator"]


def test_every_model_of_the_default_run_can_be_made(config):
    for entry in system_models(config, "ixi").values():
        patch = torch.zeros(2, 1, 32, 32, 32)
        made = build(entry["generator"])(patch)
        assert made.shape == patch.shape
        if "discriminator" in entry:
            assert build(entry["discriminator"])(torch.cat([patch, made], 1)).shape == (2, 1)
        TrainingSettings.from_config(entry["training"])


def test_the_papers_networks_and_numbers_are_as_printed(paper, schema):
    check_config(paper, schema)
    ixi = paper["ixi"]
    assert ixi["split"] == {"train": 250, "val": 35, "test": 70}
    assert ixi["grid"] == {"shape": [224, 224, 96], "field_mm": 240, "every": 3}
    parts = Parts.from_config(ixi["parts"])
    assert (parts.size, parts.stride, parts.stacking_stride) == (32, 32, 8)
    weights = {"g1": {"l2"}, "g2": {"l2", "adversarial"}}
    weights |= {"g3": {*weights["g2"], "gradient_difference"}}
    weights |= {"g4": {"l1", "adversarial", "gradient_difference"}}
    for name, entry in system_models(paper, "ixi").items():
        generator = build(entry["generator"])
        assert sum(p.numel() for p in generator.parameters()) == 3_638_592
        assert generator.residual == name.endswith("residual")
        if "discriminator" in entry:
            network = build(entry["discriminator"])
            assert sum(p.numel() for p in network.parameters()) + statistics(network) == 2_280_225
            assert entry["losses"]["adversarial"] == 0.5
        generation = next(part for part in name.split("_") if part in weights)
        assert set(entry["losses"]) == weights[generation]
        for loss in set(entry["losses"]) - {"adversarial"}:  # sums of squares with weights of 1
            assert entry["losses"][loss]["weight"] == 1
            assert entry["losses"][loss]["reduction"] == "sum"
        assert ("start" in entry) == (generation == "g4" or "longer" in name)
        assert entry["training"]["batch_size"] == (7 if name.startswith("t2") else 49)


@pytest.mark.parametrize("size", ["config", "paper"])
def test_l1_is_told_from_further_epochs(request, size):
    """Beside G4 its G3 goes on for as long, and nothing but the L1 differs."""
    models = system_models(request.getfixturevalue(size), "ixi")
    with_l1, continued = models["t2_pd_g4"], models["t2_pd_g3_longer"]
    for key in (set(continued) | set(with_l1)) - {"label", "losses"}:
        assert continued[key] == with_l1[key]
    losses = dict(with_l1["losses"])
    assert continued["losses"] == {"l2": losses.pop("l1"), **losses}


@pytest.mark.parametrize(
    ("losses", "fault"),
    [
        ({"l2": {"weight": 1, "reduction": "none"}}, "l2"),
        ({"l2": {"weight": 1, "dimensions": 2}}, "l2"),
        ({"l2": 1, "adversarial": {"weight": 0.5, "reduction": "sum"}}, "adversarial"),
        ({"ssim": {"weight": 1, "of": "means"}}, "ssim"),
        ({"roi": {"weight": 1, "reduction": "sum"}}, "roi"),
    ],
)
def test_settings_that_a_loss_does_not_have_are_refused(config, schema, losses, fault):
    config["ixi"]["models"]["t2_pd_g3"]["losses"] = losses
    with pytest.raises(InputError, match=rf"ixi\.models\.t2_pd_g3\.losses\.{fault}"):
        check_config(config, schema)


@pytest.mark.parametrize(
    ("model", "loss"),
    [
        ("semi3d_simple_gan_mse", "l2"),
        ("semi3d_cycle_gan_mse", "l2"),
        ("patch_cycle_gan_mse", "l1"),
    ],
)
def test_a_recipe_that_computes_a_loss_itself_takes_its_weight_alone(config, model, loss):
    entry, where = config["gan_anomaly"]["models"][model], f"gan_anomaly.models.{model}"
    entry["losses"][loss] = {"weight": 1.0}
    check_entry(where, entry)
    entry["losses"][loss] = {"weight": 1.0, "reduction": "sum"}
    with pytest.raises(InputError, match=rf"{where}\.losses\.{loss}: takes a weight alone"):
        check_entry(where, entry)
