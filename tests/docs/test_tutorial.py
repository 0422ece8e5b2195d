"""The model of the tutorial is one that the workflow takes."""

import re

import pytest
import torch
import yaml

from mri2pet.config.check import check_config
from mri2pet.errors import InputError

PAGE = "docs/tutorial/own_model.md"


@pytest.fixture
def blocks(root):
    found = re.findall(r"```(python|yaml)\n(.*?)```", (root / PAGE).read_text(), re.S)
    return dict(found)


def test_its_network_makes_a_volume_of_the_same_shape(blocks):
    names = {}
    exec(blocks["python"], names)
    made = names["TwoLayers"](width=2)(torch.zeros(1, 1, 6, 6, 6))
    assert made.shape == (1, 1, 6, 6, 6)


def test_its_entry_is_allowed_by_the_schema_and_names_that_network(blocks, config, schema):
    entry = yaml.safe_load(blocks["yaml"])["gla_gan"]["models"]["two_layers"]
    assert entry["generator"]["name"] == "two_layers.TwoLayers"
    assert "class TwoLayers(nn.Module)" in blocks["python"]
    # Under the name of a network that is there, since the tutorial's file is not.
    entry["generator"] = {"name": "unet3d.UNet3d", "filters": [4, 8]}
    config["gla_gan"]["models"]["two_layers"] = entry
    check_config(config, schema)
    entry["losess"] = {}
    with pytest.raises(InputError, match="losess"):
        check_config(config, schema)
