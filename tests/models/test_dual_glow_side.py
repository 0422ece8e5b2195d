import math

import pytest
import torch
from dual_glow_small import GROUPS, SIDE, SMALL, make

from mri2pet.errors import InputError
from mri2pet.models.dual_glow import DualGlow, objective


@pytest.mark.parametrize("grid", [None, [8, 8, 8]])
def test_age_changes_the_image_through_the_top_code_alone(mri, grid):
    model = make(grid=grid).eval()
    young, old = ({**SIDE, "age": torch.full((2,), age)} for age in (50.0, 100.0))
    codes, _ = model.mri_flow(mri - 0.5)
    *lower, top = zip(model.prior(codes, young), model.prior(codes, old), strict=True)
    for (mean, log_sigma), (other_mean, other_log_sigma) in lower:
        assert torch.equal(mean, other_mean)
        assert torch.equal(log_sigma, other_log_sigma)
    difference = top[1][0] - top[0][0]
    assert difference.abs().max() > 1e-4
    elsewhere = difference.std(dim=(2, 3, 4)).max()
    assert elsewhere > 1e-4 if grid else elsewhere < 1e-5
    assert (model(mri, young) - model(mri, old)).abs().max() > 1e-4

    with torch.no_grad():  # without the embedding, no path is left
        model.relation.networks[-1].embedding.weight.zero_()
    assert torch.equal(model(mri, young), model(mri, old))


def test_each_attribute_changes_the_image(mri):
    model = make().eval()
    for name, value in {"age": 99.0, "sex": -1, "diagnosis": 1}.items():
        other = {**SIDE, name: torch.full((2,), value)}
        assert not torch.equal(model(mri, SIDE), model(mri, other)), name


def test_no_side_information_is_that_of_a_person_of_whom_nothing_is_known(mri):
    model = make().eval()
    unknown = {
        "age": torch.full((2,), math.nan),
        "sex": torch.tensor([-1, -1]),
        "diagnosis": torch.tensor([-1, -1]),
    }
    assert torch.equal(model(mri), model(mri, unknown))
    doubled = model.double()(mri.double(), SIDE)
    assert doubled.dtype == torch.float64


def test_top_pet_code_does_not_see_the_top_mri_code(mri):
    """Equation 17: z'_m is without h_k; the reference code's way is `mri_top`."""
    for settings, same in (({}, True), ({"mri_top": True}, False)):
        torch.manual_seed(0)
        model = DualGlow(
            **{**SMALL, "relation": {"width": 6, **settings}}, side={"groups": GROUPS}
        ).eval()
        with torch.no_grad():
            for network in model.relation.networks:
                network.layers[-1].weight.normal_()
        codes, _ = model.mri_flow(mri - 0.5)
        other = [*codes[:-1], codes[-1] + 1]
        means = [model.prior(each, SIDE)[-1][0] for each in (codes, other)]
        assert torch.equal(*means) == same


def test_lower_codes_alone_are_behind_the_reversal(mri, pet):
    """Minimising makes all heads better, the lower codes worse and the top codes better."""
    model = make()
    lower = torch.randn(2, 4, 4, 4, 4, requires_grad=True)
    top = torch.randn(2, 32, 2, 2, 2, requires_grad=True)
    model.mri_flow.forward = lambda volume: ([lower, top], torch.zeros(2))
    for name, head, code, sign in (
        ("reversed", model.heads.mri[0], lower, -1),
        ("top", model.heads.mri[1], top, 1),
    ):
        model.side.loss(head(code), SIDE).backward()
        plain_code, plain_weight = code.grad.clone(), head.conv.weight.grad.clone()
        code.grad = None
        model.zero_grad()
        model.losses(mri, pet, SIDE)[name].backward()
        assert torch.allclose(code.grad, sign * plain_code)
        assert torch.allclose(head.conv.weight.grad, plain_weight)


def test_plain_heads_stand_on_the_top_codes_of_both(mri, pet):
    model = make()
    model.losses(mri, pet, SIDE)["top"].backward()
    assert all(p.grad is not None for p in model.pet_flow.parameters())
    assert model.heads.mri[0].conv.weight.grad is None
    assert model.heads.mri[-1].conv.weight.grad is not None
    assert model.heads.pet.conv.weight.grad is not None


def test_five_classifiers_at_four_levels():
    model = DualGlow([1] * 4, [2] * 4, {"width": 2}, {"groups": GROUPS}, {"width": 2})
    assert len(model.heads.mri) == 4
    assert model.heads.pet is not None


def test_side_information_is_asked_for_and_needs_a_lower_level(mri, pet):
    with pytest.raises(InputError, match="trained with side information"):
        make().losses(mri, pet)
    with pytest.raises(InputError, match="two levels"):
        DualGlow([1], [2], side={"groups": GROUPS})
    with pytest.raises(InputError, match="kernel"):
        DualGlow(**{**SMALL, "relation": {"kernel": 4}})


def test_an_effect_of_age_is_learnt():
    """The intensity inside a box falls by .2 over 40 years; the MRI knows nothing of the age."""
    torch.manual_seed(0)
    age = torch.linspace(50, 90, 12)
    mri = torch.rand(12, 1, 8, 8, 8)
    pet = torch.zeros(12, 1, 8, 8, 8)
    pet[:, :, 2:6, 2:6, 2:6] = 0.6 - 0.005 * (age - 50).view(-1, 1, 1, 1, 1)
    pet[:, :, 2:6, 2:6, 2:6] += 0.05 * torch.randn(12, 1, 1, 1, 1)
    model = DualGlow(
        **SMALL,
        side={"attributes": ["age"], "age_mean": 70},
        grid=[8, 8, 8],
        standardise=True,
        wavelets=True,
    )
    model.mri_norm.fit(mri)
    model.pet_norm.fit(pet)
    model.initialise(mri, pet, {"age": age})
    optimiser = torch.optim.Adamax(model.parameters(), lr=0.01)
    for _ in range(40):
        loss = objective(model.losses(mri, pet, {"age": age}))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    model.eval()
    ages = [{"age": torch.full((12,), years)} for years in (50.0, 70.0, 90.0)]
    with torch.no_grad():
        young, middle, old = (model(mri, each)[:, :, 2:6, 2:6, 2:6].mean() for each in ages)
    assert young - 0.03 > middle > old + 0.03
