"""Both readings of equation 7: of regional means, and of a region's voxels."""

import numpy as np
import pytest
import torch

from mri2pet.errors import InputError
from mri2pet.training.losses import SynthesisLoss
from mri2pet.training.recipe import as_measured
from mri2pet.training.roi_loss import RoiLoss

SHAPE, LOST = (12, 10, 9), 5  # a label that the grid has no voxel of
REGIONS = [i for i in range(1, 9) if i != LOST]
READINGS = ("means", "voxels")


@pytest.fixture
def labels():
    found = np.random.default_rng(1).integers(0, 9, SHAPE)
    found[found == LOST] = 0
    return found


@pytest.fixture
def volumes():
    """Two volumes, (2, 1, X, Y, Z) in double precision."""
    rng = np.random.default_rng(0)
    return rng.random((2, 1, *SHAPE)), rng.random((2, 1, *SHAPE))


def written_out(predicted, real, labels, of):
    """Equation 7 region by region, mean over the batch."""
    found = []
    for x, y in zip(predicted[:, 0], real[:, 0], strict=True):
        differences = [(x - y)[labels == i] for i in REGIONS]
        squared = [d.mean() ** 2 if of == "means" else (d**2).mean() for d in differences]
        found.append(np.mean(squared))
    return np.mean(found)


@pytest.mark.parametrize("of", READINGS)
def test_it_is_the_formula_region_by_region(volumes, labels, of):
    tensors = [torch.tensor(volume, dtype=torch.float32) for volume in volumes]
    loss = RoiLoss(torch.tensor(labels), of)(*tensors)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(written_out(*volumes, labels, of), rel=1e-4)


def test_means_are_the_default(volumes, labels):
    tensors = [torch.tensor(volume) for volume in volumes]
    labels = torch.tensor(labels)
    assert RoiLoss(labels)(*tensors) == RoiLoss(labels, "means")(*tensors)
    assert RoiLoss(labels)(*tensors) != RoiLoss(labels, "voxels")(*tensors)


def test_noise_that_leaves_the_regional_means_counts_for_voxels_alone(volumes, labels):
    real = volumes[1]
    noise = np.random.default_rng(2).normal(0, 0.3, real.shape)
    for i in np.unique(labels):
        noise[..., labels == i] -= noise[..., labels == i].mean(-1, keepdims=True)
    tensors = torch.tensor(real + noise), torch.tensor(real)
    labels = torch.tensor(labels)
    assert RoiLoss(labels, "means")(*tensors).item() < 1e-20
    assert RoiLoss(labels, "voxels")(*tensors).item() == pytest.approx(0.09, rel=0.1)


@pytest.mark.parametrize("of", READINGS)
def test_small_regions_weigh_like_large_ones(of):
    labels = torch.ones(4, 4, 4, dtype=torch.uint8)
    labels[0, 0, 0] = 2
    real = torch.zeros(1, 1, 4, 4, 4)
    predicted = real.clone()
    predicted[..., 0, 0, 0] = 1
    assert RoiLoss(labels, of)(predicted, real).item() == pytest.approx(0.5)


@pytest.mark.parametrize("of", READINGS)
def test_voxels_of_no_region_do_not_count(volumes, labels, of):
    predicted, real = (torch.tensor(volume) for volume in volumes)
    loss = RoiLoss(torch.tensor(labels), of)
    before = loss(predicted, real)
    predicted[..., torch.tensor(labels) == 0] += 100
    assert loss(predicted, real) == before


@pytest.mark.parametrize("of", READINGS)
def test_gradients_are_those_of_the_formula(volumes, labels, of):
    x, y = (torch.tensor(volume[..., :5, :4, :3]) for volume in volumes)
    loss = RoiLoss(torch.tensor(labels[:5, :4, :3]), of)
    assert torch.autograd.gradcheck(lambda p: loss(p, y), x.requires_grad_())


@pytest.mark.parametrize("of", READINGS)
def test_under_autocast_it_is_the_same_and_so_are_its_gradients(volumes, labels, of):
    x, y = (torch.tensor(volume, dtype=torch.float32) for volume in volumes)
    x.requires_grad_()
    sums = SynthesisLoss({"roi": {"weight": 1.0, "of": of}}, torch.tensor(labels))
    (expected,) = torch.autograd.grad(sums(x, y)[0], x)
    with torch.autocast("cpu", torch.bfloat16):
        total, _ = sums(x, y)
        (gradient,) = torch.autograd.grad(total, x)
        half, _ = sums(x.bfloat16(), y)
    assert total.dtype == half.dtype == torch.float32
    assert torch.equal(gradient, expected)
    assert half.item() == pytest.approx(total.item(), rel=0.02)


@pytest.mark.parametrize("of", READINGS)
def test_a_gap_of_the_pet_counts_for_nothing(volumes, labels, of):
    """As the recipes do it: what is made is replaced by the target where nothing is measured."""
    made, real = (torch.tensor(volume) for volume in volumes)
    made.requires_grad_()
    seen = torch.ones(made.shape, dtype=torch.bool)
    seen[..., :3] = False
    loss = RoiLoss(torch.tensor(labels), of)
    value = loss(as_measured(made, real, {"seen": seen}), real)
    (gradient,) = torch.autograd.grad(value, made)
    assert value > 0
    assert not gradient[~seen].any()
    other = torch.where(seen, made, made + 5)
    assert loss(as_measured(other, real, {"seen": seen}), real) == value


def test_faulty_settings_are_refused():
    with pytest.raises(InputError, match="no region"):
        RoiLoss(torch.zeros(4, 4, 4))
    with pytest.raises(InputError, match=r"losses\.roi\.of: 'median' is neither means nor voxels"):
        RoiLoss(torch.ones(4, 4, 4), of="median")
