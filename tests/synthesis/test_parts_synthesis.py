import numpy as np
import pytest
import torch
from torch import nn

from mri2pet.datasets.parts import Parts
from mri2pet.models.resnet import ResnetGenerator
from mri2pet.synthesis.stack_parts import synthesise_parts

SHAPE = (19, 22, 17)
PARTS = [
    Parts("slices", 3, 3),
    Parts("slices", 3, 3, synthesis_stride=1, keep=1),
    Parts("patches", 8, 4),
    Parts("patches", 8, 4, keep=4),
    Parts("patches", 12, 8, keep=8),
]


@pytest.fixture
def volumes():
    return np.random.default_rng(0).random((2, *SHAPE)).astype(np.float32)


@pytest.fixture
def mask():
    inside = np.zeros(SHAPE, bool)
    inside[2:-3, 1:-2, 1:] = True
    return inside


@pytest.mark.parametrize("crop", [0, 1])
@pytest.mark.parametrize("parts", PARTS)
def test_an_identity_gives_the_brain_back_bit_by_bit(volumes, mask, parts, crop):
    made = synthesise_parts(nn.Identity(), volumes, mask, parts, crop=crop, batch=5)
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made, volumes * mask)


@pytest.mark.parametrize("parts", PARTS)
def test_the_generator_sees_nothing_outside_the_brain(volumes, mask, parts):
    class Inverse(nn.Module):
        def forward(self, x):
            return 1 - x

    made = synthesise_parts(Inverse(), volumes, mask, parts)
    other = synthesise_parts(Inverse(), volumes * mask, mask, parts)
    np.testing.assert_array_equal(made, other)
    np.testing.assert_allclose(made, (1 - volumes) * mask, rtol=1e-6)


def test_a_slice_network_gives_what_it_gives_for_the_slices_alone(volumes, mask):
    torch.manual_seed(0)
    network = ResnetGenerator((2, 4), 1, 3).eval()
    made = synthesise_parts(network, volumes, mask, PARTS[1], batch=4)
    brain = torch.from_numpy(volumes[1] * mask)
    with torch.inference_mode():
        alone = network(brain[:, :, 7:10].movedim(2, 0)[None])[0, 1].numpy()
    np.testing.assert_allclose(made[1, :, :, 8], alone * mask[:, :, 8], atol=1e-6)
