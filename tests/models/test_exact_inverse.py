"""What makes the flow's inverse exact: storage of one's own, and products that nothing rounds."""

import math

import pytest
import torch
import torch.nn.functional as F
import yaml
from torch.utils._python_dispatch import TorchDispatchMode

from mri2pet.config.systems import SYSTEMS, system_models
from mri2pet.models.glow import FlowStep, Glow
from mri2pet.models.glow_layers import ActNorm, InvertibleConv, haar, squeeze, unsqueeze
from mri2pet.models.registry import build
from mri2pet.models.voxel_norm import VoxelNorm


class Operations(TorchDispatchMode):
    """Note the names of the operations that torch carries out."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))

    def convolutions(self):
        return [name for name in self.names if "conv" in name]


def places(module):
    return [parameter.data_ptr() for parameter in module.parameters() if parameter.numel()]


@pytest.mark.parametrize("lu", [False, True])
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_steps_of_a_level_share_no_storage(lu, depth):
    flow = Glow((depth, depth), (4, 4), lu=lu, wavelets=True)
    assert len(set(places(flow))) == len(places(flow))


def test_a_start_that_two_layers_are_given_is_copied():
    start = haar(8)
    layers = [InvertibleConv(8, start=start) for _ in range(3)]
    with torch.no_grad():
        layers[0].weight.mul_(2)
    assert torch.equal(start, haar(8))
    assert torch.equal(layers[1].weight, layers[2].weight)
    assert torch.equal(layers[1].weight, start)


def test_each_step_of_a_wavelet_start_learns_its_own_matrix():
    torch.manual_seed(0)
    flow = Glow((4,), (4,), wavelets=True)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter += 0.1 * torch.randn_like(parameter) / max(1, parameter[0].numel()) ** 0.5
    optimiser = torch.optim.SGD(flow.parameters(), lr=0.1)
    latents, log_determinant = flow(torch.rand(2, 1, 4, 4, 4))
    (latents[0].square().sum() - log_determinant.sum()).backward()
    optimiser.step()
    matrices = [step.conv.weight for step in flow.levels[0].steps[1:]]
    assert not any(torch.allclose(matrices[0], other, atol=1e-4) for other in matrices[1:])


@pytest.mark.parametrize("system", list(SYSTEMS))
def test_no_network_of_the_default_ties_weights(root, system):
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    for name, entry in system_models(config, system).items():
        for part in ("generator", "discriminator"):
            if part in entry and entry[part].get("patches") != "lobes":
                found = places(build(entry[part]))
                assert len(set(found)) == len(found), (name, part)


@pytest.mark.parametrize("lu", [False, True])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last_3d])
def test_the_invertible_convolution_is_a_product_of_matrices(lu, layout):
    """cuDNN's convolutions round float32 to TF32 on newer GPUs; products of matrices do not."""
    torch.manual_seed(0)
    layer = InvertibleConv(8, lu)
    x = torch.randn(2, 8, 4, 6, 5).contiguous(memory_format=layout)
    with Operations() as noted, torch.no_grad():
        y, _ = layer(x)
        back = layer.inverse(y)
    assert not noted.convolutions()
    assert {"bmm", "mm", "addmm"} & set(noted.names)
    expected = F.conv3d(x, layer.matrix()[:, :, None, None, None])
    torch.testing.assert_close(y, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(back, x, rtol=1e-5, atol=1e-5)
    assert y.is_contiguous(memory_format=layout)
    assert back.is_contiguous(memory_format=layout)


def test_what_else_is_inverted_takes_no_convolution():
    norm, voxels = ActNorm(8), VoxelNorm((4, 4, 4), 256)
    norm.initialise(torch.randn(2, 8, 4, 4, 4))
    voxels.fit(torch.rand(3, 1, 4, 4, 4))
    x, volume = torch.randn(2, 8, 4, 4, 4), torch.rand(2, 1, 4, 4, 4)
    with Operations() as noted, torch.no_grad():
        assert torch.allclose(norm.inverse(norm(x)[0]), x, atol=1e-5)
        assert torch.allclose(voxels.inverse(voxels(volume)[0]), volume, atol=1e-6)
        assert torch.equal(unsqueeze(squeeze(volume)), volume)
    assert noted.names
    assert not noted.convolutions()


def test_coarse_rounding_of_a_coupling_s_networks_leaves_its_inverse_exact(monkeypatch):
    """Both ways compute scale and shift from the same half, so that their error cancels."""
    from mri2pet.models import coupling

    exact = coupling.native.conv3d

    def rounded(x, *arguments, **keywords):
        return exact(x.bfloat16().float(), *arguments, **keywords)

    torch.manual_seed(0)
    step = FlowStep(8, 6)
    step(torch.randn(2, 8, 4, 4, 4), torch.zeros(2))
    with torch.no_grad():
        for parameter in step.parameters():
            parameter += 0.1 * torch.randn_like(parameter) / max(1, parameter[0].numel()) ** 0.5
    x = torch.randn(2, 8, 4, 4, 4)
    with torch.no_grad():
        plain, _ = step.coupling(x)
        monkeypatch.setattr(coupling.native, "conv3d", rounded)
        coarse, _ = step.coupling(x)
        assert (coarse - plain).abs().max() > 1e-5  # the rounding is there
        assert (step.coupling.inverse(coarse) - x).abs().max() < 1e-5
        assert math.isfinite(float(coarse.sum()))
