import itertools

import pytest
import torch
from torch import nn

from mri2pet.errors import InputError
from mri2pet.models.blocks import join_grid, split_grid
from mri2pet.models.gla_gan import GRIDS, GlaGan, GlaGanDiscriminator, LocalPaths

PAPER = (64, 64, 128, 64)
SMALL = (2, 2, 3, 2)


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def printed_path(filters):
    """Parameters of four residual blocks by the printed filters, from a one-channel volume."""
    total = 0
    for before, after in itertools.pairwise((1, *filters)):
        total += 27 * before * after + 27 * after * after + 2 * 2 * after
        if before != after:
            total += before * after + 2 * after
    return total


def every_parameter_has_gradient(network, volume):
    network(volume).square().mean().backward()
    return all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize("patches", [2, 4, 8])
def test_paper_size_has_the_parameters_of_the_printed_filters(patches):
    fusion = 27 * 128 * 64 + 2 * 64 + 27 * 64 * 1 + 1
    with torch.device("meta"):
        network = GlaGan(PAPER, patches)
    assert count(network) == (1 + patches) * printed_path(PAPER) + fusion


def test_the_generator_is_a_ten_layer_resnet_of_unit_stride():
    with torch.device("meta"):
        path = GlaGan(PAPER).global_path
    body = [m for block in path for m in block.body if isinstance(m, nn.Conv3d)]
    assert len(body) + 2 == 10
    assert [block.body[0].out_channels for block in path] == list(PAPER)
    assert {(m.kernel_size, m.stride) for m in body} == {((3, 3, 3), (1, 1, 1))}


@pytest.mark.parametrize(("patches", "shape"), [(2, (8, 16, 16)), (4, (8, 8, 16)), (8, (8, 8, 8))])
def test_patches_are_disjoint_cuboids_of_the_printed_proportions(patches, shape):
    volume = torch.arange(16.0**3).reshape(1, 1, 16, 16, 16)
    pieces = split_grid(volume, GRIDS[patches])
    assert [tuple(piece.shape[2:]) for piece in pieces] == [shape] * patches
    assert torch.equal(torch.cat([p.flatten() for p in pieces]).sort().values, volume.flatten())
    assert torch.equal(join_grid(pieces, GRIDS[patches]), volume)


def test_paper_patches_are_32_by_32_by_64():
    pieces = split_grid(torch.empty(1, 1, 64, 64, 64, device="meta"), GRIDS[4])
    assert {tuple(piece.shape[2:]) for piece in pieces} == {(32, 32, 64)}


def test_uneven_cut_is_refused():
    with pytest.raises(InputError, match="cannot be cut"):
        split_grid(torch.zeros(1, 1, 7, 8, 8), (2, 2, 1))
    with pytest.raises(ValueError, match="do not fill"):
        join_grid([torch.zeros(1, 1, 4, 4, 4)] * 3, (2, 2, 1))


@pytest.mark.parametrize("patches", [2, 4, 8])
def test_fused_patches_are_in_their_places(patches):
    local = LocalPaths(SMALL, GRIDS[patches], grouped=False)
    local.paths = nn.ModuleList(nn.Identity() for _ in range(patches))
    volume = torch.rand(2, 1, 8, 8, 8)
    assert torch.equal(local(volume), volume)


@pytest.mark.parametrize("patches", [2, 4, 8])
def test_a_local_path_sees_its_own_patch_only(patches):
    torch.manual_seed(0)
    local = LocalPaths(SMALL, GRIDS[patches]).eval()
    volume = torch.rand(1, 1, 8, 8, 8)
    before = split_grid(local(volume), local.grid)
    for changed in range(patches):
        pieces = [piece.clone() for piece in split_grid(volume, local.grid)]
        pieces[changed] += 1
        after = split_grid(local(join_grid(pieces, local.grid)), local.grid)
        same = [torch.equal(a, b) for a, b in zip(after, before, strict=True)]
        assert same == [k != changed for k in range(patches)]


def test_local_paths_have_weights_of_their_own():
    torch.manual_seed(0)
    network = GlaGan(SMALL, 4)
    first = [path[0].body[0].weight for path in network.local_paths.paths]
    for a, b in itertools.combinations([*first, network.global_path[0].body[0].weight], 2):
        assert not torch.equal(a, b)


