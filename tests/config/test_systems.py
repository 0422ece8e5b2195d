"""What a run's systems need besides their schema, and the complete entries of their models."""

import pytest

from mri2pet.config import dual_glow, gan_anomaly
from mri2pet.config.check import check_config
from mri2pet.config.gan_anomaly import configuration
from mri2pet.config.systems import system_models, told
from mri2pet.errors import InputError


@pytest.mark.parametrize("how", ["null", "not there"])
def test_dual_glow_may_be_left_out(config, schema, how):
    if how == "null":
        config["dual_glow"] = None
    else:
        del config["dual_glow"]
    check_config(config, schema)


def test_the_grid_must_be_divisible_as_often_as_there_are_levels(config, schema):
    config["dual_glow"]["grid"] = [40, 44, 40]
    with pytest.raises(InputError, match=r"generator\.depth: 3 levels .* divisible by 8"):
        check_config(config, schema)


def test_each_level_needs_a_width(config):
    config["dual_glow"]["models"]["dual_glow"]["generator"]["width"] = [8, 8]
    with pytest.raises(InputError, match="depth has 3 numbers and width 2"):
        dual_glow.check(config)


def test_names_of_table_rows_are_no_models(config):
    models = config["dual_glow"]["models"]
    models["mean_pet"] = models["dual_glow"]
    with pytest.raises(InputError, match=r"dual_glow\.models\.mean_pet: the name is taken"):
        dual_glow.check(config)


@pytest.mark.parametrize(
    ("positive", "message"), [(["LMCI"], "none of LMCI is among"), (["AD", "CN"], "group CN")]
)
def test_classes_of_table_2_are_there_and_apart(config, positive, message):
    config["dual_glow"]["diagnosis"]["positive"] = positive
    with pytest.raises(InputError, match=message):
        dual_glow.check(config)


def test_flows_get_the_grid_and_the_groups_unless_they_name_their_own(config):
    models = config["dual_glow"]["models"]
    models["own"] = {**models["dual_glow_side"]}
    models["own"]["generator"] = {**models["own"]["generator"], "grid": None}
    models["own"]["generator"]["side"] = {"groups": ["CN", "AD"]}
    made = {name: entry["generator"] for name, entry in system_models(config, "dual_glow").items()}
    assert made["dual_glow"]["grid"] == config["dual_glow"]["grid"]
    assert made["dual_glow_side"]["side"]["groups"] == config["studies"]["dementia"]["groups"]
    assert made["own"]["grid"] is None
    assert made["own"]["side"]["groups"] == ["CN", "AD"]
    assert "grid" not in models["dual_glow"]["generator"]  # the configuration itself stays


def test_gla_gan_has_its_variants_after_its_models(config):
    names = list(system_models(config, "gla_gan"))
    run = config["gla_gan"]["ablations"]["run"]
    assert names == [*config["gla_gan"]["models"], *run]


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        (None, []),
        ({"age_mean": 75}, ["age", "sex", "diagnosis"]),
        ({"attributes": ["age", "sex"]}, ["age", "sex"]),
    ],
)
def test_what_a_model_is_told(side, expected):
    assert told({"generator": {"name": "dual_glow", "side": side}}) == expected
    assert told({"generator": {"name": "unet3d"}}) == []


@pytest.mark.parametrize(
    ("model", "role", "change", "message"),
    [
        ("semi3d_cycle_gan", "generator", {"channels": 1}, r"generator\.channels: 1 .* needs 3"),
        ("semi3d_cycle_gan", "discriminator", {"dimensions": 3}, r"dimensions: 3 .* needs 2"),
        ("patch_cycle_gan_mse", "generator", {"dimensions": 2}, r"dimensions: 2 .* needs 3"),
    ],
)
def test_networks_must_fit_the_parts_that_they_see(config, schema, model, role, change, message):
    config["gan_anomaly"]["models"][model][role] |= change
    with pytest.raises(InputError, match=message):
        check_config(config, schema)


def test_the_example_of_figure_2_shows_models_that_there_are(config):
    config["gan_anomaly"]["example"] = ["unet"]
    with pytest.raises(InputError, match=r"gan_anomaly\.example: there is no model 'unet'"):
        gan_anomaly.check(config)


def test_configurations_are_named_by_what_networks_see(config):
    models = config["gan_anomaly"]["models"]
    assert configuration(models["semi3d_simple_gan"]) == "semi-3D"
    assert configuration(models["patch_simple_gan_mse"]) == "3D-patch"
    assert configuration(config["gla_gan"]["models"]["unet"]) == "3D"
