"""Local paths as one computation: the same outputs, gradients and statistics as path by path."""

import copy

import pytest
import torch
from torch import nn

import mri2pet.models.gla_gan as gla_gan
from mri2pet.models.gla_gan import GRIDS, GlaGan, LocalPaths

FORWARDS = {"rtol": 1e-4, "atol": 1e-5}
EXACT = {"rtol": 1e-9, "atol": 1e-9}


def twins(patches, filters=(3, 3, 5, 4)):
    torch.manual_seed(0)
    one_by_one = LocalPaths(filters, GRIDS[patches], grouped=False)
    for layer in one_by_one.modules():
        if isinstance(layer, nn.BatchNorm3d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.uniform_(layer.bias, -0.5, 0.5)
    together = copy.deepcopy(one_by_one)
    together.grouped = True
    return one_by_one, together


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last_3d])
@pytest.mark.parametrize("patches", [2, 4, 8])
def test_outputs_gradients_and_statistics_are_those_of_path_by_path(patches, layout):
    """In double precision, where rounding does not hide a difference."""
    volume = torch.rand(2, 1, 8, 8, 16, dtype=torch.float64).contiguous(memory_format=layout)
    target = torch.rand(2, 4, 8, 8, 16, dtype=torch.float64)
    results = []
    for local in twins(patches):
        local.double().to(memory_format=layout)
        x = volume.clone().requires_grad_()
        out = local(x)
        (out - target).square().sum().backward()
        results.append((out, x.grad, local))
    (expected, of_input, one_by_one), (made, own, together) = results
    torch.testing.assert_close(made, expected, **EXACT)
    torch.testing.assert_close(own, of_input, **EXACT)
    gradients = zip(one_by_one.named_parameters(), together.parameters(), strict=True)
    for (name, a), b in gradients:
        assert a.grad.abs().sum() > 0
        torch.testing.assert_close(b.grad, a.grad, **EXACT, msg=name)
    for a, b in zip(one_by_one.buffers(), together.buffers(), strict=True):
        torch.testing.assert_close(b, a, **EXACT)
        assert a.abs().sum() > 0  # something was learnt of the volumes


@pytest.mark.parametrize("momentum", [0.1, None])
def test_evaluation_and_recalibration_use_the_same_statistics(momentum):
    one_by_one, together = twins(4)
    for local in (one_by_one, together):
        for layer in local.modules():
            if isinstance(layer, nn.BatchNorm3d):
                layer.momentum = momentum
        for seed in range(3):
            torch.manual_seed(seed)
            local(torch.rand(2, 1, 8, 8, 8))
        local.eval()
    volume = torch.rand(1, 1, 8, 8, 8)
    torch.testing.assert_close(together(volume), one_by_one(volume), **FORWARDS)
    counts = [b for n, b in together.named_buffers() if n.endswith("num_batches_tracked")]
    assert all(int(count) == 3 for count in counts)


def test_weights_of_one_way_are_weights_of_the_other():
    one_by_one = GlaGan((2, 2, 3, 2), 4, grouped=False)
    together = GlaGan((2, 2, 3, 2), 4, grouped=True)
    together.load_state_dict(one_by_one.state_dict())
    volume = torch.rand(2, 1, 8, 8, 8)
    torch.testing.assert_close(together.eval()(volume), one_by_one.eval()(volume), **FORWARDS)


@pytest.mark.parametrize("chosen", [True, False])
def test_the_device_chooses_where_nothing_is_said(monkeypatch, chosen):
    taken = []
    monkeypatch.setattr(gla_gan, "GROUPED", {"cpu": chosen})
    original = gla_gan.run_grouped
    monkeypatch.setattr(gla_gan, "run_grouped", lambda *a: taken.append(1) or original(*a))
    GlaGan((2, 2), 4)(torch.rand(1, 1, 8, 8, 8))
    assert bool(taken) == chosen
