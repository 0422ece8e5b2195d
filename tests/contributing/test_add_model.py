"""A model is added by CONTRIBUTING's list: its file, and an entry of the configuration."""

import pytest
import torch

import mri2pet.models
from mri2pet.errors import InputError
from mri2pet.models.registry import symbol_of
from mri2pet.models.signatures import check_network

NETWORK = '''"""One convolution."""

import torch
from torch import nn


class Blur(nn.Module):
    """MRI to PET by one kernel."""

    def __init__(self, side=3):
        super().__init__()
        self.layer = nn.Conv3d(1, 1, side, padding=side // 2)

    def forward(self, mri):
        """Map (B, 1, X, Y, Z) to the same shape in 0..1."""
        return torch.sigmoid(self.layer(mri))
'''
ENTRY = """\
    toy:
      label: Toy
      recipe: regression
      generator: {name: toy_network.Blur, side: 3}
      losses: {l1: 1.0}
      training: {epochs: 1, batch_size: 2, learning_rate: 0.01}
"""
FILE = "src/mri2pet/models/toy_network.py"


@pytest.fixture
def added(copy):
    copy.write(FILE, NETWORK)
    unet = "    unet:\n      label: U-Net\n"
    copy.replace("config/config.yaml", unet, ENTRY + unet)
    return copy


def test_a_model_is_its_file_and_an_entry(added):
    added.held_by("model")
    made = "results/gla_gan/metrics/toy/fold-0.tsv"
    listing = added.snakemake("-n", made, "--config", "systems=[gla_gan]")
    assert "results/gla_gan/models/toy/fold-0/generator.pt" in listing
    assert "results/gla_gan/synthesis/toy/fold-0/pet.npy" in listing


def test_a_model_of_ones_own_is_trained(added, room, tiny_entry, trained):
    room(mri2pet.models)
    tiny_entry["generator"] = {"name": "toy_network.Blur", "side": 3}
    check_network("models.toy.generator", tiny_entry["generator"])
    generator, history = trained(tiny_entry)
    assert history[1]["l1"] < history[0]["l1"]
    assert generator(torch.rand(1, 1, 8, 8, 8)).shape == (1, 1, 8, 8, 8)


@pytest.mark.parametrize("name", ["toy_network.Blurr", "toy_networks.Blur", "unet"])
def test_a_model_that_is_not_there_is_named_with_its_key(added, room, name):
    room(mri2pet.models)
    with pytest.raises(InputError, match=rf"^models\.toy\.generator\.name: no .* named '{name}'"):
        check_network("models.toy.generator", {"name": name})


@pytest.mark.parametrize(
    ("old", "new", "runs"),
    [
        ("torch.sigmoid(self.layer(mri))", "torch.sigmoid(2 * self.layer(mri))", True),
        ("MRI to PET by one kernel.", "Something else is said.", False),
    ],
)
def test_a_change_of_its_code_alone_trains_it_again(added, changes, old, new, runs):
    assert changes(symbol_of("toy_network.Blur"), FILE, old, new) is runs
