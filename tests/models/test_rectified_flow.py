"""The rectified flow against what is known: between Gaussians, on straight lines, of draws."""

import math

import pytest
import torch
from torch import nn

from mri2pet.errors import InputError
from mri2pet.models.rectified_flow import RectifiedFlow, euler, noise_of_scales

SMALL = {"mean": [2, 2], "velocity": [2, 2], "sigma": 0.1, "scales": 2, "steps": 3}
SHAPE = (2, 1, 8, 8, 8)


def between_gaussians(before, after):
    """Return the velocity of the flow from one Gaussian (mean, sd) to another, and its map.

    Of independent pairs z_t is Gaussian for each t, and E[z_1 - z_0 | z_t] is linear in it. The
    flow keeps quantiles, so that it ends at the linear map of one Gaussian onto the other.
    """
    (m0, s0), (m1, s1) = before, after

    def velocity(z, t):
        variance = (t * s1) ** 2 + ((1 - t) * s0) ** 2
        slope = (t * s1**2 - (1 - t) * s0**2) / variance
        return (m1 - m0) + slope * (z - t * m1 - (1 - t) * m0)

    return velocity, lambda z: m1 + s1 / s0 * (z - m0)


class Told(nn.Module):
    """In place of a network: a given function of place and time, and what it was shown."""

    def __init__(self, function):
        super().__init__()
        self.function, self.shown = function, []

    def forward(self, place, mean, mri, time):
        self.shown.append((place, time))
        return self.function(place, time)


@pytest.fixture
def flow():
    torch.manual_seed(0)
    made = RectifiedFlow(**SMALL)
    nn.init.normal_(made.velocity.output.weight)  # an untrained velocity is zero
    return made.eval()


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("before", "after"), [((0, 1), (2, 1)), ((1, 0.5), (0, 2)), ((0, 1), (0, 0.2))]
)
def test_euler_converges_to_the_map_between_two_gaussians(before, after):
    velocity, exact = between_gaussians(before, after)
    start = torch.linspace(-2, 2, 9, dtype=torch.float64) * before[1] + before[0]
    errors = [
        float((euler(velocity, start, steps) - exact(start)).abs().max()) for steps in (40, 80, 640)
    ]
    assert errors[2] < 0.01 * after[1]
    assert errors[0] == pytest.approx(2 * errors[1], rel=0.15, abs=1e-12)  # of first order


def test_one_step_along_straight_lines_lands_on_the_target():
    start, target = torch.rand(2, *SHAPE, generator=seeded(0), dtype=torch.float64)
    for steps in (1, 2, 7):
        landed = euler(lambda z, t: target - start, start, steps)
        torch.testing.assert_close(landed, target, rtol=0, atol=1e-12)


def test_one_step_from_the_start_of_any_flow_gives_the_regression_back(flow):
    """At t = 0 the best velocity is x* - z_0: nothing of the PET is known there but its mean."""
    flow.velocity, flow.steps = Told(lambda place, time: -place), 1
    mri = torch.rand(SHAPE, generator=seeded(0))
    [drawn] = flow.draws(mri, 1, generator=seeded(1))
    torch.testing.assert_close(drawn, flow(mri), rtol=0, atol=1e-6)


def test_the_one_pet_is_the_mean_wherever_the_flow_leads_without_noise(flow):
    """No training has shown the velocity a start without noise."""
    flow.velocity = Told(lambda place, time: torch.full_like(place, 9.0))
    mri = torch.rand(SHAPE, generator=seeded(0))
    assert torch.equal(flow(mri), flow.mean(mri))
    assert not flow.velocity.shown
    [drawn] = flow.draws(mri, 1, 0.0)
    assert torch.equal(drawn, flow(mri))


def test_what_the_velocity_learns_is_that_between_two_gaussians(flow):
    """PET and start are Gaussians around x*: a line fitted to the pairs has the known slope."""
    told = flow.velocity = Told(lambda place, time: place)
    flow.scales, sd = 1, 0.3
    mean = torch.full((40_000, 1, 4, 4, 4), 0.5)
    pet = mean + sd * torch.randn(mean.shape, generator=seeded(0))
    _, wanted = flow.matching(mean, pet, mean, seeded(1))
    [(place, time)] = told.shown
    velocity, _ = between_gaussians((0, 1), (0, sd / flow.sigma))
    for middle in (0.1, 0.5, 0.9):
        near = (time - middle).abs() < 0.02
        x, y = place[near].flatten().double(), wanted[near].flatten().double()
        slope = float((x * y).mean() / x.square().mean())
        assert slope == pytest.approx(velocity(1.0, middle), rel=0.05, abs=0.05)


