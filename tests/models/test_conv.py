import pytest
import torch
from torch import nn

import mri2pet.models.conv as conv
from mri2pet.models.conv import Conv3x3x3

LAST = torch.channels_last_3d


@pytest.fixture
def calls(monkeypatch):
    """How often four neighbours are taken together."""
    counted = []
    original = conv._Windows.apply
    monkeypatch.setattr(conv._Windows, "apply", lambda x: counted.append(1) or original(x))
    return counted


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(2, 4, 5, 6, 8), (1, 3, 4, 4, 4), (3, 2, 1, 3, 12)])
@pytest.mark.parametrize("after", [1, 4])
def test_equals_torch_forwards_and_backwards(calls, shape, after, bias):
    torch.manual_seed(0)
    own = Conv3x3x3(shape[1], after, bias)
    reference = nn.Conv3d(shape[1], after, 3, padding=1, bias=bias)
    reference.load_state_dict(own.state_dict())
    reference.double()
    x, gradient = torch.randn(shape), torch.randn(shape[0], after, *shape[2:])
    results = []
    for layer in (own, reference):
        y = x.to(layer.weight.dtype, copy=True).contiguous(memory_format=LAST).requires_grad_()
        out = layer(y)
        out.backward(gradient.to(out.dtype))
        results.append([out, y.grad, *(p.grad for p in layer.parameters())])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a.double(), b, rtol=1e-4, atol=1e-5)
    assert results[0][0].is_contiguous(memory_format=LAST)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("channels", "length", "layout"),
    [((8, 4), 8, LAST), ((4, 8), 8, LAST), ((1, 4), 8, LAST), ((4, 4), 6, LAST),
     ((4, 4), 8, torch.contiguous_format)],
)  # fmt: skip
def test_all_else_is_torchs_own(calls, channels, length, layout):
    layer = Conv3x3x3(*channels)
    x = torch.rand(2, channels[0], 5, 6, length).contiguous(memory_format=layout)
    assert torch.equal(layer(x), nn.Conv3d.forward(layer, x))
    assert not calls
