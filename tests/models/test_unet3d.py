import pytest
import torch

from mri2pet.errors import InputError
from mri2pet.models.unet3d import UNet3d


def test_parameters_follow_the_filters():
    def double(a, b):
        return 27 * a * b + 27 * b * b + 4 * b

    a, b, c = 4, 8, 16
    encoder = double(1, a) + double(a, b) + double(b, c)
    decoder = 8 * c * b + b + double(2 * b, b) + 8 * b * a + a + double(2 * a, a)
    network = UNet3d((a, b, c))
    assert sum(p.numel() for p in network.parameters()) == encoder + decoder + a + 1


def test_shape_range_and_gradient():
    torch.manual_seed(0)
    network = UNet3d((2, 3, 4))
    volume = torch.rand(2, 1, 16, 16, 16)
    pet = network(volume)
    assert pet.shape == volume.shape
    assert 0 < pet.min() < pet.max() < 1
    pet.square().mean().backward()
    # The bias before batch norm of a transposed convolution reaches the output through a second
    # input of the next convolution, so it too must have a gradient.
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_the_coarsest_level_sees_far():
    torch.manual_seed(0)
    network = UNet3d((2, 3, 4)).eval()
    volume = torch.rand(1, 1, 32, 8, 8)
    other = volume.clone()
    other[:, :, :2] += 1
    difference = (network(volume) - network(other)).abs().amax(dim=(0, 1, 3, 4))
    assert difference[14] > 0  # two 3x3x3 convolutions a side alone would reach 4 voxels


def test_one_level_is_refused():
    with pytest.raises(InputError, match="two levels"):
        UNet3d((4,))