def test_draws_repeat_by_seed_and_differ_between_seeds_and_people(flow):
    mri = torch.rand(SHAPE, generator=seeded(0))
    first, again, other = (
        torch.stack([*flow.draws(mri, 2, generator=seeded(seed))]) for seed in (1, 1, 2)
    )
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    assert not torch.equal(first, other)
    assert not torch.equal(first[0], first[1])
    differences = first[0] - flow(mri)
    assert not torch.allclose(differences[0], differences[1])
    assert first.min() >= 0 and first.max() <= 1


def test_draws_at_once_are_those_of_an_mri_shown_as_often(flow):
    mri = torch.rand(SHAPE, generator=seeded(0))
    at_once = next(flow.draws(mri, 1, generator=seeded(1), at_once=2))
    shown = next(flow.draws(mri.repeat_interleave(2, 0), 1, generator=seeded(1)))
    torch.testing.assert_close(at_once, shown, rtol=0, atol=1e-6)
    assert len(at_once) == 2 * len(mri)


def test_draws_go_to_the_regression_as_sigma_goes_to_zero(flow):
    mri = torch.rand(SHAPE, generator=seeded(0))
    spread = []
    for sigma in (0.1, 0.01, 0.001):
        flow.sigma = sigma
        [drawn] = flow.draws(mri, 1, generator=seeded(1))
        spread.append(float((drawn - flow(mri)).detach().abs().max()))
    assert spread[0] > 0.01
    assert spread[1] < 0.2 * spread[0] and spread[2] < 0.2 * spread[1]


def test_the_mean_over_draws_of_a_linear_flow_is_the_regression(flow):
    flow.velocity, flow.sigma = Told(lambda place, time: 0.5 * place), 0.02
    mri = torch.rand(SHAPE, generator=seeded(0))
    draws = torch.stack([*flow.draws(mri, 400, generator=seeded(1))])
    grown = (1 + 0.5 / flow.steps) ** flow.steps
    assert float(draws.std(dim=0).mean()) == pytest.approx(grown * 0.02, rel=0.02)
    error = (draws.mean(dim=0) - flow(mri)).detach().abs().mean()
    assert float(error) < 1.5 * grown * 0.02 / math.sqrt(400)


def test_the_temperature_is_a_factor_on_the_difference_from_the_one_pet(flow):
    mri, flow.sigma = torch.rand(SHAPE, generator=seeded(0)), 0.01
    mean = flow(mri).detach()
    none, one, half = (next(flow.draws(mri, 1, own, generator=seeded(1))) for own in (0, 1, [0.5]))
    torch.testing.assert_close(none, mean, rtol=0, atol=0)
    torch.testing.assert_close(half - mean, (one - mean) / 2, rtol=0, atol=1e-6)


@pytest.mark.parametrize("scales", [1, 2, 4])
def test_noise_has_unit_variance_and_blocks_of_each_scale(scales):
    like = torch.zeros(200, 1, 10, 9, 8)
    noise = noise_of_scales(like, scales, seeded(0))
    assert noise.shape == like.shape
    assert float(noise.std()) == pytest.approx(1, abs=0.02)
    near, far = (float((noise[:, :, :1] * noise[:, :, i : i + 1]).mean()) for i in (1, 8))
    assert near == pytest.approx((scales - 1) / scales, abs=0.05)  # all blocks but the voxels' own
    assert far == pytest.approx(0, abs=0.05)
    other = noise_of_scales(like, scales, seeded(1))
    assert abs(float((noise * other).mean())) < 0.05


def test_an_untrained_flow_leaves_the_start_where_it_is():
    made = RectifiedFlow(**SMALL).eval()
    mri = torch.rand(SHAPE, generator=seeded(0))
    mean = made.mean(mri)
    start = made.start(mean, seeded(1))
    torch.testing.assert_close(made.end(start, mean, mri), start)


@pytest.mark.parametrize("fault", [{"sigma": 0}, {"scales": 0}, {"steps": 0}, {"velocity": [4]}])
def test_impossible_settings_are_refused(fault):
    with pytest.raises(InputError, match=r"rectified_flow|unet3d"):
        RectifiedFlow(**SMALL | fault)
