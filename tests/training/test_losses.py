import numpy as np
import pytest
import torch
from scipy.ndimage import correlate1d
from skimage.metrics import structural_similarity

from mri2pet.errors import InputError
from mri2pet.training.losses import (
    MS_SSIM_WEIGHTS,
    SynthesisLoss,
    discriminator_loss,
    generator_loss,
    gradient_difference_loss,
    l1_loss,
    l2_loss,
    ms_ssim_loss,
    ssim,
    ssim_loss,
)
from mri2pet.training.roi_loss import RoiLoss


@pytest.fixture
def volumes():
    """Two volumes that resemble each other, (2, 1, 48, 44, 44) in double precision."""
    rng = np.random.default_rng(0)
    real = rng.random((2, 1, 48, 44, 44))
    return np.clip(real + 0.2 * rng.standard_normal(real.shape), 0, 1), real


def tensors(volumes, **kwargs):
    return [torch.tensor(volume, dtype=torch.float32, **kwargs) for volume in volumes]


def test_adversarial_losses_are_those_of_equation_1():
    real, fake = torch.tensor([0.3, -1.2]), torch.tensor([0.8, -0.1])

    def log_d(logit):
        return torch.log(torch.sigmoid(logit))

    expected = -(log_d(real).mean() + torch.log(1 - torch.sigmoid(fake)).mean())
    assert discriminator_loss(real, fake) == pytest.approx(expected.item(), rel=1e-6)
    assert generator_loss(fake) == pytest.approx(-log_d(fake).mean().item(), rel=1e-6)


def test_adversarial_losses_do_not_overflow():
    far = torch.tensor([200.0])
    assert discriminator_loss(-far, far).item() == 400
    assert generator_loss(-far.half()).item() == 200


def test_l1(volumes):
    expected = np.abs(volumes[0] - volumes[1]).mean()
    assert l1_loss(*tensors(volumes)).item() == pytest.approx(expected, rel=1e-5)


def test_l2(volumes):
    expected = ((volumes[0] - volumes[1]) ** 2).mean()
    assert l2_loss(*tensors(volumes)).item() == pytest.approx(expected, rel=1e-5)


def test_gradient_difference_compares_steps_along_each_axis(volumes):
    expected = sum(
        ((np.abs(np.diff(volumes[1], axis=a)) - np.abs(np.diff(volumes[0], axis=a))) ** 2).mean()
        for a in (2, 3, 4)
    )
    predicted, real = tensors(volumes)
    assert gradient_difference_loss(predicted, real).item() == pytest.approx(expected, rel=1e-5)
    # Neither a shift of all intensities nor their sign counts, only edges.
    assert gradient_difference_loss(1 - real, real).item() < 1e-12


def test_sums_are_over_the_voxels_of_each_volume(volumes):
    made, real = volumes
    steps = ((np.abs(np.diff(real, axis=a)) - np.abs(np.diff(made, axis=a))) ** 2 for a in (2, 3))
    edges = {"dimensions": 2, "reduction": "sum"}
    for found, expected in (
        (l1_loss(*tensors(volumes), "sum"), np.abs(made - real)),
        (l2_loss(*tensors(volumes), "sum"), (made - real) ** 2),
    ):
        assert found.item() == pytest.approx(expected.sum((1, 2, 3, 4)).mean(), rel=1e-5)
    found = gradient_difference_loss(*tensors(volumes), **edges).item()
    assert found == pytest.approx(sum(each.sum() / len(real) for each in steps), rel=1e-5)


@pytest.mark.parametrize("loss", [l1_loss, l2_loss, gradient_difference_loss])
def test_a_sum_does_not_grow_with_the_batch_and_no_other_reduction_is_known(volumes, loss):
    one = [volume[:1] for volume in tensors(volumes)]
    twice = [volume.repeat(2, 1, 1, 1, 1) for volume in one]
    alone = loss(*one, reduction="sum").item()
    assert loss(*twice, reduction="sum").item() == pytest.approx(alone, rel=1e-5)
    for other in ("none", "Sum", ""):
        with pytest.raises(InputError, match=r"reduction: .* is neither mean nor sum"):
            loss(*one, reduction=other)


@pytest.mark.parametrize(("window", "sigma"), [(11, 1.5), (9, 1.0)])
def test_ssim_equals_scikit_image(volumes, window, sigma):
    expected = [
        structural_similarity(
            x[0], y[0], data_range=1, gaussian_weights=True, sigma=sigma,
            use_sample_covariance=False,
        )
        for x, y in zip(*volumes, strict=True)
    ]  # fmt: skip
    values, _ = ssim(*tensors(volumes), window=window, sigma=sigma)
    assert values.tolist() == pytest.approx(expected, abs=1e-5)
    loss = ssim_loss(*tensors(volumes), window=window, sigma=sigma)
    assert loss.item() == pytest.approx(1 - np.mean(expected), abs=1e-5)


