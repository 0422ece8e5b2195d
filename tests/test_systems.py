"""What a run's systems need besides their schema, and the complete entries of their models."""

import pytest

from mri2pet.config import check_config
from mri2pet.errors import InputError
from mri2pet.systems import check_dual_glow, system_models, told


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
        check_dual_glow(config)


def test_names_of_table_rows_are_no_models(config):
    models = config["dual_glow"]["models"]
    models["mean_pet"] = models["dual_glow"]
    with pytest.raises(InputError, match=r"dual_glow\.models\.mean_pet: the name is taken"):
        check_dual_glow(config)


@pytest.mark.parametrize(
    ("positive", "message"), [(["LMCI"], "none of LMCI is among"), (["AD", "CN"], "group CN")]
)
def test_classes_of_table_2_are_there_and_apart(config, positive, message):
    config["dual_glow"]["diagnosis"]["positive"] = positive
    with pytest.raises(InputError, match=message):
        check_dual_glow(config)


def test_flows_get_the_grid_and_the_groups_unless_they_name_their_own(config):
    models = config["dual_glow"]["models"]
    models["own"] = {**models["dual_glow_side"]}
    models["own"]["generator"] = {**models["own"]["generator"], "grid": None}
    models["own"]["generator"]["side"] = {"groups": ["CN", "AD"]}
    made = {name: entry["generator"] for name, entry in system_models(config, "dual_glow").items()}
    assert made["dual_glow"]["grid"] == config["dual_glow"]["grid"]
    assert made["dual_glow_side"]["side"]["groups"] == config["cohort"]["groups"]
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
