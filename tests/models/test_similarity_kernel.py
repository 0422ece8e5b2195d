"""Structural similarity by the compiled kernels against torch's own operations."""

import pytest
import torch
from test_native import close, compiled  # noqa: F401 (a fixture)

from mri2pet.models.native import operations, similarity
from mri2pet.training.losses import ms_ssim_loss, ssim, ssim_maps


@pytest.fixture
def by_kernel(compiled, monkeypatch):  # noqa: F811
    monkeypatch.setattr(similarity, "kernels", operations.kernels)


def plain(x, y, window):
    return [each.mean(dim=(1, 2, 3)) for each in ssim_maps(x, y, window, 1.5)]


@pytest.mark.parametrize(
    ("shape", "window"),
    [
        ((2, 1, 56, 56, 56), 11),
        ((1, 1, 14, 11, 17), 11),
        ((2, 1, 9, 12, 40), 5),
        ((1, 1, 12, 13, 7), 7),
        ((2, 1, 6, 7, 8), 1),
        ((1, 1, 11, 16, 33), 4),
    ],
)
def test_values_and_gradients_are_those_of_double_precision(by_kernel, shape, window):
    torch.manual_seed(0)
    y = torch.rand(shape)
    x = (y + 0.2 * torch.randn(shape)).clamp(0, 1).requires_grad_()
    exact = x.detach().double().requires_grad_()
    own, right = ssim(x, y, window), plain_double(exact, y.double(), window)
    assert type(own[0].grad_fn).__name__ == "_SimilarityBackward"
    weights = torch.rand(2, len(x))  # both means count, as at no scale of a loss
    found = torch.autograd.grad((torch.stack(own) * weights).sum(), x)
    wanted = torch.autograd.grad((torch.stack(right) * weights.double()).sum(), exact)
    close(own, right)
    assert float((found[0] - wanted[0]).abs().max()) <= 2e-5 * float(wanted[0].abs().max())


def plain_double(x, y, window):
    """Return `ssim` of torch's convolution in double precision."""
    offsets = torch.arange(window, dtype=torch.float64) - (window - 1) / 2
    kernel = torch.exp(-0.5 * (offsets / 1.5) ** 2)
    kernel = kernel / kernel.sum()

    def smooth(maps):
        for axis in range(3):
            sides = [1, 1, 1, 1, 1]
            sides[2 + axis] = window
            maps = torch.nn.functional.conv3d(maps, kernel.view(sides))
        return maps

    mean_x, mean_y = smooth(x), smooth(y)
    variances = smooth(x * x) - mean_x**2 + smooth(y * y) - mean_y**2 + 0.03**2
    contrast = (2 * (smooth(x * y) - mean_x * mean_y) + 0.03**2) / variances
    luminance = (2 * mean_x * mean_y + 0.01**2) / (mean_x**2 + mean_y**2 + 0.01**2)
    return [(luminance * contrast).mean(dim=(1, 2, 3, 4)), contrast.mean(dim=(1, 2, 3, 4))]


def test_any_number_of_threads_gives_the_same_bits(by_kernel):
    torch.manual_seed(0)
    x, y = torch.rand(2, 1, 30, 31, 32).requires_grad_(), torch.rand(2, 1, 30, 31, 32)
    results, before = [], torch.get_num_threads()
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            loss = ms_ssim_loss(x, y, window=5)
            results.append([loss, *torch.autograd.grad(loss, x)])
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_what_the_kernel_cannot_do_is_left_to_torch(by_kernel):
    x, y = torch.rand(1, 1, 12, 12, 12), torch.rand(1, 1, 12, 12, 12)
    assert similarity.fits_similarity(x, y)
    assert not similarity.fits_similarity(x, y.clone().requires_grad_())  # has a gradient as well
    assert not similarity.fits_similarity(x.expand(1, 2, 12, 12, 12), y)
    assert not similarity.fits_similarity(x.double(), y.double())
    other = y.clone().requires_grad_()
    value = ssim(x, other, 5)[0].sum()
    assert float(torch.autograd.grad(value, other)[0].abs().max()) > 0
    close(ssim(x, y, 5), plain(x, y, 5))
