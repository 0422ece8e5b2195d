"""What CONTRIBUTING.md says of a network holds for those that there are."""

import pytest
import torch

from mri2pet.errors import InputError
from mri2pet.models.registry import build

FLOW = {"depth": [1, 1], "width": [4, 4], "relation": {"width": 4, "kernel": 3}, "wavelets": True}
NETWORKS = {
    "unet3d": {"filters": [2, 2, 2]},
    "cvae": {"filters": [2, 2, 2], "code": 2},
    "gla_gan": {"filters": [2, 2], "patches": 8},
    "cycle_gan": {"filters": [2, 2, 2], "blocks": 1, "kernel": 3},
    "resnet": {"filters": [2, 2], "blocks": 1, "kernel": 3, "dimensions": 3, "channels": 1},
    "dual_glow": {**FLOW, "grid": [16, 16, 16]},
    "rectified_flow": {"mean": [2, 2, 2], "velocity": [2, 2]},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_volume_gives_a_volume_of_its_shape_from_0_to_1(name):
    torch.manual_seed(0)
    network = build({"name": name, **NETWORKS[name]}).eval()
    with torch.no_grad():
        pet = network(torch.rand(2, 1, 16, 16, 16))
    assert pet.shape == (2, 1, 16, 16, 16)
    assert pet.dtype == torch.float32
    assert pet.min() >= 0 and pet.max() <= 1


@pytest.mark.parametrize(
    ("name", "settings", "sides"),
    [
        ("unet3d", {}, (15, 16, 16)),
        ("cvae", {}, (16, 18, 16)),
        ("rectified_flow", {}, (16, 16, 18)),
        ("gla_gan", {}, (16, 16, 15)),
        ("dual_glow", {}, (16, 16, 18)),
        ("cycle_gan", {"padding": "reflect"}, (16, 3, 16)),
        ("resnet", {}, (2, 16, 16)),
        ("resnet", {"kernel": 11}, (16, 16, 4)),
    ],
)
def test_a_grid_that_a_network_cannot_take_is_named(name, settings, sides):
    network = build({"name": name, **NETWORKS[name], **settings}).eval()
    with pytest.raises(InputError) as caught, torch.no_grad():
        network(torch.rand(1, 1, *sides))
    assert str(sides) in str(caught.value)


@pytest.mark.parametrize("sides", [(15, 16, 17), (9, 10, 11)])
def test_a_network_that_takes_any_grid_keeps_it(sides):
    for name in ("cycle_gan", "resnet"):
        network = build({"name": name, **NETWORKS[name]}).eval()
        with torch.no_grad():
            assert network(torch.rand(1, 1, *sides)).shape[2:] == sides


def test_slices_are_channels():
    slices = {"filters": [2, 2], "blocks": 1, "kernel": 3, "channels": 3}
    network = build({"name": "resnet", **slices}).eval()
    with torch.no_grad():
        assert network(torch.rand(4, 3, 16, 12)).shape == (4, 3, 16, 12)
