import pytest
import torch
from torch import nn

from mri2pet.errors import InputError
from mri2pet.models.cycle_gan import CycleGanDiscriminator, CycleGanGenerator
from mri2pet.models.norm import InstanceNorm


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def every_parameter_has_gradient(network, volume):
    network(volume).square().mean().backward()
    return all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_generator_of_paper_size_has_the_parameters_of_the_printed_layers():
    network = CycleGanGenerator()
    encoder = 343 * 8 + 27 * 8 * 16 + 27 * 16 * 32
    decoder = 27 * 32 * 16 + 27 * 16 * 8 + 343 * 8 + 1
    assert count(network) == encoder + 6 * 2 * 27 * 32 * 32 + decoder
    kinds = [type(layer).__name__ for layer in network.layers if not is_norm_or_relu(layer)]
    assert kinds == ["Conv3d"] * 3 + ["TransferBlock"] * 6 + ["ConvTranspose3d"] * 2 + ["Conv3d"]


def is_norm_or_relu(layer):
    return isinstance(layer, InstanceNorm | nn.ReLU)


def test_discriminator_of_paper_size_has_the_parameters_of_the_printed_layers():
    network = CycleGanDiscriminator()
    weights = 64 * (16 + 16 * 32 + 32 * 64 + 64 * 128 + 128)
    assert count(network) == weights + 16 + 1  # biases where no norm follows
    with torch.device("meta"):
        network = CycleGanDiscriminator()
        assert network(torch.empty(2, 1, 64, 64, 64)).shape == (2, 1, 6, 6, 6)


def test_generator_keeps_shape_and_range_and_trains_every_parameter():
    torch.manual_seed(0)
    network = CycleGanGenerator((2, 3, 4), 2, 3)
    volume = torch.rand(2, 1, 16, 12, 8)
    result = network(volume)
    assert result.shape == volume.shape
    assert 0 <= result.min() < result.max() <= 1
    assert every_parameter_has_gradient(network, volume)


def test_discriminator_trains_every_parameter():
    torch.manual_seed(0)
    network = CycleGanDiscriminator((2, 3, 3, 3, 1), (2, 1, 1, 1, 1))
    assert every_parameter_has_gradient(network, torch.rand(2, 1, 16, 16, 16))


def test_discriminator_of_two_channels_sees_both_and_sixteen_voxels_of_them():
    torch.manual_seed(0)
    network = CycleGanDiscriminator((2, 3, 1), (2, 1, 1), channels=2)
    pair = torch.rand(1, 2, 40, 16, 16, requires_grad=True)
    scores = network(pair)
    assert scores.shape == (1, 1, 18, 6, 6)
    # Instance norm looks at the whole volume: without it the field is that of the kernels.
    network.layers[3] = nn.Identity()
    network(pair)[0, 0, 9, 3, 3].backward()
    seen = pair.grad.abs().sum(dim=(0, 3, 4)) > 0
    assert seen.sum(dim=1).tolist() == [16, 16]


def test_a_volume_does_not_depend_on_its_batch():
    torch.manual_seed(0)
    network = CycleGanGenerator((2, 3), 1, 3)
    volumes = torch.rand(2, 1, 8, 8, 8)
    torch.testing.assert_close(network(volumes)[:1], network(volumes[:1]))


def test_weights_start_at_a_spread_of_two_hundredths():
    torch.manual_seed(0)
    for network in (CycleGanGenerator(), CycleGanDiscriminator()):
        for layer in network.modules():
            if isinstance(layer, nn.Conv3d | nn.ConvTranspose3d):
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.1)
                assert layer.bias is None or not layer.bias.any()


def test_impossible_settings_are_refused():
    with pytest.raises(InputError, match="odd kernel"):
        CycleGanGenerator((2, 3), 1, 4)
    with pytest.raises(InputError, match="two filters"):
        CycleGanGenerator((2,))
    with pytest.raises(InputError, match="equally long"):
        CycleGanDiscriminator((2, 1))
