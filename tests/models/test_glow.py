"""The flow of several levels: inverse, determinant, likelihood, what it keeps."""

import itertools
import math

import pytest
import torch
from dual_glow_small import shaken

from mri2pet.errors import InputError
from mri2pet.models.glow import Glow, gaussian_log_density
from mri2pet.models.glow_layers import haar, squeeze


def small_glow(depth=(2, 2), width=(6, 6), lu=False, checkpointing=False, size=8):
    """Return a flow with its actnorms set from data and all weights shaken."""
    torch.manual_seed(0)
    flow = Glow(depth, width, lu, checkpointing)
    flow(torch.rand(3, 1, size, size, size))
    return shaken(flow)


def jacobian_log_determinant(function, x):
    jacobian = torch.autograd.functional.jacobian(lambda v: function(v).flatten(), x)
    return torch.linalg.slogdet(jacobian.reshape(x.numel(), x.numel())).logabsdet


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.float64, 1e-9)])
@pytest.mark.parametrize("lu", [False, True])
def test_inverse_is_exact(dtype, tolerance, lu):
    flow = small_glow((3, 3, 3), (8, 8, 8), lu, size=16).to(dtype)
    x = torch.rand(2, 1, 16, 8, 24, dtype=dtype)
    latents, _ = flow(x)
    assert [z.shape for z in latents] == [
        (2, 4, 8, 4, 12),
        (2, 16, 4, 2, 6),
        (2, 128, 2, 1, 3),
    ]
    assert (flow.inverse(latents) - x).norm() / x.norm() < tolerance
    assert (flow.inverse(latents) - x).abs().max() < tolerance
    back, _ = flow(flow.inverse([torch.randn_like(z) for z in latents]))
    assert all(z.isfinite().all() for z in back)


@pytest.mark.parametrize("lu", [False, True])
def test_log_determinant_is_that_of_the_jacobian(lu):
    flow = small_glow(lu=lu).double().eval()
    x = torch.rand(2, 1, 4, 4, 8, dtype=torch.float64)
    _, log_determinant = flow(x)
    for i in range(2):
        expected = jacobian_log_determinant(
            lambda v: torch.cat([z.flatten() for z in flow(v)[0]]), x[i : i + 1]
        )
        assert abs(log_determinant[i] - expected) < 1e-6
    assert abs(log_determinant[0] - log_determinant[1]) > 1e-3  # each volume has its own


def test_density_of_the_flow_integrates_to_the_gaussian():
    z = torch.randn(3, 2, 2, 2, 2, dtype=torch.float64)
    mean, log_sigma = torch.randn(2, 3, 2, 2, 2, 2, dtype=torch.float64)
    expected = torch.distributions.Normal(mean, log_sigma.exp()).log_prob(z).flatten(1).sum(1)
    assert torch.allclose(gaussian_log_density(z, mean, log_sigma), expected)
    standard = torch.distributions.Normal(0, 1).log_prob(z).flatten(1).sum(1)
    assert torch.allclose(gaussian_log_density(z), standard)


def test_likelihood_rises_with_training():
    torch.manual_seed(0)
    flow = Glow((2, 2), (8, 8))
    line = torch.linspace(-1, 1, 8)
    ball = (line[:, None, None] ** 2 + line[:, None] ** 2 + line**2 < 0.8).float()
    x = ball * (0.5 + 0.1 * torch.rand(4, 1, 1, 1, 1)) + torch.rand(4, 1, 8, 8, 8) / 256
    optimiser = torch.optim.Adamax(flow.parameters(), lr=0.005)

    def log_likelihood():
        latents, log_determinant = flow(x)
        return (log_determinant + sum(gaussian_log_density(z) for z in latents)).mean()

    history = []
    for _ in range(20):
        optimiser.zero_grad()
        loss = -log_likelihood()
        loss.backward()
        optimiser.step()
        history.append(-loss.item())
    bits = [value / math.log(2) / 512 for value in history]
    assert bits[-1] > bits[0] + 0.5
    assert sum(b > a for a, b in itertools.pairwise(bits)) > 14


