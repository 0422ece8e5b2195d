"""Parameter counts out of a generator's state dict."""

import pytest
import torch

from mri2pet.models.parameters import count_parameters
from mri2pet.models.registry import build

NETWORKS = [
    {"name": "unet3d", "filters": [2, 3]},
    {"name": "gla_gan", "filters": [2, 2], "patches": 2},  # batch norm has running statistics
    {"name": "gla_gan", "filters": [2, 2], "patches": "lobes"},
    {"name": "cycle_gan", "filters": [2, 3, 4], "blocks": 1},
    {"name": "resnet", "filters": [2, 3, 4], "blocks": 1},
]


@pytest.mark.parametrize("config", NETWORKS)
def test_learnt_numbers_count_and_running_statistics_do_not(config):
    network = build(config)
    wanted = sum(parameter.numel() for parameter in network.parameters())
    assert count_parameters(config, network.state_dict()) == wanted
    everything = sum(value.numel() for value in network.state_dict().values())
    assert wanted < everything or not list(network.buffers())


def test_one_convolution_by_hand():
    """3x3x3 kernels from one channel to two, and two biases."""
    state = {"last.weight": torch.zeros(2, 1, 3, 3, 3), "last.bias": torch.zeros(2)}
    own = {f"x.{name}": value for name, value in state.items()} | {"x.steps": torch.tensor(3)}
    assert count_parameters(NETWORKS[0], own) == 56
