import math

import pytest
import torch
from dual_glow_small import GROUPS, SIDE, SMALL, make

from mri2pet.errors import InputError
from mri2pet.models.dual_glow import DualGlow, objective
from mri2pet.models.registry import build
from mri2pet.models.relation import LOG_SIGMA_LIMIT, RelationNetwork


def test_terms_are_the_densities_of_the_paper_in_bits_a_voxel(mri, pet):
    model = make(side=False).double().eval()
    mri, pet = mri.double(), pet.double()
    terms = model.losses(mri, pet, generator=torch.Generator().manual_seed(5))
    noise = torch.Generator().manual_seed(5)
    x_m = mri - 0.5 + torch.rand(mri.shape, generator=noise, dtype=torch.float64) / 256
    x_p = pet - 0.5 + torch.rand(pet.shape, generator=noise, dtype=torch.float64) / 256
    z_m, det_m = model.mri_flow(x_m)
    z_p, det_p = model.pet_flow(x_p)
    normal = torch.distributions.Normal
    log_m = det_m + sum(normal(0, 1).log_prob(z).flatten(1).sum(1) for z in z_m)
    log_p = det_p.clone()
    for z, (mean, log_sigma) in zip(z_p, model.prior(z_m), strict=True):
        log_p += normal(mean, log_sigma.exp()).log_prob(z).flatten(1).sum(1)
    for name, log_density in (("mri", log_m), ("pet", log_p)):
        # A density over units of 1/256: log p - N log 256.
        bits = -(log_density - 512 * math.log(256)).mean() / 512 / math.log(2)
        assert torch.allclose(terms[name], bits)
    assert torch.allclose(objective(terms, mri=0.5), terms["pet"] + 0.5 * terms["mri"])


def test_uniform_noise_has_a_bit_for_each_doubling_of_the_grey_levels():
    model = DualGlow(**SMALL, bins=16).eval()
    finer = DualGlow(**SMALL, bins=32).eval()
    finer.load_state_dict(model.state_dict())
    x = torch.zeros(1, 1, 8, 8, 8)
    difference = finer.losses(x, x)["mri"] - model.losses(x, x)["mri"]
    assert abs(difference.item() - 1) < 0.1


def test_weights_of_the_objective():
    terms = {name: torch.tensor(v) for name, v in {"pet": 2.0, "mri": 10.0}.items()}
    assert abs(objective(terms) - 2.01) < 1e-6
    terms |= {"reversed": torch.tensor(3.0), "top": torch.tensor(4.0)}
    assert abs(objective(terms) - 2.08) < 1e-6


def test_objective_trains_every_parameter(mri, pet):
    model = make()
    objective(model.losses(mri, pet, SIDE)).backward()
    still = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert still == []


def test_objective_falls_with_training(mri, pet):
    torch.manual_seed(0)
    model = DualGlow(**SMALL, side={"groups": GROUPS})
    optimiser = torch.optim.Adamax(model.parameters(), lr=0.01)
    history = []
    for _ in range(25):
        terms = model.losses(mri, (mri + 1) / 2, SIDE)
        optimiser.zero_grad()
        objective(terms).backward()
        optimiser.step()
        history.append(terms["pet"].item())
    assert history[-1] < history[0] - 0.3


def test_pet_objective_reaches_the_mri_flow(mri, pet):
    model = make(side=False)
    model.losses(mri, pet)["pet"].backward()
    assert all(p.grad is not None for p in model.mri_flow.parameters())


def test_temperature_zero_is_the_mean_image(mri):
    model = make(side=False).eval()
    (cold,) = model.draws(mri, 1, temperature=0)
    assert torch.allclose(cold, model(mri), atol=1e-6)
    assert cold.shape == mri.shape
    assert 0 <= cold.min() < cold.max() <= 1


def test_draws_differ_and_repeat_with_their_seed(mri):
    model = make(side=False).eval()
    first, second = model.draws(mri, 2, generator=torch.Generator().manual_seed(3))
    (again,) = model.draws(mri, 1, generator=torch.Generator().manual_seed(3))
    assert not torch.allclose(first, second)
    assert torch.equal(first, again)
    (cool,) = model.draws(mri, 1, 0.1, generator=torch.Generator().manual_seed(3))
    mean = model(mri)
    assert (cool - mean).abs().mean() < (first - mean).abs().mean() / 2


