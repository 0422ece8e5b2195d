import pytest
import torch
from torch import nn

import mri2pet.models.norm as norm
from mri2pet.models.norm import BatchNorm, InstanceNorm

LAST = torch.channels_last_3d


def twins(channels, momentum=0.1):
    torch.manual_seed(0)
    own, reference = BatchNorm(channels, momentum=momentum), nn.BatchNorm3d(channels)
    reference.momentum = momentum
    for layer in (own, reference):
        torch.manual_seed(1)
        nn.init.uniform_(layer.weight, 0.5, 2)
        nn.init.uniform_(layer.bias, -1, 1)
    return own, reference.double()


def used(monkeypatch):
    """Count how often the way for few channels is taken."""
    calls = []
    original = norm._FewChannels.apply
    monkeypatch.setattr(norm._FewChannels, "apply", lambda *a: calls.append(1) or original(*a))
    return calls


@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize("shape", [(2, 4, 8, 6, 4), (3, 3, 5, 3, 7), (1, 1, 8, 8, 8)])
def test_equals_torch_forwards_backwards_and_in_its_statistics(monkeypatch, shape, momentum):
    calls = used(monkeypatch)
    monkeypatch.setattr(norm.native, "fits", lambda x: False)  # one channel is contiguous as well
    own, reference = twins(shape[1], momentum)
    for step in range(3):
        # A mean far from zero shows sums of squares that cancel.
        x = (torch.randn(shape) + 30 * step).contiguous(memory_format=LAST)
        gradient = torch.randn(shape)
        results = []
        for layer in (own, reference):
            y = x.clone().to(layer.weight.dtype).requires_grad_()
            out = layer(y)
            out.backward(gradient.to(out.dtype))
            results.append([out, y.grad, layer.weight.grad, layer.bias.grad, *layer.buffers()])
        for a, b in zip(*results, strict=True):
            torch.testing.assert_close(a.to(b.dtype), b, rtol=2e-4, atol=2e-4)
        assert results[0][0].is_contiguous(memory_format=LAST)
        own.zero_grad()
        reference.zero_grad()
    assert len(calls) == 3


@pytest.mark.parametrize("shape", [(2, 4, 8, 6, 4), (3, 3, 5, 3, 7), (1, 16, 4, 4, 4)])
def test_instance_norm_equals_torchs(monkeypatch, shape):
    calls = used(monkeypatch)
    torch.manual_seed(0)
    x = (torch.randn(shape) + 3).contiguous(memory_format=LAST)
    gradient = torch.randn(shape)
    results = []
    for norm_of, dtype in (
        (InstanceNorm(shape[1]), torch.float32),
        (nn.InstanceNorm3d(shape[1]), torch.float64),
    ):
        y = x.to(dtype, copy=True).requires_grad_()
        out = norm_of(y)
        out.backward(gradient.to(dtype))
        results.append((out.double(), y.grad.double()))
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)
    contiguous = InstanceNorm(shape[1])(x.contiguous())
    torch.testing.assert_close(contiguous.double(), results[1][0], rtol=1e-4, atol=1e-4)
    assert len(calls) == 1


def test_many_channels_other_layouts_and_evaluation_are_torchs_own(monkeypatch):
    calls = used(monkeypatch)
    own, _ = twins(8)
    own(torch.randn(2, 8, 4, 4, 4).contiguous(memory_format=LAST))
    few, _ = twins(4)
    few(torch.randn(2, 4, 4, 4, 4))
    few.eval()(torch.randn(2, 4, 4, 4, 4).contiguous(memory_format=LAST))
    assert not calls


def test_the_result_may_be_changed_in_place():
    own, reference = twins(4)
    x = torch.randn(2, 4, 4, 4, 4).contiguous(memory_format=LAST)
    gradients = []
    for layer in (own, reference):
        y = x.clone().to(layer.weight.dtype).requires_grad_()
        nn.functional.leaky_relu(layer(y), 0.2, inplace=True).square().sum().backward()
        gradients.append(y.grad)
    torch.testing.assert_close(gradients[0].double(), gradients[1], rtol=1e-4, atol=1e-4)