@pytest.mark.parametrize(
    ("patches", "global_path"), [(2, True), (4, True), (8, True), (0, True), (4, False)]
)
def test_generator_keeps_the_shape_and_trains_every_parameter(patches, global_path):
    torch.manual_seed(0)
    network = GlaGan(SMALL, patches, global_path)
    volume = torch.rand(2, 1, 16, 16, 16)
    pet = network(volume)
    assert pet.shape == volume.shape
    assert 0 < pet.min() < pet.max() < 1
    assert every_parameter_has_gradient(network, volume)


def test_global_path_sees_across_patch_borders():
    torch.manual_seed(0)
    network = GlaGan(SMALL, 0).eval()
    volume = torch.rand(1, 1, 16, 16, 16)
    other = volume.clone()
    other[:, :, 8:] += 1
    assert not torch.equal(network(volume)[:, :, 7], network(other)[:, :, 7])


def test_impossible_generators_are_refused():
    with pytest.raises(InputError, match="patches is 3"):
        GlaGan(SMALL, 3)
    with pytest.raises(InputError, match="there must be patches"):
        GlaGan(SMALL, 0, global_path=False)


def test_discriminator_of_paper_size_gives_one_value_a_volume():
    filters, kernels = (64, 128, 256, 512, 64, 1), (4, 4, 4, 4, 2, 2)
    with torch.device("meta"):
        network = GlaGanDiscriminator()
        assert network(torch.empty(3, 1, 64, 64, 64)).shape == (3, 1, 1, 1, 1)
    layers = zip((1, *filters[:-1]), filters, kernels, strict=True)
    assert count(network) == sum(k**3 * a * b for a, b, k in layers) + 2 * sum(filters[:-1]) + 1
    kinds = [type(layer) for layer in network.layers]
    assert kinds == [nn.Conv3d, nn.BatchNorm3d, nn.LeakyReLU] * 5 + [nn.Conv3d]


def test_discriminator_fills_a_cropped_volume_up_with_zeros():
    torch.manual_seed(0)
    network = GlaGanDiscriminator((2, 2, 2, 2, 2, 1)).eval()
    cropped = torch.rand(1, 1, 56, 64, 48)
    whole = torch.zeros(1, 1, 64, 64, 64)
    whole[:, :, :56, :, :48] = cropped
    assert torch.equal(network(cropped), network(whole))


def test_discriminator_of_two_channels_sees_both():
    torch.manual_seed(0)
    network = GlaGanDiscriminator((2, 2, 2, 2, 2, 1), strides=(2, 1, 1, 1, 2, 1), channels=2)
    assert count(network) - count(GlaGanDiscriminator((2, 2, 2, 2, 2, 1))) == 4**3 * 2
    volumes = torch.rand(2, 2, 16, 16, 16)
    before = network.eval()(volumes)
    for channel in range(2):
        other = volumes.clone()
        other[:, channel] += 1
        assert not torch.allclose(network(other), before)


@pytest.mark.parametrize(("patches", "global_path"), [(0, True), (4, False)])
def test_global_and_local_gan_are_one_of_the_two_modules(patches, global_path):
    with torch.device("meta"):
        whole, part = GlaGan(PAPER, 4), GlaGan(PAPER, patches, global_path)
    left_out = "local_paths" if global_path else "global_path"
    kept = {name for name in whole.state_dict() if not name.startswith(left_out)}
    assert set(part.state_dict()) == kept
    assert part.fusion[0].in_channels == PAPER[-1]


def test_local_gan_sees_no_further_than_its_fusion_across_a_border():
    torch.manual_seed(0)
    network = GlaGan(SMALL, 2, global_path=False).eval()
    volume = torch.rand(1, 1, 16, 16, 16)
    other = volume.clone()
    other[:, :, 8:] += 1
    same = (network(volume) == network(other)).all(dim=(0, 1, 3, 4))
    # The two convolutions after the fusion reach one voxel each.
    assert same.tolist() == [True] * 6 + [False] * 10


def test_discriminator_trains_every_parameter():
    torch.manual_seed(0)
    network = GlaGanDiscriminator((2, 2, 2, 2, 2, 1), strides=(2, 1, 1, 1, 2, 1))
    assert every_parameter_has_gradient(network, torch.rand(2, 1, 16, 16, 16))


def test_discriminator_settings_must_agree():
    with pytest.raises(InputError, match="equally long"):
        GlaGanDiscriminator((2, 1))
