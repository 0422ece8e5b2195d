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


def test_without_skips_the_image_comes_through_the_coarsest_level_alone():
    def double(a, b):
        return 27 * a * b + 27 * b * b + 4 * b

    a, b = 4, 8
    torch.manual_seed(0)
    network = UNet3d((a, b), skips=False)
    total = double(1, a) + double(a, b) + 8 * b * a + a + double(a, a) + a + 1
    assert sum(p.numel() for p in network.parameters()) == total
    volume = torch.rand(1, 1, 8, 8, 8)
    network(volume).square().mean().backward()
    grads = {name: p.grad for name, p in network.named_parameters()}
    # A bias before batch norm alone is taken away again.
    assert all(g.abs().sum() > 0 for name, g in grads.items() if name != "up.0.bias")
    network.eval()
    fine, coarse = network.encode(volume)
    expected = network.decode([fine, coarse])
    assert torch.equal(network.decode([torch.rand_like(fine), coarse]), expected)
    assert not torch.equal(network.decode([fine, 2 * coarse]), expected)


def test_dropout_is_of_training_and_of_all_levels_but_the_finest():
    torch.manual_seed(0)
    network = UNet3d((2, 3, 4), dropout=0.5)
    volume = torch.rand(2, 1, 8, 8, 8)
    places = []
    network.dropout.register_forward_hook(lambda _, args, out: places.append((args[0], out)))
    assert not torch.equal(network(volume), network(volume))
    assert [tuple(before.shape[1:]) for before, _ in places] == [(3, 4, 4, 4)] * 2
    kept = (places[0][1] != 0).float().mean()
    assert 0.3 < kept < 0.7
    network.eval()
    assert torch.equal(network(volume), network(volume))


def test_impossible_settings_and_grids_are_refused():
    with pytest.raises(InputError, match="two levels"):
        UNet3d((4,))
    with pytest.raises(InputError, match="dropout 1"):
        UNet3d((2, 3), dropout=1)
    with pytest.raises(InputError, match=r"multiples of 2, found \(8, 8, 7\)"):
        UNet3d((2, 3))(torch.rand(1, 1, 8, 8, 7))