def written_out_ms_ssim(x, y):
    """Wang (2003) for one volume, in numpy."""
    kernel = np.exp(-0.5 * ((np.arange(11) - 5) / 1.5) ** 2)
    kernel /= kernel.sum()

    def smooth(volume):
        for axis in range(3):
            volume = correlate1d(volume, kernel, axis)
        return volume[5:-5, 5:-5, 5:-5]

    product = 1.0
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001)):
        mx, my = smooth(x), smooth(y)
        vx, vy, vxy = smooth(x * x) - mx**2, smooth(y * y) - my**2, smooth(x * y) - mx * my
        similarity = (2 * vxy + 9e-4) / (vx + vy + 9e-4)
        if scale == 2:  # luminance at the coarsest scale alone
            similarity = similarity * (2 * mx * my + 1e-4) / (mx**2 + my**2 + 1e-4)
        product *= similarity.mean() ** weight
        if scale < 2:
            halves = [(size // 2, 2) for size in x.shape]
            x, y = (v.reshape(*np.ravel(halves)).mean((1, 3, 5)) for v in (x, y))
    return product


def test_ms_ssim_equals_the_written_out_formula(volumes):
    expected = [written_out_ms_ssim(x[0], y[0]) for x, y in zip(*volumes, strict=True)]
    loss = ms_ssim_loss(*tensors(volumes))
    assert loss.item() == pytest.approx(1 - np.mean(expected), abs=1e-5)


def test_ms_ssim_weights_are_the_printed_ones():
    assert MS_SSIM_WEIGHTS == (0.0448, 0.2856, 0.3001)


def test_default_window_fits_three_scales_of_the_paper_volume():
    volume = torch.rand(1, 1, 64, 64, 64)
    assert ms_ssim_loss(volume, volume).item() == pytest.approx(0, abs=1e-6)
    with pytest.raises(InputError, match="does not fit"):
        ms_ssim_loss(volume[..., :32, :32, :32], volume[..., :32, :32, :32])


def test_ms_ssim_stays_finite_where_structure_is_inverted():
    volume = torch.rand(1, 1, 44, 44, 44)
    predicted = (1 - volume).requires_grad_()
    loss = ms_ssim_loss(predicted, volume)
    loss.backward()
    assert 0.5 < loss.item() <= 1
    assert predicted.grad.isfinite().all()


WEIGHTS = {
    "l1": 2.0,
    "ssim": 0.5,
    "ms_ssim": {"weight": 0.25},
    "roi": {"weight": 3.0, "of": "voxels"},
}


@pytest.fixture
def labels():
    return torch.randint(0, 5, (48, 44, 44), generator=torch.Generator().manual_seed(0))


def test_sum_holds_every_term_with_its_weight(volumes, labels):
    total, terms = SynthesisLoss(WEIGHTS, labels)(*tensors(volumes))
    predicted, real = tensors(volumes)
    parts = {
        "l1": 2.0 * l1_loss(predicted, real),
        "ssim": 0.5 * ssim_loss(predicted, real),
        "ms_ssim": 0.25 * ms_ssim_loss(predicted, real),
        "roi": 3.0 * RoiLoss(labels, of="voxels")(predicted, real),
    }
    assert min(parts.values()) > 1e-3  # so that a dropped term is seen below
    assert total.item() == pytest.approx(sum(parts.values()).item(), rel=1e-6)
    assert list(terms) == list(parts)


@pytest.mark.parametrize("name", list(WEIGHTS))
def test_each_term_alone_gives_a_gradient(volumes, labels, name):
    predicted, real = tensors(volumes)
    predicted.requires_grad_()
    SynthesisLoss({name: WEIGHTS[name]}, labels)(predicted, real)[0].backward()
    assert predicted.grad.isfinite().all()
    assert (predicted.grad != 0).float().mean() > 0.5


def test_gradient_agrees_with_finite_differences():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(2, 1, 1, 12, 12, 12, generator=generator).unbind()
    x.requires_grad_()
    loss = SynthesisLoss({"ms_ssim": {"weight": 1, "window": 3}})
    (gradient,) = torch.autograd.grad(loss(x, y)[0], x)
    direction = torch.randn(x.shape, generator=generator)
    with torch.no_grad():
        up, down = (loss(x + step * direction, y)[0] for step in (1e-2, -1e-2))
    assert (gradient * direction).sum().item() == pytest.approx((up - down).item() / 2e-2, rel=0.02)


def test_losses_are_computed_in_full_precision_under_autocast(volumes, labels):
    predicted, real = tensors(volumes)
    loss = SynthesisLoss(WEIGHTS, labels)
    expected, _ = loss(predicted, real)
    with torch.autocast("cpu", torch.bfloat16):
        total, _ = loss(predicted, real)
    assert total.dtype == torch.float32
    assert total.item() == expected.item()


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"l3": 1}, r"losses\.l3"),
        ({"roi": 1}, "needs an atlas"),
        ({"l1": -1}, "negative"),
        ({"l1": 0}, "no term"),
        ({}, "no term"),
        ({"ssim": {"weight": 1, "windw": 7}}, "windw"),
        ({"ssim": {"weight": 1, "reduction": "sum"}}, "losses.ssim: does not take .*reduction"),
    ],
)
def test_faulty_terms_are_refused(terms, message):
    with pytest.raises(InputError, match=message):
        SynthesisLoss(terms)