def test_draws_at_once_are_those_of_an_mri_shown_as_often(mri):
    model = make().eval()
    one, three = (
        next(model.draws(mri[rows], 1, 1.0, side, torch.Generator().manual_seed(3), at_once))
        for rows, side, at_once in (
            ([0], {k: v[:1] for k, v in SIDE.items()}, 3),
            ([0, 0, 0], {k: v[[0, 0, 0]] for k, v in SIDE.items()}, 1),
        )
    )
    torch.testing.assert_close(one, three, rtol=0, atol=1e-6)
    assert not torch.allclose(one[0], one[1])


def test_real_codes_give_the_real_pet_back(mri, pet):
    """What synthesis subtracts is what training adds: the noise has the same mean."""
    model = make(side=False).eval()
    codes, _ = model.encode_pet(pet + 0.5 / 256)
    assert (model.decode_pet(codes) - pet).abs().max() < 1e-4


def test_relation_starts_at_the_standard_normal_and_sigma_is_bounded():
    torch.manual_seed(0)
    network = RelationNetwork(4, 6)
    code = torch.randn(2, 4, 4, 4, 4)
    mean, log_sigma = network(code)
    assert mean.shape == log_sigma.shape == code.shape
    assert not mean.any()
    assert not log_sigma.any()
    with torch.no_grad():
        network.layers[-1].bias.fill_(1e4)
    assert network(code)[1].max() <= LOG_SIGMA_LIMIT
    assert RelationNetwork(4, layers=1)(code)[0].shape == code.shape


def test_state_goes_on_where_it_was(mri, pet):
    model = make()
    other = DualGlow(**SMALL, side={"groups": GROUPS})
    other.load_state_dict(model.state_dict())
    seed = torch.Generator
    first = model.losses(mri, pet, SIDE, seed().manual_seed(1))
    second = other.losses(mri, pet, SIDE, seed().manual_seed(1))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_losses_under_autocast_are_float32_and_close(mri, pet):
    model = make()
    full = model.losses(mri, pet, SIDE, torch.Generator().manual_seed(1))
    with torch.autocast("cpu", torch.bfloat16):
        half = model.losses(mri, pet, SIDE, torch.Generator().manual_seed(1))
    assert {value.dtype for value in half.values()} == {torch.float32}
    assert all(abs(half[name] - full[name]) < 0.1 for name in full)


def test_model_is_built_from_its_configuration(mri):
    config = {**SMALL, "name": "dual_glow.DualGlow", "side": {"attributes": ["age"]}}
    assert build(config)(mri).shape == mri.shape
    with pytest.raises(InputError, match="groups"):
        build({**SMALL, "name": "dual_glow.DualGlow", "side": {}})


def test_standardised_voxels_start_from_the_mean_pet_with_honest_likelihoods(mri, pet):
    """Of the option `standardise`: its log-determinant counts, its statistics are saved."""
    torch.manual_seed(0)
    model = DualGlow(**SMALL, grid=[8, 8, 8], standardise=True)
    many = 0.3 + 0.2 * torch.rand(6, 1, 8, 8, 8)
    model.mri_norm.fit(many)
    model.pet_norm.fit(many)
    model.initialise(many, many)
    codes, log_determinant = model.encode_pet(pet)
    assert torch.allclose(model.decode_pet(codes), (pet - 0.5 / 256).clamp_min(0), atol=1e-4)
    _, of_flow = model.pet_flow(model.pet_norm(pet)[0])
    assert torch.allclose(log_determinant - of_flow, -model.pet_norm.log_sd.sum(), rtol=1e-4)
    x = many + 0.5 / 256
    assert model.pet_norm(x)[0].mean().abs() < 1e-4
    assert abs(model.pet_norm(x)[0].square().mean() - 1) < 0.1

    other = DualGlow(**SMALL, grid=[8, 8, 8], standardise=True).eval()
    other.load_state_dict(model.state_dict())
    assert torch.equal(other(mri), model.eval()(mri))
    with pytest.raises(InputError, match="must be the same"):
        model(torch.rand(1, 1, 8, 8, 16))