@pytest.mark.parametrize("fresh", [False, True])
def test_checkpointing_changes_memory_and_not_the_gradients(fresh, monkeypatch):
    """Also where the actnorms are set within the very step (`fresh`)."""
    monkeypatch.setattr("mri2pet.models.glow.WORTH_SPARING", 0)
    x = torch.rand(2, 1, 8, 8, 8)
    gradients, kept = [], []
    for checkpointing in (False, True):
        torch.manual_seed(0)
        flow = Glow((3, 2), (6, 6), False, checkpointing)
        if not fresh:
            flow(x)
            shaken(flow)
        sizes = {}

        def note(tensor, sizes=sizes):
            sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            latents, log_determinant = flow(x)
        (sum(z.square().sum() for z in latents) - log_determinant.sum()).backward()
        gradients.append([p.grad for p in flow.parameters()])
        kept.append(sum(sizes.values()))
    assert all(g is not None for g in gradients[0])
    for plain, saving in zip(*gradients, strict=True):
        assert torch.allclose(plain, saving, rtol=1e-5, atol=1e-6)
    assert kept[1] < kept[0] / 2


@pytest.mark.parametrize(("side", "twice"), [(8, 0), (32, 2)])
def test_only_steps_that_keep_much_are_computed_twice(side, twice, monkeypatch):
    calls = []
    monkeypatch.setattr(
        "mri2pet.models.glow.checkpoint", lambda step, *given, **_: calls.append(1) or step(*given)
    )
    Glow((2,), (256,), False, checkpointing=True)(torch.rand(1, 1, side, side, side))
    assert len(calls) == twice


def test_every_parameter_is_trained():
    flow = small_glow()
    latents, log_determinant = flow(torch.rand(2, 1, 8, 8, 8))
    (sum(z.square().sum() for z in latents) - log_determinant.sum()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in flow.parameters())


def test_autocast_keeps_codes_and_log_determinants_in_float32():
    flow = small_glow((2, 2), (8, 8))
    x = torch.rand(2, 1, 8, 8, 8)
    latents, log_determinant = flow(x)
    with torch.autocast("cpu", torch.bfloat16):
        half, half_determinant = flow(x)
        back = flow.inverse(half)
    assert half_determinant.dtype == torch.float32
    assert {z.dtype for z in half} == {torch.float32}
    assert not torch.equal(half[0], latents[0])  # the couplings did run in bfloat16
    assert (half_determinant - log_determinant).abs().max() < 0.02 * x[0].numel()
    assert (back - x).abs().max() < 1e-4  # and are undone all the same


def test_a_level_computes_the_determinants_of_its_convolutions_at_once():
    flow = small_glow()
    x = torch.rand(1, 8, 4, 4, 4)
    level = flow.levels[0]
    _, together = level(x, torch.zeros(1))
    alone = torch.zeros(1)
    for step in level.steps:
        x, alone = step(x, alone)
    assert torch.allclose(together, alone, atol=1e-4)


def test_impossible_flows_are_refused():
    with pytest.raises(InputError, match="one number a level"):
        Glow((2, 2), (8,))
    with pytest.raises(InputError, match="must be positive"):
        Glow((2, 0), (8, 8))
    with pytest.raises(InputError, match="not divisible by 4"):
        Glow((1, 1), (4, 4))(torch.zeros(1, 1, 8, 6, 8))


def test_paper_size_has_the_levels_and_channels_of_the_paper():
    with torch.device("meta"):
        flow = Glow((16,) * 4, (512,) * 4)
    assert flow.channels == [4, 16, 64, 512]
    assert [len(level.steps) for level in flow.levels] == [16] * 4


def test_haar_start_sends_the_coarse_image_up():
    matrix = haar(32)
    assert torch.allclose(matrix @ matrix.T, torch.eye(32), atol=1e-6)
    x = torch.rand(2, 4, 4, 4, 4)
    bands = torch.einsum("ij,bjxyz->bixyz", matrix, squeeze(x))
    means = torch.nn.functional.avg_pool3d(x, 2)
    assert torch.allclose(bands[:, :4] / 8**0.5, means, atol=1e-6)
    flow = Glow((2,), (4,), wavelets=True)
    assert torch.equal(flow.levels[0].steps[0].conv.weight, haar(8))
    assert torch.equal(flow.levels[0].steps[1].conv.weight, torch.eye(8))
