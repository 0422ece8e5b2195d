import pytest
import torch
from torch import nn

from mri2pet.errors import InputError
from mri2pet.models.norm import InstanceNorm
from mri2pet.models.registry import build
from mri2pet.models.resnet import PatchGan, ResnetGenerator, receptive_field

# Parameters of the reference's networks for three channels; its convolutions have biases before
# instance norm too, which that takes away: ours have none.
RESNET_9, BIASES = 11_378_179, 64 + 128 + 256 + 9 * 2 * 256 + 128 + 64
PATCH_GAN, PATCH_BIASES = 2_764_737, 128 + 256 + 512


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_generator_has_the_parameters_of_the_reference():
    with torch.device("meta"):
        network = ResnetGenerator()
        assert count(network) == RESNET_9 - BIASES
        assert network(torch.empty(2, 3, 157, 189)).shape == (2, 3, 157, 189)
    strided = [m for m in network.modules() if isinstance(m, nn.Conv2d) and m.stride == (2, 2)]
    kept = [m for m in network.modules() if type(m) is nn.Conv2d and m.stride == (1, 1)]
    assert [m.padding_mode for m in strided] == ["zeros"] * 2
    assert [m.padding_mode for m in kept] == ["reflect"] * 20


def test_the_discriminator_has_the_parameters_and_the_field_of_the_reference():
    with torch.device("meta"):
        network = PatchGan()
        assert count(network) == PATCH_GAN - PATCH_BIASES
        assert network(torch.empty(2, 3, 256, 256)).shape == (2, 1, 30, 30)
    assert receptive_field((2, 2, 2, 1, 1)) == 70


def test_in_3d_with_two_blocks_for_patches():
    with torch.device("meta"):
        network = ResnetGenerator(blocks=2, dimensions=3, channels=1)
        assert network(torch.empty(2, 1, 32, 32, 32)).shape == (2, 1, 32, 32, 32)
        discriminator = PatchGan((64, 128, 1), (2, 1, 1), channels=1, dimensions=3)
        assert discriminator(torch.empty(2, 1, 32, 32, 32)).shape == (2, 1, 14, 14, 14)
    wide, blocks = 343 * 64, 2 * 2 * 27 * 256**2
    assert count(network) == 2 * (wide + 27 * (64 * 128 + 128 * 256)) + blocks + 1


@pytest.mark.parametrize("strides", [(2, 1, 1), (2, 2, 1, 1)])
def test_the_field_is_what_a_score_sees(strides):
    torch.manual_seed(0)
    field, side = receptive_field(strides), 96
    network = PatchGan([2] * (len(strides) - 1) + [1], strides, channels=1)
    for i, layer in enumerate(network.layers):  # instance norm looks at everything
        if isinstance(layer, InstanceNorm):
            network.layers[i] = nn.Identity()
    picture = torch.rand(1, 1, side, side, requires_grad=True)
    scores = network(picture)
    scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2].backward()
    assert (picture.grad[0, 0].abs().sum(dim=1) > 0).sum() == field


@pytest.mark.parametrize(
    "shape", [(2, 3, 12, 16), (2, 3, 13, 15), (2, 1, 12, 8, 8), (1, 1, 9, 8, 11)]
)
def test_shape_and_range_are_kept_and_every_parameter_trains(shape):
    torch.manual_seed(0)
    settings = {"dimensions": len(shape) - 2, "channels": shape[1]}
    network = build({"name": "resnet", "filters": [2, 3, 4], "blocks": 1, "kernel": 3, **settings})
    part = torch.rand(shape)
    result = network(part)
    assert result.shape == shape
    assert 0 <= result.min() < result.max() <= 1
    result.square().mean().backward()
    assert all(p.grad.abs().sum() > 0 for p in network.parameters())


def test_the_layout_in_memory_does_not_change_results():
    torch.manual_seed(0)
    network = ResnetGenerator((4, 8), 1, 3)
    slices = torch.rand(2, 3, 12, 16, requires_grad=True)
    results = []
    for layout in (torch.contiguous_format, torch.channels_last):
        made = network.to(memory_format=layout)(slices.contiguous(memory_format=layout))
        (gradient,) = torch.autograd.grad(made.square().sum(), slices)
        results.append((made, gradient))
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_the_last_layer_can_start_at_a_mean():
    torch.manual_seed(0)
    network = ResnetGenerator((4, 8), 1, 3)
    network.start_at_mean(0.3)
    assert network(torch.rand(1, 3, 16, 16)).mean().item() == pytest.approx(0.3, abs=0.05)


def test_weights_of_both_start_at_a_spread_of_two_hundredths():
    torch.manual_seed(0)
    for network in (ResnetGenerator((16, 32), 1), PatchGan((16, 32, 1), (2, 1, 1))):
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize("settings", [{"dimensions": 4}, {"padding": "mirror"}])
def test_faulty_settings_of_the_generator_are_refused(settings):
    with pytest.raises(InputError, match="dimensions are 2 or 3"):
        ResnetGenerator(**settings)


def test_faulty_settings_of_the_discriminator_are_refused():
    with pytest.raises(InputError, match="dimensions are 2 or 3"):
        PatchGan(dimensions=1)
    with pytest.raises(InputError, match="no convolution"):
        receptive_field(())
