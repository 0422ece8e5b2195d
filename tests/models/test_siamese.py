"""The siamese autoencoder: shapes, and that a run over slices is a run over patches."""

import numpy as np
import pytest
import torch

from mri2pet.errors import InputError
from mri2pet.models.registry import build
from mri2pet.models.siamese import PatchAutoencoder

LAYERS = [
    {},
    {"patch": 7, "features": 5, "filters": [4, 6], "kernels": [3, 3], "strides": [1, 2]},
    {"patch": 15, "filters": [4, 6, 8], "kernels": [5, 3, 3], "strides": [2, 1, 1], "features": 9},
    {"patch": 9, "filters": [], "kernels": [], "strides": []},
]


@pytest.mark.parametrize("settings", LAYERS)
def test_restored_patch_has_the_patches_shape(settings):
    network = PatchAutoencoder(**settings)
    side = settings.get("patch", 15)
    codes, restored = network(torch.rand(3, 1, side, side))
    assert codes.shape == (3, settings.get("features", 64))
    assert restored.shape == (3, 1, side, side)


@pytest.mark.parametrize("settings", LAYERS)
def test_slice_gives_what_each_patch_gives(settings):
    torch.manual_seed(1)
    network = PatchAutoencoder(**settings).eval()
    network.use_range(0.4, 0.2)
    image = torch.rand(2, 1, 18, 21)
    half = network.patch // 2
    padded = torch.nn.functional.pad(image, (half,) * 4)
    patches = padded.unfold(2, network.patch, 1).unfold(3, network.patch, 1)
    with torch.no_grad():
        whole = network.dense(image)
        single = network.encode(patches.reshape(-1, 1, network.patch, network.patch))
    expected = single.view(2, 18, 21, -1).permute(0, 3, 1, 2)
    torch.testing.assert_close(whole, expected, atol=1e-5, rtol=1e-4)


def test_weights_begin_at_a_scale_that_keeps_variance():
    torch.manual_seed(0)
    network = build({"name": "siamese"})
    with torch.no_grad():
        codes, restored = network(torch.randn(500, 1, 15, 15))
    assert 0.3 < float(codes.std()) < 3
    assert 0.2 < float(restored.std()) < 3


def test_range_travels_with_the_weights():
    network = PatchAutoencoder()
    network.use_range(0.5, 0.25)
    other = PatchAutoencoder()
    other.load_state_dict(network.state_dict())
    assert float(other.standardised(torch.tensor(1.0))) == pytest.approx(2)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"patch": 14}, "even"),
        ({"filters": [4]}, "equally many"),
        ({"patch": 5, "kernels": [3, 3, 3]}, "nothing of a patch"),
    ],
)
def test_impossible_layers(settings, message):
    with pytest.raises(InputError, match=message):
        PatchAutoencoder(**settings)


def test_unknown_setting_is_named():
    with pytest.raises(InputError, match="siamese"):
        build({"name": "siamese", "dropout": np.pi})
