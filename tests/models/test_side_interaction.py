"""Side information that interacts: with itself by products, with the MRI's code as channels."""

import math

import pytest
import torch
from dual_glow_small import GROUPS, SIDE, SMALL, shaken, volumes

from mri2pet.errors import InputError
from mri2pet.models.dual_glow import DualGlow
from mri2pet.models.relation import RelationNetwork
from mri2pet.models.side import SideInformation

WAYS = {
    "linear": ({}, {}),
    "products": ({"products": 0.5}, {}),
    "channels": ({}, {"side_channels": True}),
    "both": ({"products": 0.5}, {"side_channels": True}),
}


def make(side, relation, start=False):
    torch.manual_seed(0)
    settings = {**SMALL, "relation": {"width": 6, **relation}}
    model = DualGlow(**settings, side={"groups": GROUPS, **side}).eval()
    return model if start else shaken(model)


def top(model, codes, age, sex, diagnosis):
    """Return the mean of the top code for one person's side information."""
    told = {"age": torch.tensor([age, age]), "sex": torch.tensor([sex, sex])}
    told["diagnosis"] = torch.tensor([diagnosis, diagnosis])
    with torch.no_grad():
        return model.prior(codes, told)[-1][0]


def test_products_by_hand():
    information = SideInformation(groups=("CN", "AD"), age_mean=70, age_sd=5, products=0.5)
    told = {"age": torch.tensor([80.0]), "sex": torch.tensor([1]), "diagnosis": torch.tensor([0])}
    plain = [2.0, 0, 1, 1, 0]
    age_sex, age_diagnosis = [0, 1.0], [1.0, 0]  # 2 times .5
    sex_diagnosis = [0, 0, 0.5, 0]
    of_three = [0, 0, 0.5, 0]  # 2 times .5 squared
    expected = torch.tensor([[*plain, *age_sex, *age_diagnosis, *sex_diagnosis, *of_three]])
    assert torch.equal(information.encode(told), expected)
    assert information.numbers == expected.shape[1] == 17
    assert information.width == 5  # what classifiers tell are the attributes
    assert SideInformation(groups=("CN", "AD")).numbers == 5


@pytest.mark.parametrize("name", ["age", "sex", "diagnosis"])
def test_an_unknown_attribute_and_its_products_are_zeros(name):
    information = SideInformation(groups=GROUPS, products=1)
    unknown = {**SIDE, name: torch.full((2,), math.nan if name == "age" else -1)}
    zeros = information.encode(unknown) == 0
    without = SideInformation([n for n in SIDE if n != name], groups=GROUPS, products=1)
    others = {n: values for n, values in SIDE.items() if n != name}
    assert int((~zeros).sum()) == int((without.encode(others) != 0).sum())
    nobody = {"age": torch.tensor([math.nan])} | dict.fromkeys(
        ["sex", "diagnosis"], torch.tensor([-1])
    )
    assert not information.encode(nobody).any()


@pytest.mark.parametrize("way", WAYS)
def test_whether_the_age_counts_the_same_for_all(way, mri):
    """Linear: the shift by age is one for every diagnosis and MRI; otherwise it is each one's."""
    model = make(*WAYS[way])
    codes, _ = model.mri_flow(mri - 0.5)
    other, _ = model.mri_flow(volumes(7) - 0.5)
    shift = {
        (place, diagnosis): top(model, shown, 90.0, 0, diagnosis)
        - top(model, shown, 60.0, 0, diagnosis)
        for place, shown in (("one", codes), ("other", other))
        for diagnosis in (0, 2)
    }
    assert shift["one", 0].abs().max() > 1e-3
    by_diagnosis = (shift["one", 0] - shift["one", 2]).abs().max()
    by_mri = (shift["one", 0] - shift["other", 0]).abs().max()
    assert (by_diagnosis > 1e-3) == (way != "linear")
    assert (by_mri > 1e-4) == (way in ("channels", "both"))


@pytest.mark.parametrize("way", WAYS)
def test_training_starts_at_the_standard_normal(way, mri):
    model = make(*WAYS[way], start=True)
    codes, _ = model.mri_flow(mri - 0.5)
    for mean, log_sigma in model.prior(codes, SIDE):
        assert not mean.any()
        assert not log_sigma.any()


def test_no_side_information_is_zeros_in_the_channels_too(mri):
    model = make(*WAYS["both"])
    unknown = {"age": torch.full((2,), math.nan)} | dict.fromkeys(
        ["sex", "diagnosis"], torch.tensor([-1, -1])
    )
    assert torch.equal(model(mri), model(mri, unknown))
    assert not torch.equal(model(mri), model(mri, SIDE))
    assert model.double()(mri.double(), SIDE).dtype == torch.float64


def test_a_model_that_is_told_nothing_has_no_such_channels():
    plain = RelationNetwork(4, width=6)
    asked = RelationNetwork(4, width=6, side_channels=True)
    assert [p.shape for p in plain.parameters()] == [p.shape for p in asked.parameters()]


def test_settings_that_cannot_interact_are_refused():
    with pytest.raises(InputError, match="layers of 2"):
        RelationNetwork(4, layers=1, side=3, side_channels=True)
    with pytest.raises(InputError, match="products: -1"):
        SideInformation(groups=GROUPS, products=-1)
