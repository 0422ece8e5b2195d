"""A U-Net that is shown the dataset's tissue maps beside the MRI: its entry, and faults in it."""

import pytest

from mri2pet.config.check import check_config
from mri2pet.config.systems import shown_maps, system_models
from mri2pet.errors import InputError

NAME = "unet_maps"


def test_the_default_entry_is_shown_what_the_local_regression_is(config, schema):
    check_config(config, schema)
    entries = system_models(config, "gla_gan")
    assert shown_maps(entries[NAME]) == ["mri", "gm", "wm", "csf"]
    assert set(shown_maps(entries[NAME])) == set(shown_maps(entries["local_regression"]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"maps": ["gm", "bone"]}, r"generator\.maps\.1: 'bone' is not one of"),
        ({"maps": ["mri"]}, r"generator\.maps\.0: 'mri' is not one of"),
        ({"maps": ["gm", "gm"]}, r"generator\.maps: .*non-unique"),
        ({"maps": "gm"}, r"generator\.maps: 'gm' is not of type 'array'"),
    ],
)
def test_maps_are_those_of_the_dataset(config, schema, changes, message):
    config["gla_gan"]["models"][NAME]["generator"] |= changes
    with pytest.raises(InputError, match=rf"gla_gan\.models\.{NAME}\.{message}"):
        check_config(config, schema)


@pytest.mark.parametrize("name", ["gla_gan", "simple_gan", "cycle_gan"])
def test_other_recipes_and_networks_take_none(config, schema, name):
    config["gla_gan"]["models"][name]["generator"]["maps"] = ["gm"]
    with pytest.raises(InputError, match=rf"models\.{name}\.generator\.maps: a unet3d of the"):
        check_config(config, schema)


def test_a_rectified_flow_does_not_start_from_it(config, schema):
    config["gla_gan"]["models"]["rectified_flow"]["start"] = NAME
    with pytest.raises(InputError, match=r"rectified_flow\.start: .* with maps"):
        check_config(config, schema)


def test_where_there_are_no_maps_none_can_be_named(config, schema):
    name = next(iter(config["ixi"]["models"]))
    config["ixi"]["models"][name] |= {
        "recipe": "regression",
        "generator": {"name": "unet3d", "filters": [4, 8], "maps": ["gm"]},
        "losses": {"l1": 1.0},
    }
    with pytest.raises(InputError, match=rf"ixi\.models\.{name}\.generator\.maps\.gm: the ixi"):
        check_config(config, schema)
