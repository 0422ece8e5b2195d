"""The layers of a flow: squeeze, actnorm, invertible convolution, affine coupling."""

import copy
import math

import pytest
import torch
from dual_glow_small import shaken

from mri2pet.models.coupling import AffineCoupling, EdgeConv, HiddenConv
from mri2pet.models.glow_layers import ActNorm, InvertibleConv, squeeze, unsqueeze


def test_squeeze_moves_blocks_of_voxels_into_channels_and_back():
    x = torch.arange(2.0 * 3 * 4 * 6 * 8).reshape(2, 3, 4, 6, 8)
    y = squeeze(x)
    assert y.shape == (2, 24, 2, 3, 4)
    assert torch.equal(unsqueeze(y), x)
    block = x[1, 2, 2:4, 4:6, 6:8].flatten()
    assert torch.equal(y[1, 16:, 1, 2, 3], block)


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_actnorm_normalises_its_first_batch_and_that_alone(batch):
    torch.manual_seed(0)
    layer = ActNorm(3)
    x = 5 * torch.rand(batch, 3, 4, 5, 6) ** 2 + torch.tensor([1.0, -20, 300]).view(3, 1, 1, 1)
    y, _ = layer(x)
    assert torch.allclose(y.mean((0, 2, 3, 4)), torch.zeros(3), atol=1e-4)
    assert torch.allclose(y.var((0, 2, 3, 4), correction=0), torch.ones(3), atol=1e-4)
    kept = copy.deepcopy(layer.state_dict())
    layer(x + 1)
    assert all(torch.equal(kept[name], value) for name, value in layer.state_dict().items())


def test_actnorm_is_not_initialised_again_after_loading():
    first, second = ActNorm(2), ActNorm(2)
    first(torch.rand(2, 2, 3, 3, 3))
    second.load_state_dict(first.state_dict())
    second(9 * torch.rand(2, 2, 3, 3, 3))
    assert torch.equal(second.shift, first.shift)
    assert torch.equal(second.log_scale, first.log_scale)


def test_actnorm_loaded_from_an_untrained_state_is_initialised():
    used = ActNorm(2)
    used(torch.rand(2, 2, 3, 3, 3))
    used.load_state_dict(ActNorm(2).state_dict())
    y, _ = used(7 + torch.rand(2, 2, 3, 3, 3))
    assert y.mean().abs() < 1e-4


def test_actnorm_sets_nothing_in_evaluation():
    layer = ActNorm(2).eval()
    x = torch.rand(2, 2, 3, 3, 3)
    assert torch.equal(layer(x)[0], x)
    assert not layer.initialised


def test_actnorm_leaves_the_scale_of_a_constant_channel():
    layer = ActNorm(2)
    y, log_determinant = layer(torch.full((1, 2, 1, 1, 1), 7.0))
    assert torch.equal(y, torch.zeros_like(y))
    assert log_determinant.item() == 0


def test_hidden_convolution_is_normalised_by_its_first_batch():
    torch.manual_seed(0)
    for kernel in (3, 1):
        layer = HiddenConv(2, 5, kernel)
        x = torch.randn(2, 2, 6, 6, 6)
        layer(x)
        scale, _ = layer.scale()
        plain = layer._convolve(x, torch.ones(5), torch.zeros(5))
        y = (plain + layer.shift.view(1, -1, 1, 1, 1)) * scale.view(1, -1, 1, 1, 1)
        assert y.mean((0, 2, 3, 4)).abs().max() < 1e-4
        assert (y.var((0, 2, 3, 4), correction=0) - 1).abs().max() < 1e-4
        assert torch.allclose(layer(x), y.clamp_min(0), atol=1e-5)  # folded into the weights


def test_edge_channel_is_one_in_the_padding():
    torch.manual_seed(0)
    layer = EdgeConv(2, 3, sd=1.0)
    x, scale, shift = torch.randn(2, 2, 4, 5, 6), torch.rand(3), torch.randn(3)
    padded = torch.nn.functional.pad(x, (1,) * 6)
    outside = torch.nn.functional.pad(torch.zeros(2, 1, 4, 5, 6), (1,) * 6, value=1.0)
    weight = torch.cat([layer.weight, layer.edge], dim=1)
    expected = torch.nn.functional.conv3d(torch.cat([padded, outside], dim=1), weight)
    expected = expected * scale.view(-1, 1, 1, 1) + shift.view(-1, 1, 1, 1)
    assert torch.allclose(layer(x, scale, shift), expected, atol=1e-4)


@pytest.mark.parametrize("lu", [False, True])
def test_convolution_starts_orthogonal_and_lu_gives_the_same_determinant(lu):
    torch.manual_seed(0)
    layer = InvertibleConv(8, lu)
    matrix = layer.matrix()
    assert torch.allclose(matrix @ matrix.T, torch.eye(8), atol=1e-5)
    shaken(layer, 0.5)
    expected = torch.linalg.slogdet(layer.matrix().double()).logabsdet
    assert abs(layer.log_determinant().item() - expected.item()) < 1e-5
    assert expected.abs() > 1e-2


def test_coupling_is_the_affine_map_of_equation_13():
    torch.manual_seed(0)
    layer = shaken(AffineCoupling(4, 5), 1.0)
    layer(torch.rand(2, 4, 4, 4, 4))
    a, b, c = (torch.randn(1, 2, 4, 4, 4) for _ in range(3))
    zero, _ = layer(torch.cat([a, torch.zeros_like(b)], 1))
    first, s = layer(torch.cat([a, b], 1))
    second, _ = layer(torch.cat([a, b + c], 1))
    assert torch.equal(first[:, :2], a)
    t = zero[:, 2:]
    scale = (second - first)[:, 2:] / c
    assert torch.allclose(first[:, 2:], b * scale + t, atol=1e-4)
    assert torch.allclose(scale.log().sum(), s.squeeze(), rtol=1e-3)


def test_coupling_is_undone_where_its_scale_would_vanish():
    torch.manual_seed(0)
    layer = AffineCoupling(4, 5).double()
    with torch.no_grad():
        layer.shift[2:] = -1e3
    x = torch.randn(2, 4, 4, 4, 4, dtype=torch.float64)
    y, log_determinant = layer(x)
    assert torch.allclose(layer.inverse(y), x)
    assert torch.allclose(log_determinant, torch.tensor(math.log(1e-3) * 2 * 64).double())
